// The last step of a convolution: an epilogue applied to sums, which are stored in an output.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "core/tensor.h"

namespace convtool {

struct FinishJob;  // conv/engine/finish_job.h

/// `count` neighbouring outputs of row `y` of batch item `n`, from column `x` on.
struct RowSpan {
  std::int64_t n = 0, y = 0, x = 0, count = 0;
};

/// Bytes of Sink::pixel_rows() for each sum that is combined.
inline constexpr std::int64_t kPixelRowBytes = 1024;

/// Receives raw sums from an algorithm, applies the epilogue and stores the results. Does not own the output. Integer
/// types round to nearest, ties to even, and saturate.
class Sink {
 public:
  /// With a null `output.data`, gathers statistics and stores nothing. `kernel` gives the divisor and bias of each sum
  /// channel. `whole_sums`: every sum is a whole number. `totals`: also add up the responses.
  Sink(const Epilogue& epilogue, const ValueMap& map, const Kernel& kernel, const TensorRef& output,
       bool whole_sums = false, bool totals = false);

  /// Finishes a span of output channel `c`. `sums` has combine_count() rows of `span.count` sums, `pitch` apart, from
  /// sum channel c*combine_count() on. `Sum` is float, double or std::int32_t.
  template <class Sum>
  void finish(const RowSpan& span, std::int64_t c, const Sum* sums, std::int64_t pitch, ResponseStats& stats) const;

  /// Whether the output has 2 to 4 interleaved channels, which SIMD can interleave.
  bool interleaves() const;
  /// finish() for all channels of such an output. Their sums are `channel_pitch` apart, and may be overwritten.
  void finish_channels(const RowSpan& span, float* sums, std::int64_t channel_pitch, std::int64_t pitch,
                       ResponseStats& stats) const;

  /// Finishes a span of several channels at once: sums[i * pitch + k] belongs to pixel i and sum channel `first` + k,
  /// for k < `channels`. `first` and `channels` are multiples of combine_count(). `rows` is memory from pixel_rows(),
  /// which holds nothing between calls.
  void finish_pixels(const RowSpan& span, std::int64_t first, std::int64_t channels, const float* sums,
                     std::int64_t pitch, float* rows, ResponseStats& stats) const;

  /// Memory for finish_pixels(), for one thread. Throws std::bad_alloc.
  std::unique_ptr<float[]> pixel_rows() const;

  /// The output element of channel `c` where a span begins, if the output stores sums unchanged as floats; else null.
  /// The caller may write sums there, strides() apart; finish() and finish_pixels() then leave them in place.
  float* place_of(const RowSpan& span, std::int64_t c) const;
  const Strides& strides() const { return output_.strides; }

  /// The same sink for sums in units of `unit`, a power of two.
  Sink in_units(double unit) const;

  /// The same sink for the flat view of the output (conv/engine/flat.h): one channel of channels * w columns. Empty
  /// unless the output is interleaved like `input` and all its channels have the same divisors and biases.
  std::optional<Sink> flattened(const ConstTensorRef& input) const;

  std::int64_t combine_count() const { return epilogue_.combine_count; }
  std::int64_t output_channels() const { return output_.shape.c; }

 private:
  /// The part of a job that all spans of output channel `c` share.
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
  bool takes_sums_ = false;  ///< the output stores sums unchanged, as floats
};

}  // namespace convtool
