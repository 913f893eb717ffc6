#include "cli/batch/video_planes.h"

#include <algorithm>
#include <cmath>

namespace convtool {
namespace {

bool is_linear(const Bank& bank) {
  const bool combines = bank.combine != Combine::none && bank.combine != Combine::sum && bank.combine != Combine::mean;
  return !combines && std::all_of(bank.layers.begin(), bank.layers.end(), [](const Layer& layer) {
    return layer.activation == Activation::none && !layer.is_max_pool();
  });
}

/// Calls `change` with each value of a plane, which it may change.
template <class T, class Change>
void for_each(const TensorView<T>& plane, const Change& change) {
  for (std::int64_t y = 0; y < plane.shape.h; ++y)
    for (std::int64_t x = 0; x < plane.shape.w; ++x) change(plane.at(0, 0, y, x), y, x);
}

}  // namespace

bool is_linear(const Job& job, const FilterSpec& spec) {
  const OutputMap map = job.mapping.map;
  return !spec.edges && !job.mapping.threshold && (map == OutputMap::clip || map == OutputMap::offset) &&
         std::all_of(spec.network.banks.begin(), spec.network.banks.end(),
                     [](const Bank& bank) { return is_linear(bank); });
}

std::unique_ptr<Plan> plan_chroma(const Shape& shape, const FileFormat& format, const FilterSpec& spec) {
  FilterSpec differences = spec;
  for (Bank& bank : differences.network.banks)
    for (Layer& layer : bank.layers) {
      layer.bias.clear();
      layer.params.padding_value = 0;
    }
  differences.plan.algorithm = "auto";  // the one for the luma may be for integers only
  return make_plan({.format = format, .shape = shape, .dtype = DType::f32, .filtered = shape}, format, differences);
}

void filter_chroma(const Plan& plan, OutputMap map, std::int64_t largest, const ConstTensorRef& input,
                   const TensorRef& output) {
  const auto neutral = static_cast<float>((largest + 1) / 2);
  Tensor differences(DType::f32, input.shape), responses(DType::f32, plan.output_shape());
  const TensorView<float> from = differences.ref().view<float>();
  visit_dtype(input.dtype, [&]<class T>(T) {
    const TensorView<const T> samples = input.view<T>();
    for_each(from, [&](float& value, std::int64_t y, std::int64_t x) {
      value = static_cast<float>(samples.at(0, 0, y, x)) - neutral;
    });
  });
  plan.run({.input = std::as_const(differences).ref(),
            .picture = {},
            .output = responses.ref(),
            .mapping = OutputMap::clip,
            .observer = {}});
  const TensorView<float> to = responses.ref().view<float>();
  const float scale = map == OutputMap::offset ? 0.5f : 1.0f, most = static_cast<float>(largest);
  visit_dtype(output.dtype, [&]<class T>(T) {
    for_each(output.view<T>(), [&](T& sample, std::int64_t y, std::int64_t x) {
      const float value = std::nearbyint(scale * to.at(0, 0, y, x)) + neutral;
      sample = static_cast<T>(std::fmin(std::fmax(value, 0.0f), most));
    });
  });
}

void fit_depth(const Job& job, std::int64_t largest, const TensorRef& values, ResponseStats& stats) {
  if (!is_integer(values.dtype) || static_cast<double>(largest) == full_range(values.dtype)) return;
  const auto full = static_cast<std::int64_t>(full_range(values.dtype));
  const EdgeRecipe* const recipe = job.plan->recipe();
  const bool is_scaled =
      (recipe != nullptr && !recipe->is_mapped()) || job.mapping.map == OutputMap::normalize || job.mapping.threshold;
  // OutputMap::offset has added half of the range of the type.
  const std::int64_t shift = job.mapping.map == OutputMap::offset ? (full + 1) / 2 - (largest + 1) / 2 : 0;
  std::int64_t low = 0, high = 0;
  visit_dtype(values.dtype, [&]<class T>(T) {
    for_each(values.view<T>(), [&](T& value, std::int64_t, std::int64_t) {
      const auto old = static_cast<std::int64_t>(value);
      if (!is_scaled) {
        low += old < shift ? 1 : 0;
        high += old - shift > largest ? 1 : 0;
      }
      value = static_cast<T>(is_scaled ? (old * largest + full / 2) / full
                                       : std::clamp<std::int64_t>(old - shift, 0, largest));
    });
  });
  if (is_scaled) return;
  if (shift > 0) stats.clipped_low = low;
  stats.clipped_high = high;
}

}  // namespace convtool
