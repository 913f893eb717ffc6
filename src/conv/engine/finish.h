// Row functions of the epilogue, compiled for every instruction set of this architecture and picked at run time. Sink
// (sink.h) decides which span goes where and calls these. Internal to conv/.
#pragma once

#include <cstdint>

#include "conv/engine/finish_job.h"

namespace convtool {

/// Computes the epilogue by its definition, in double, for any job. Updates all statistics except the total.
void finish_in_double(const FinishJob& job, ResponseStats& stats);

/// Adds the responses that are not NaN to the total, in double.
void add_up(const FinishJob& job, ResponseStats& stats);

/// Computes the same values and statistics in float. The job has an output, sums in f32 or i32, a map that at most
/// takes the absolute value, no activation but, for an output in f32 without combination, relu or clip, and either
///   - one row of sums, a divisor that is a float, and a bias of 0 unless the output is f32 and the divisor 1; or
///   - a magnitude, divisors of 1, biases of 0, and sums that are whole numbers.
/// Sums that alias the output need no conversion and are left in place. Returns false if a sum is NaN, if a whole
/// number is too large for a float, or, for sums that alias the output, if one of them or their total is not finite.
/// Some values may then be stored, but none are counted, and the caller runs finish_in_double().
bool finish_in_float(const FinishJob& job, ResponseStats& stats);

/// finish_in_float() for each channel, including sums that alias the output. Returns false if a sum is NaN or a value
/// is too large for a float, or if the total of sums that alias the output is not finite. Some values may then be
/// stored, but none are counted.
bool finish_pixels_in_float(const PixelJob& job, ResponseStats& stats);

/// rows[k * row_pitch + i] = pixels[i * pitch + k], for i < count and k < channels.
void pixels_to_rows(const float* pixels, std::int64_t pitch, std::int64_t count, std::int64_t channels, float* rows,
                    std::int64_t row_pitch);

}  // namespace convtool
