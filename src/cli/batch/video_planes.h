// How the planes of a video differ from pictures: the depth of their samples, and chroma, which has a neutral value.
#pragma once

#include <cstdint>
#include <memory>

#include "cli/job/job.h"

namespace convtool {

/// Whether the result of `job`, which filters the luma of a video, is linear in its input but for a constant. Filtering
/// the differences of chroma from its neutral value then means something: blurring, sharpening, shifting.
bool is_linear(const Job& job, const FilterSpec& spec);

/// Plans `spec` for the differences of chroma of `shape` from its neutral value: without bias, and padded with neutral
/// where the padding is constant. Throws Error(shape) as make_plan() does.
std::unique_ptr<Plan> plan_chroma(const Shape& shape, const FileFormat& format, const FilterSpec& spec);

/// Filters chroma, integers of 0 to `largest`, around its neutral value, (largest + 1) / 2, with the plan of
/// plan_chroma(): differences are filtered, halved with OutputMap::offset as those of the luma are, rounded and
/// clipped. `input` and `output` have the type of the video.
void filter_chroma(const Plan& plan, OutputMap map, std::int64_t largest, const ConstTensorRef& input,
                   const TensorRef& output);

/// Makes the values that `job` gave for samples of 0 to `largest`, which have the range of their type, values of 0 to
/// `largest`. Counts those that are clipped to it in `stats`.
void fit_depth(const Job& job, std::int64_t largest, const TensorRef& values, ResponseStats& stats);

}  // namespace convtool
