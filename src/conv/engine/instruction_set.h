// The instruction sets that row functions are compiled for, and the one in use.
#pragma once

#include <string_view>
#include <vector>

namespace convtool {

/// Highway's AVX3, and AVX-512 VNNI and VBMI for the dot products of algorithms/integer/dot.h.
inline constexpr std::string_view kAvx3Vnni = "AVX3_VNNI";

/// Whether the program and this processor have AVX-512 F, BW, VL, VNNI and VBMI, for which Highway 1.0.3 has no target.
bool cpu_has_vnni();

/// The names of the compiled instruction sets that this processor has, best first: Highway's names, and kAvx3Vnni.
std::vector<std::string_view> instruction_sets();

/// The name of the instruction set in use.
std::string_view instruction_set();

/// For tests: switches to the instruction set of this name, or to the best for "". Not thread-safe; no plan may run.
void use_instruction_set(std::string_view name);

}  // namespace convtool
