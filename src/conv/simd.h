// Row functions: the inner loops of the engine, compiled for every instruction set of this architecture and chosen at
// run time. Internal to conv/; the texts are simd.cpp's.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace convtool {

/// Floats that row functions may read past the end of a source row, and write past the end of a row of sums: two
/// vectors of the widest instruction set.
inline constexpr std::int64_t kRowSlack = 32;

/// sums[x] = sum over t < taps of weights[t] * sources[t][x], for x < width, in the order of t whatever x and width:
/// float, fused multiply-add where the instruction set has it. Reads and writes up to kRowSlack floats past the ends.
void sum_taps(const float* const* sources, const float* weights, std::int64_t taps, float* sums, std::int64_t width);

/// Converts `count` pixels, `step` elements apart, to float. `T` is u8, u16 or f32.
template <class T>
void to_floats(const T* pixels, std::int64_t step, std::int64_t count, float* floats);

/// The same for all channels of `count` interleaved pixels at once: planes[c][x] = pixels[x * channels + c].
/// `channels` is 3 or 4.
void to_planes(const std::uint8_t* pixels, std::int64_t channels, std::int64_t count, float* const* planes);

/// Highway's AVX3 and, for the dot products of dot.h, AVX-512 VNNI and VBMI.
inline constexpr std::string_view kAvx3Vnni = "AVX3_VNNI";

/// Names of the instruction sets that were compiled and that this processor has, best first: Highway's, and kAvx3Vnni.
std::vector<std::string_view> instruction_sets();

/// The one in use.
std::string_view instruction_set();

/// Floats in one of its vectors; costs are counted in these.
std::int64_t float_lanes();

/// For tests: from now on use the instruction set of this name; "" for the best. Not while plans run.
void use_instruction_set(std::string_view name);

}  // namespace convtool
