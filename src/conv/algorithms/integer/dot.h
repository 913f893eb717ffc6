// Exact sums of products of bytes and whole weights, in 32-bit integers: the row functions of integer.cpp. Internal to
// conv/; the loops are in dot_block-inl.h.
//
// Neighbouring taps of a kernel row are processed in groups of the size that one instruction multiplies and adds within
// each 32-bit lane: two 16-bit products (pmaddwd, on every processor) or four products of bytes (vpdpbusd, AVX-512
// VNNI). So a lane of pixels contains the pixels that the group's taps see for one output, and the same lane of weights
// serves all outputs:
//
//   bytes of a row     a b c d e f g h ...
//   spread, step 1     abcd bcde cdef defg ...        step 3, interleaved r g b:  pixel x, x + 3, x + 6, x + 9
//   sums               += spread * (w0 w1 w2 w3), summed within each lane
#pragma once

#include <cstdint>
#include <vector>

namespace convtool {

/// Output rows that one call of dot_rows() computes.
inline constexpr std::int64_t kDotRows = 8;

/// dot_rows() computes a multiple of this many columns.
inline constexpr std::int64_t kDotColumns = 32;

/// The largest distance of neighbouring taps, in bytes.
inline constexpr std::int64_t kMostDotStep = 4;

/// The number of neighbouring taps in a group on the instruction set in use, for these `count` weights.
std::int64_t dot_taps(const std::int32_t* weights, std::int64_t count);

/// The weights of one output channel, packed for dot_rows() on the instruction set in use.
struct DotKernel {
  enum class Lanes { pairs, vnni_pairs, vnni_quads };

  /// Packs weights[c][u][v] for c < inputs, u < kh, v < kw, each in [-32768, 32767].
  DotKernel(const std::int32_t* weights, std::int64_t inputs, std::int64_t kh, std::int64_t kw);

  /// The number of bytes that dot_rows() may read, from the start of an input row.
  std::int64_t reach(std::int64_t width, std::int64_t step) const;

  Lanes lanes;
  std::int64_t inputs, kh;
  std::int64_t groups;  ///< in a kernel row; the last one is padded with zeros
  std::vector<std::int32_t> weights =
      {};  ///< [inputs][groups][kh], each two int16 or four int8, the first tap in the lowest bits
};

/// For r < kDotRows and x < width, rounded up to a multiple of kDotColumns:
/// sums[r * pitch + x] = sum over c, u, v of weights[c][u][v] * rows[c * (kh + kDotRows - 1) + r + u][x + v * step].
/// Exact while 255 * sum|w| < 2^31. `step` is 1 to kMostDotStep.
void dot_rows(const DotKernel& kernel, std::int64_t step, const std::uint8_t* const* rows, std::int64_t width,
              std::int32_t* sums, std::int64_t pitch);

/// The arguments of the loops for one instruction set.
struct DotTask {
  const std::int32_t* weights;
  std::int64_t inputs, kh, groups, step;
  const std::uint8_t* const* rows;
  std::int64_t width;
  std::int32_t* sums;
  std::int64_t pitch;
};

/// Only where cpu_has_vnni() (instruction_set.h).
void dot_quads_vnni(const DotTask& task);
void dot_pairs_vnni(const DotTask& task);

}  // namespace convtool
