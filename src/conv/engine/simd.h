// Row functions: the inner loops of the engine, compiled for every instruction set of this architecture and chosen at
// run time. Internal to conv/; the texts are simd.cpp's.
#pragma once

#include <cstdint>

namespace convtool {

/// Floats that row functions may read past the end of a source row, and write past the end of a row of sums: two
/// vectors of the widest instruction set.
inline constexpr std::int64_t kRowSlack = 32;

/// Output rows that are summed together where they share source rows: with four vectors of each, 16 sums, which
/// AVX-512 and NEON hold in half of their registers.
inline constexpr std::int64_t kBlockRows = 4;

struct SeenSums;  // conv/engine/seen_sums.h

/// `taps` taps that serve rows [begin, end) of a block of output rows.
struct TapRun {
  std::int64_t begin = 0, end = 1, taps = 0;
};

/// The taps of a block of output rows, run by run, in the order of summation.
struct BlockTaps {
  const float* const* sources = nullptr;  ///< for each tap, what the first output reads
  const float* weights = nullptr;         ///< for each tap one for each row that it serves
  const TapRun* runs = nullptr;
  std::int64_t run_count = 0;
  std::int64_t rows = 1;  ///< of the block: 1 or kBlockRows
};

/// sums[i * pitch + k] = sum over taps t that serve row i of weights[t][i] * sources[t][x + k], for k < count: in the
/// order of taps, whatever x and count, in float, by fused multiply-adds where the instruction set has them. Reads and
/// writes up to kRowSlack floats past the ends. `seen`, unless null, sees the sums, and so all that is written.
void sum_rows(const BlockTaps& taps, std::int64_t x, std::int64_t count, float* sums, std::int64_t pitch,
              SeenSums* seen = nullptr);

/// phases[p * length + k] = line[k * stride + p], for all that lie within `count`.
void split_phases(const float* line, std::int64_t stride, std::int64_t count, float* phases, std::int64_t length);

/// Converts `count` pixels, `step` elements apart, to float. `T` is u8, u16 or f32.
template <class T>
void to_floats(const T* pixels, std::int64_t step, std::int64_t count, float* floats);

/// Pixels whose channels are neighbours, of so many channels, are taken apart and put together by SIMD.
constexpr bool has_planes(std::int64_t channels) { return 2 <= channels && channels <= 4; }

/// to_floats() for all channels of `count` interleaved pixels at once: planes[c][x] = pixels[x * channels + c], where
/// has_planes(channels).
template <class T>
void to_planes(const T* pixels, std::int64_t channels, std::int64_t count, float* const* planes);

/// The way back, without conversion: pixels[x * channels + c] = planes[c][x], where has_planes(channels).
template <class T>
void interleave(const T* const* planes, std::int64_t channels, std::int64_t count, T* pixels);

/// Floats in one vector of the instruction set in use; costs are counted in these.
std::int64_t float_lanes();

}  // namespace convtool
