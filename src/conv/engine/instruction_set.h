// The instruction sets that inner loops were compiled for, and the one in use.
#pragma once

#include <string_view>
#include <vector>

namespace convtool {

/// Highway's AVX3 and, for the dot products of dot.h, AVX-512 VNNI and VBMI.
inline constexpr std::string_view kAvx3Vnni = "AVX3_VNNI";

/// Names of the instruction sets that were compiled and that this processor has, best first: Highway's, and kAvx3Vnni.
std::vector<std::string_view> instruction_sets();

/// The one in use.
std::string_view instruction_set();

/// For tests: from now on use the instruction set of this name; "" for the best. Not while plans run.
void use_instruction_set(std::string_view name);

}  // namespace convtool
