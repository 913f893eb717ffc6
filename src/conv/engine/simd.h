// Row functions: the inner loops of the engine, compiled for every instruction set of this architecture and picked at
// run time. Internal to conv/.
#pragma once

#include <cstdint>

namespace convtool {

/// Floats that row functions may read past the end of a source row, and write past the end of a row of sums: two
/// vectors of the widest instruction set.
inline constexpr std::int64_t kRowSlack = 32;

/// Output rows that are summed together where they share source rows. With four vectors of each that is 16 sums, which
/// fill half of 32 registers.
inline constexpr std::int64_t kBlockRows = 4;

struct SeenSums;  // conv/engine/seen_sums.h

/// `taps` taps that serve rows [begin, end) of a block of output rows.
struct TapRun {
  std::int64_t begin = 0, end = 1, taps = 0;
};

/// The taps of a block of output rows, run by run, in the order of summation.
struct BlockTaps {
  const float* const* sources = nullptr;  ///< for each tap, the pixel of the first output
  const float* weights = nullptr;         ///< [tap][row that it serves]
  const TapRun* runs = nullptr;
  std::int64_t run_count = 0;
  std::int64_t rows = 1;  ///< of the block: 1 or kBlockRows
};

/// sums[i * pitch + k] = sum over taps t that serve row i of weights[t][i] * sources[t][x + k], for k < count: in the
/// order of the taps for any x and count, in float, by fused multiply-adds where the instruction set has them. Reads
/// and writes up to kRowSlack floats past the ends. Unless null, `seen` records all sums that are written.
void sum_rows(const BlockTaps& taps, std::int64_t x, std::int64_t count, float* sums, std::int64_t pitch,
              SeenSums* seen = nullptr);

/// phases[p * length + k] = line[k * stride + p], for all k * stride + p < count.
void split_phases(const float* line, std::int64_t stride, std::int64_t count, float* phases, std::int64_t length);

/// Converts `count` pixels, `step` elements apart, to float. `T` is u8, u16 or f32.
template <class T>
void to_floats(const T* pixels, std::int64_t step, std::int64_t count, float* floats);

/// Whether SIMD can separate and interleave pixels of this many channels.
constexpr bool has_planes(std::int64_t channels) { return 2 <= channels && channels <= 4; }

/// to_floats() for all channels of `count` interleaved pixels at once: planes[c][x] = pixels[x * channels + c], where
/// has_planes(channels).
template <class T>
void to_planes(const T* pixels, std::int64_t channels, std::int64_t count, float* const* planes);

/// The inverse, without conversion: pixels[x * channels + c] = planes[c][x], where has_planes(channels).
template <class T>
void interleave(const T* const* planes, std::int64_t channels, std::int64_t count, T* pixels);

/// Floats in one vector of the instruction set in use. Costs depend on it.
std::int64_t float_lanes();

}  // namespace convtool
