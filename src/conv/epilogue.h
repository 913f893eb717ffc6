// What happens to a finished sum before it is stored: plain data, in a fixed order, the same for every algorithm.
//
//   sum -> / divisor -> + bias -> activation -> combine -> (this is the response) -> value map -> store as u8, u16 or
//   f32
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "conv/kernel.h"
#include "core/tensor.h"

namespace convtool {

enum class Activation { none, relu, abs };
inline constexpr std::string_view kActivations[] = {"none", "relu", "abs"};

/// How the channels that several kernels make of one are joined. `magnitude`: the root of the sum of squares.
enum class Combine { none, magnitude, l1, max, min, sum, mean };
inline constexpr std::string_view kCombines[] = {"none", "magnitude", "l1", "max", "min", "sum", "mean"};

/// Every `combine_count` consecutive sums become one output channel; 1 when nothing is combined.
struct Epilogue {
  Activation activation = Activation::none;
  Combine combine = Combine::none;
  std::int64_t combine_count = 1;
};

/// From a response to a value in the units of the output: ((absolute ? |r| : r) - shift) * scale + offset.
struct ValueMap {
  bool absolute = false;
  double shift = 0, scale = 1, offset = 0;
};

/// What a run saw. Counts are per output element; merging is order-free, so threads do not change the result.
struct ResponseStats {
  double min = std::numeric_limits<double>::infinity();  ///< over responses that are not NaN; min > max when none was
  double max = -std::numeric_limits<double>::infinity();
  std::int64_t nan_count = 0;     ///< responses that are NaN; stored as 0 in integer types
  std::int64_t clipped_low = 0;   ///< values less than the output type holds, once rounded
  std::int64_t clipped_high = 0;  ///< and more

  void merge(const ResponseStats& other) {
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    nan_count += other.nan_count;
    clipped_low += other.clipped_low;
    clipped_high += other.clipped_high;
  }
};

/// `count` neighbouring outputs of row `y` of batch item `n`, from column `x` on.
struct Stretch {
  std::int64_t n = 0, y = 0, x = 0, count = 0;
};

/// Where finished sums go. Algorithms hand in raw sums; everything after that is here. Does not own what it refers to.
/// Integer types round to nearest, ties to even, and saturate.
class Sink {
 public:
  /// `output.data` null means: gather statistics, store nothing. `kernel` gives the divisor and bias of each sum
  /// channel.
  Sink(const Epilogue& epilogue, const ValueMap& map, const Kernel& kernel, const TensorRef& output)
      : epilogue_(epilogue), map_(map), kernel_(kernel), output_(output) {}

  /// Finishes a stretch of output channel `c`. `sums` holds combine_count() rows of `stretch.count` sums, `pitch`
  /// apart: those of sum channels c*combine_count() and on. `Sum` is float, double or std::int32_t; past each row of
  /// floats kRowSlack more may be read (conv/simd.h), whatever they hold.
  template <class Sum>
  void finish(const Stretch& stretch, std::int64_t c, const Sum* sums, std::int64_t pitch, ResponseStats& stats) const;

  /// Finishes a stretch of several channels at once: sums[i * pitch + k] is that of sum channel `first` + k at pixel i,
  /// for k < `channels`. Both are multiples of combine_count().
  void finish_pixels(const Stretch& stretch, std::int64_t first, std::int64_t channels, const float* sums,
                     std::int64_t pitch, ResponseStats& stats) const;

  std::int64_t combine_count() const { return epilogue_.combine_count; }
  std::int64_t output_channels() const { return output_.shape.c; }

 private:
  /// finish by SIMD, where the epilogue is plain enough; false, with nothing done, where it is not.
  bool finish_plainly(const Stretch& stretch, std::int64_t c, const float* sums, ResponseStats& stats) const;

  /// The responses at `count` positions from `sums` on; rows of sums are `pitch` apart.
  template <class Sum>
  void respond(std::int64_t c, const Sum* sums, std::int64_t pitch, std::int64_t count, double* responses) const;

  const Epilogue& epilogue_;
  const ValueMap& map_;
  const Kernel& kernel_;
  const TensorRef output_;
};

}  // namespace convtool
