// What happens to a finished sum before it is stored: plain data, in a fixed order, the same for every algorithm.
//
//   sum -> / divisor -> + bias -> activation -> combine -> (this is the response) -> value map -> store as u8, u16 or
//   f32
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
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

/// From a response to a value in the units of the output, where r may first become |r|: (r - shift) * scale + offset,
/// or with a threshold r > threshold ? scale : 0.
struct ValueMap {
  bool absolute = false;
  double shift = 0, scale = 1, offset = 0;
  std::optional<double> threshold;
};

/// What a run saw. Counts are per output element; merging is order-free but for the total's last bits, so threads do
/// not change the result.
struct ResponseStats {
  double min = std::numeric_limits<double>::infinity();  ///< over responses that are not NaN; min > max when none was
  double max = -std::numeric_limits<double>::infinity();
  std::int64_t nan_count = 0;     ///< responses that are NaN; stored as 0 in integer types
  std::int64_t clipped_low = 0;   ///< values less than the output type holds, once rounded
  std::int64_t clipped_high = 0;  ///< and more
  double total = 0;               ///< the sum of so many responses that are not NaN; see PlanOptions::totals
  std::int64_t total_count = 0;

  /// The mean response, if there is one: rounded to 2^-40 of the largest, so that the order of summation, whose errors
  /// are far below for any number of pixels that fits in memory, does not show.
  std::optional<double> mean() const {
    if (total_count == 0) return std::nullopt;
    const double exact = total / static_cast<double>(total_count);
    const double largest = std::max(std::fabs(min), std::fabs(max));
    if (!std::isfinite(largest) || largest == 0) return exact;
    const double unit = std::ldexp(1.0, std::ilogb(largest) - 40);
    return std::nearbyint(exact / unit) * unit + 0.0;
  }

  void merge(const ResponseStats& other) {
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    nan_count += other.nan_count;
    clipped_low += other.clipped_low;
    clipped_high += other.clipped_high;
    total += other.total;
    total_count += other.total_count;
  }
};

struct FinishJob;  // conv/engine/finish.h

/// `count` neighbouring outputs of row `y` of batch item `n`, from column `x` on.
struct Stretch {
  std::int64_t n = 0, y = 0, x = 0, count = 0;
};

/// Where finished sums go. Algorithms hand in raw sums; everything after that is here. Does not own the output.
/// Integer types round to nearest, ties to even, and saturate.
class Sink {
 public:
  /// `output.data` null means: gather statistics, store nothing. `kernel` gives the divisor and bias of each sum
  /// channel. `whole_sums`: every sum that will come is a whole number. `totals`: responses are also added up.
  Sink(const Epilogue& epilogue, const ValueMap& map, const Kernel& kernel, const TensorRef& output,
       bool whole_sums = false, bool totals = false);

  /// Finishes a stretch of output channel `c`. `sums` holds combine_count() rows of `stretch.count` sums, `pitch`
  /// apart: those of sum channels c*combine_count() and on. `Sum` is float, double or std::int32_t.
  template <class Sum>
  void finish(const Stretch& stretch, std::int64_t c, const Sum* sums, std::int64_t pitch, ResponseStats& stats) const;

  /// Whether the output's pixels are of some neighbouring channels that SIMD puts together: 2 to 4.
  bool interleaves() const;
  /// finish() for all channels of such an output; their sums are `channel_pitch` apart, and may be changed.
  void finish_channels(const Stretch& stretch, float* sums, std::int64_t channel_pitch, std::int64_t pitch,
                       ResponseStats& stats) const;

  /// Finishes a stretch of several channels at once: sums[i * pitch + k] is that of sum channel `first` + k at pixel i,
  /// for k < `channels`. Both are multiples of combine_count().
  void finish_pixels(const Stretch& stretch, std::int64_t first, std::int64_t channels, const float* sums,
                     std::int64_t pitch, ResponseStats& stats) const;

  /// The output element of channel `c` where a stretch begins, when the output is floats and nothing changes about any
  /// sum: these may be put there, strides() apart, and finish() and finish_pixels() find them in place. Else null.
  float* place_of(const Stretch& stretch, std::int64_t c) const;
  const Strides& strides() const { return output_.strides; }

  /// The same sink for sums that are counted in units of `unit`, a power of two.
  Sink in_units(double unit) const;

  /// The same sink for an output whose pixels are interleaved like those of `input`, as one channel and one wide row of
  /// channels * w columns: a pixel's channels are neighbours. Empty where the output is laid out otherwise, or where
  /// its channels differ in divisor or bias. See conv/engine/flat.h.
  std::optional<Sink> flattened(const ConstTensorRef& input) const;

  std::int64_t combine_count() const { return epilogue_.combine_count; }
  std::int64_t output_channels() const { return output_.shape.c; }

 private:
  /// What all stretches of output channel `c` have in common.
  FinishJob job_of(std::int64_t c) const;
  void find_plain();
  void finish_job(const FinishJob& job, std::int64_t c, ResponseStats& stats) const;

  Epilogue epilogue_;
  ValueMap map_;
  std::vector<float> biases_;     ///< of each sum channel
  std::vector<double> divisors_;  ///< the same
  TensorRef output_;
  bool whole_sums_, totals_;
  std::vector<bool> plain_;  ///< output channels that finish_in_float() may try
  bool all_plain_ = false;
  bool takes_sums_ = false;  ///< the output is floats that are the sums themselves
};

}  // namespace convtool
