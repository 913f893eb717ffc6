// How `fft` cuts a problem into tiles: their size, cost and error bound. Internal to conv/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "conv/kernel.h"
#include "conv/problem.h"

namespace convtool {

struct FftTiling {
  Extent tile;             ///< of the transform, and of the input that a tile sees: powers of two, 32 or more
  Extent step;             ///< outputs of a tile: the distance from one tile to the next
  Extent count;            ///< tiles down and across
  bool in_double = false;  ///< else tiles are transformed in float
  /// Set where sums are multiples of 2^-whole_bits. Tiles are then transformed in double, with weights multiplied by
  /// 2^whole_bits; the sums, which are then whole numbers, are rounded and so are exact.
  std::optional<int> whole_bits;
  double nanoseconds = 0;  ///< estimated, on one thread
  double error_units = 0;  ///< Offer::error_units; the error of a transform, and that of rounding a sum to float
};

/// The most memory that a thread uses for tiles, in bytes, unless the channels that one output pixel combines need
/// more.
inline constexpr double kMostFftTiles = 8 << 20;

/// The cheapest tiling that fits memory and keeps the error bound. Nothing if there is none; then `reason`, if given,
/// is set to a sentence for the user.
std::optional<FftTiling> choose_fft_tiling(const ConvProblem& problem, const Kernel& kernel,
                                           std::string* reason = nullptr);

/// Whether a picture whose largest absolute value is `largest` is safe from overflow, and from underflow that the error
/// bound does not count. False for NaN.
bool is_fft_magnitude(double largest);

}  // namespace convtool
