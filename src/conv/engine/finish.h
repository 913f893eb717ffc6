// Row functions of the epilogue, compiled for every instruction set of this architecture and chosen at run time.
// Internal to conv/: Sink (epilogue.h) says which stretch goes where, these do it. The texts are finish.cpp's.
#pragma once

#include <cstdint>

#include "conv/epilogue.h"
#include "core/tensor.h"

namespace convtool {

enum class SumType { f32, f64, i32 };

template <class Sum>
constexpr SumType sum_type_of() {
  return std::is_same_v<Sum, float> ? SumType::f32 : std::is_same_v<Sum, double> ? SumType::f64 : SumType::i32;
}

/// One stretch of one output channel: `joined` rows of `count` sums, `pitch` apart, become `count` neighbouring values.
struct FinishJob {
  SumType sum_type = SumType::f32;
  const void* sums = nullptr;
  std::int64_t pitch = 0, count = 0;

  const double* divisors = nullptr;  ///< [joined]
  const float* biases = nullptr;     ///< [joined]
  Epilogue epilogue;
  ValueMap map;

  DType dtype = DType::u8;
  void* out = nullptr;  ///< contiguous; null: for the statistics alone
};

/// The epilogue as it is defined, in double: every job. All of the statistics but the total.
void finish_in_double(const FinishJob& job, ResponseStats& stats);

/// Adds the responses that are not NaN to the total, in double.
void add_up(const FinishJob& job, ResponseStats& stats);

/// The same values and statistics in float, for a job with an output, no activation, a map of at most an absolute
/// value, sums in f32 or i32, and
///   - one row of sums, a divisor that is a float, and a bias of 0 unless the output is f32 and the divisor 1; or
///   - a magnitude, divisors of 1, biases of 0, and sums that are whole numbers.
/// Sums that are the output, which then is what they shall be, are left as they are.
/// Returns false, having perhaps stored some values but counted nothing, where the sums turn out not to allow it: one
/// is NaN, a whole number is too large for a float; one, or the total, of sums that are the output is not finite. Then
/// finish_in_double() puts it right.
bool finish_in_float(const FinishJob& job, ResponseStats& stats);

/// A block of pixels with their channels side by side: sums[i * pitch + k] becomes out[i * out_pitch + k], for
/// i < `pixels` and k < `channels`, by the divisor and bias of each channel and perhaps an absolute value.
struct PixelJob {
  const float* sums = nullptr;
  std::int64_t pitch = 0, pixels = 0, channels = 0;
  const double* divisors = nullptr;  ///< [channels]; each is 1 or its bias is 0
  const float* biases = nullptr;     ///< [channels]
  bool absolute = false;
  float* out = nullptr;
  std::int64_t out_pitch = 0;
};

/// What finish_in_float() makes of each channel, sums that are the output included. Returns false where a
/// sum is NaN or a value too large for a float, or the total of sums that are the output is, having perhaps stored some
/// values but counted nothing.
bool finish_pixels_in_float(const PixelJob& job, ResponseStats& stats);

/// rows[k * row_pitch + i] = pixels[i * pitch + k], for i < count and k < channels.
void pixels_to_rows(const float* pixels, std::int64_t pitch, std::int64_t count, std::int64_t channels, float* rows,
                    std::int64_t row_pitch);

}  // namespace convtool
