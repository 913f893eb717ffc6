#include "edges/edge_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "core/percentile.h"
#include "edges/gradient.h"
#include "edges/noise.h"
#include "edges/orientation.h"
#include "edges/overlay.h"
#include "edges/thin.h"
#include "edges/zero_crossings.h"

namespace convtool {
namespace {

[[noreturn]] void refuse_infinite(const std::string& what, const std::string& remedy) {
  refuse_shape("", what + " for edges of infinite strength; " + remedy);
}

/// Whether later stages need the direction of the gradient.
bool needs_direction(const EdgeRecipe& recipe, const Shape& input) {
  const bool asked = recipe.kind == EdgeKind::orientation || recipe.kind == EdgeKind::components;
  const bool thins = recipe.thin && !recipe.is_laplacian();
  return asked || thins || (recipe.color == ColorRule::di_zenzo && input.c > 1);
}

/// Whether the output is the response of each kernel as it is.
bool wants_responses(const EdgeRecipe& recipe, const Shape& input) {
  const bool turned = recipe.has_gradient() && !turn_of(recipe.kernels).is_none();
  return recipe.kind == EdgeKind::components && !recipe.is_decided() && input.c == 1 && !turned;
}

const EdgeRecipe& checked(const EdgeRecipe& recipe, const Shape& input) {
  const std::string& name = recipe.kernels.name;
  if (recipe.color == ColorRule::luma && input.c > 1)
    refuse_shape("", "edges of " + std::to_string(input.c) +
                         " channels have to be combined; choose --color max, sum or di-zenzo");
  if (needs_direction(recipe, input) && !recipe.has_gradient() && !wants_responses(recipe, input))
    refuse_shape("", "the operator " + name +
                         " has no direction, which thin edges, orientations, components of several colours and "
                         "di-zenzo need; choose "
                         "another, such as sobel");
  if (recipe.color == ColorRule::di_zenzo && input.c > 1 && recipe.kernels.combine == Combine::l1)
    refuse_shape("", "--color di-zenzo has no l1 norm; leave out --norm, or choose --color max or sum");
  return recipe;
}

bool is_exact(const NetworkPlan& kernels) {
  const std::vector<ConvPlan>& plans = kernels.banks().front().plans();
  return std::all_of(plans.begin(), plans.end(), [](const ConvPlan& plan) { return plan.error_bound(1.0) == 0; });
}

bool runs_at_once(const EdgeRecipe& recipe, const Shape& input, const NetworkPlan& kernels) {
  const bool plain = recipe.kind == EdgeKind::magnitude && !recipe.thin && !recipe.hysteresis && input.c == 1;
  return (plain || wants_responses(recipe, input)) && is_exact(kernels);
}

/// The bank that the engine runs: it computes strengths where the direction is not needed, else the response of each
/// kernel.
Network network_of(const EdgeRecipe& recipe, const Shape& input) {
  Bank bank = recipe.kernels;
  const bool crossings = recipe.is_laplacian() && recipe.thin;
  if (needs_direction(recipe, input))
    bank.combine = Combine::none;
  else if (recipe.is_laplacian() && !crossings)
    bank.layers.front().activation = Activation::abs;
  return {.name = bank.name, .description = bank.description, .banks = {std::move(bank)}};
}

PlanOptions options_of_kernels(PlanOptions options, const Shape& input) {
  options.direct_error = true;  // for clear_noise()
  options.input_channels_last &= input.c > 1;
  options.output_channels_last &= input.c > 1;
  return options;
}

Shape shape_of_output(const EdgeRecipe& recipe, const Shape& input, const NetworkPlan& kernels) {
  Shape shape = kernels.output_shape();
  require(shape.h == input.h && shape.w == input.w, "edges of another size than the picture");
  shape.c = recipe.channels();
  return shape;
}

/// Sets every pixel of `cleared` to `value` where `values` is not an edge.
void clear_unless_edge(const ConstTensorRef& values, const TensorRef& cleared, float value, int threads,
                       const auto& is_edge) {
  const auto out = cleared.view<float>();
  visit_dtype(values.dtype, [&]<class T>(T) {
    const auto marks = values.view<T>();
    for_each_row(out.shape, threads, [=](std::int64_t n, std::int64_t y) {
      for (std::int64_t c = 0; c < out.shape.c; ++c)
        for (std::int64_t x = 0; x < out.shape.w; ++x)
          if (!is_edge(marks.at(n, 0, y, x))) out.at(n, c, y, x) = value;
    });
  });
}

Shape one_channel(Shape shape) {
  shape.c = 1;
  return shape;
}

bool is_kept(float strength) { return strength > 0; }

std::int64_t count_edges(const TensorView<const std::uint8_t>& edges) {
  std::int64_t count = 0;
  for (std::int64_t n = 0; n < edges.shape.n; ++n)
    for (std::int64_t y = 0; y < edges.shape.h; ++y)
      count += edges.shape.w - std::count(edges.row(n, 0, y), edges.row(n, 0, y) + edges.shape.w, 0);
  return count;
}

/// Stores the full range (1 in f32) for edges, and 0 for other pixels.
void store_decisions(const TensorView<const std::uint8_t>& edges, const TensorRef& output, int threads) {
  visit_dtype(output.dtype, [&]<class T>(T) {
    const auto out = output.view<T>();
    const auto full = static_cast<T>(full_value(output.dtype));
    for_each_row(output.shape, threads, [=](std::int64_t n, std::int64_t y) {
      const std::uint8_t* const marks = edges.row(n, 0, y);
      T* const row = out.row(n, 0, y);
      const std::int64_t width = out.shape.w, step = out.strides.w;
      for (std::int64_t x = 0; x < width; ++x) row[x * step] = marks[x] != 0 ? full : T{0};
    });
  });
}

/// The strengths at two percentiles.
BrightnessRange brightness_range(const Tensor& strength, const std::array<double, 2>& percentiles) {
  const float* const first = strength.data<float>();
  std::vector<float> values(first, first + strength.shape().count());
  const ResponseStats range = percentile_range(values, percentiles);
  return range.min <= range.max ? BrightnessRange{.min = range.min, .max = range.max} : BrightnessRange{};
}

}  // namespace

struct EdgePlan::Field {
  Tensor responses;    ///< of the kernels; owns the gradient
  Tensor strength;     ///< one channel
  TensorRef gradient;  ///< two channels; empty where no direction is needed
};

EdgePlan::EdgePlan(const EdgeRecipe& recipe, DType input_dtype, const Shape& input, const PlanOptions& options)
    : recipe_(checked(recipe, input)),
      input_dtype_(input_dtype),
      options_(options),
      kernels_(network_of(recipe, input), input_dtype, input, false, options_of_kernels(options, input)),
      in_one_run_(runs_at_once(recipe, input, kernels_)),
      output_(shape_of_output(recipe, input, kernels_)) {}

Tensor EdgePlan::find_responses(const ConstTensorRef& input) const {
  Tensor responses(DType::f32, kernels_.output_shape());
  kernels_.run(input, responses.ref(), OutputMap::clip);
  std::int64_t channel = 0;
  for (const ConvPlan& plan : kernels_.banks().front().plans()) {
    const std::int64_t count = plan.output_shape().c;
    clear_noise(plan, input, responses.ref().channels(channel, count), options_.threads);
    channel += count;
  }
  return responses;
}

EdgePlan::Field EdgePlan::find_field(const ConstTensorRef& input) const {
  const int threads = options_.threads;
  Tensor responses = find_responses(input);
  if (needs_direction(recipe_, input.shape)) return find_directed_field(std::move(responses), input.shape);

  Field field;
  if (recipe_.is_laplacian() && recipe_.thin) {
    Tensor crossings(DType::f32, responses.shape());
    zero_crossings(std::as_const(responses).ref(), crossings.ref(), threads);
    responses = std::move(crossings);
  }
  if (input.shape.c == 1) {
    field.strength = std::move(responses);
  } else {
    field.strength = Tensor(DType::f32, one_channel(input.shape));
    join_strengths(recipe_.color, std::as_const(responses).ref(), field.strength.ref(), threads);
  }
  return field;
}

EdgePlan::Field EdgePlan::find_directed_field(Tensor responses, const Shape& input) const {
  const int threads = options_.threads;
  const bool l1 = recipe_.kernels.combine == Combine::l1;
  Field field{.responses = std::move(responses), .strength = Tensor(DType::f32, one_channel(input)), .gradient = {}};
  field.gradient = field.responses.ref();
  field.gradient.strides.c *= input.c;
  field.gradient.shape.c = 2;
  if (input.c == 1)
    measure_lengths(field.gradient, l1, field.strength.ref(), threads);
  else
    join_colours(recipe_.color, l1, field.responses.ref(), field.gradient, field.strength.ref(), threads);
  const Turn turn = turn_of(recipe_.kernels);
  if (!turn.is_none()) turn_vectors(turn, field.gradient, threads);
  return field;
}

Thresholds EdgePlan::find_thresholds(const ConstTensorRef& strength) const {
  const ThresholdRule& rule = *recipe_.hysteresis;
  if (rule.source == ThresholdRule::Source::response) return {rule.low, rule.high};
  if (rule.source == ThresholdRule::Source::otsu) return otsu_thresholds(strength);
  const auto view = strength.view<float>();
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(strength.shape.count()));
  for (std::int64_t n = 0; n < view.shape.n; ++n)
    for (std::int64_t y = 0; y < view.shape.h; ++y)
      std::copy_if(view.row(n, 0, y), view.row(n, 0, y) + view.shape.w, std::back_inserter(values),
                   [&](float value) { return recipe_.is_laplacian() ? value > 0 : !std::isnan(value); });
  if (values.empty()) return {};
  const Thresholds found{static_cast<double>(percentile(values, rule.low)),
                         static_cast<double>(percentile(values, rule.high))};
  if (std::isinf(found.high))
    refuse_infinite("no thresholds can be found", "give thresholds as numbers, or write floats");
  return found;
}

EdgeResult EdgePlan::run(const ConstTensorRef& input, const ConstTensorRef& picture, const TensorRef& output,
                         const Mapping& mapping, const LayerObserver& observer) const {
  if (in_one_run_)
    return {.stats = kernels_.run(input, output, mapping, observer), .thresholds = {}, .edge_pixels = {}};
  const int threads = options_.threads;
  if (wants_responses(recipe_, input.shape)) {
    const Tensor responses = find_responses(input);
    if (observer) observer(0, responses.ref());
    return {.stats = run_mapped(identity_plan(DType::f32, responses.shape(), options_), responses.ref(), input_dtype_,
                                output, mapping),
            .thresholds = {},
            .edge_pixels = {}};
  }
  Field field = find_field(input);
  EdgeResult result;
  const BankPlan strengths = identity_plan(DType::f32, field.strength.shape(), options_);
  result.stats = strengths.measure(std::as_const(field.strength).ref(), field.strength.ref().strides);
  if (observer && recipe_.kind != EdgeKind::components) observer(0, std::as_const(field.strength).ref());
  if (recipe_.hysteresis) result.thresholds = find_thresholds(std::as_const(field.strength).ref());
  const BrightnessRange brightness = recipe_.brightness ? brightness_range(field.strength, *recipe_.brightness)
                                                        : BrightnessRange{.max = std::max(result.stats.max, 0.0)};
  if (recipe_.thin && recipe_.has_gradient()) {
    Tensor thinned(DType::f32, field.strength.shape());
    thin(field.gradient, std::as_const(field.strength).ref(), thinned.ref(), threads);
    field.strength = std::move(thinned);
  }
  const Shape& shape = field.strength.shape();

  Tensor edges;
  if (recipe_.hysteresis) {
    edges = Tensor(DType::u8, shape);
    hysteresis(std::as_const(field.strength).ref(), *result.thresholds, edges.ref(), threads);
    result.edge_pixels = count_edges(std::as_const(edges).ref().view<std::uint8_t>());
    if (recipe_.kind != EdgeKind::binary && recipe_.kind != EdgeKind::overlay)
      clear_unless_edge(edges.ref(), field.strength.ref(), 0, threads, [](auto edge) { return edge != 0; });
  }
  const ConstTensorRef strength = std::as_const(field.strength).ref();
  switch (recipe_.kind) {
    case EdgeKind::magnitude: {
      const ResponseStats stored = run_mapped(strengths, strength, input_dtype_, output, mapping);
      result.stats.clipped_low = stored.clipped_low;
      result.stats.clipped_high = stored.clipped_high;
      break;
    }
    case EdgeKind::components:
      if (recipe_.is_decided()) clear_unless_edge(strength, field.gradient, 0, threads, is_kept);
      if (observer) observer(0, field.gradient);
      result.stats = run_mapped(identity_plan(DType::f32, field.gradient.shape, options_), field.gradient, input_dtype_,
                                output, mapping);
      break;
    case EdgeKind::orientation: store_orientation(field, brightness, output); break;
    case EdgeKind::binary: store_decisions(std::as_const(edges).ref().view<std::uint8_t>(), output, threads); break;
    case EdgeKind::overlay: store_overlay(std::as_const(edges).ref(), picture, output); break;
  }
  return result;
}

void EdgePlan::store_orientation(const Field& field, const BrightnessRange& range, const TensorRef& output) const {
  const int threads = options_.threads;
  if (recipe_.angle == AngleUnit::wheel) {
    if (std::isinf(range.min) || std::isinf(range.max))
      refuse_infinite("no brightness can be found", "choose --normalize-percentile, or --angle radians");
    Tensor colours(DType::f32, output_);
    paint_wheel(field.gradient, field.strength.ref(), range, colours.ref(), threads);
    identity_plan(DType::f32, output_, options_).run(colours.ref(), output, {.scale = full_value(output.dtype)});
    return;
  }
  Tensor angles(DType::f32, field.strength.shape());
  find_angles(field.gradient, recipe_.angle, angles.ref(), threads);
  if (recipe_.is_decided())
    clear_unless_edge(field.strength.ref(), angles.ref(), std::numeric_limits<float>::quiet_NaN(), threads, is_kept);
  identity_plan(DType::f32, angles.shape(), options_).run(angles.ref(), output, {});
}

void EdgePlan::store_overlay(const ConstTensorRef& edges, const ConstTensorRef& picture,
                             const TensorRef& output) const {
  ConstTensorRef colours = picture;
  if (picture.shape.c == 1) colours.strides.c = 0;
  colours.shape.c = 3;
  identity_plan(picture.dtype, colours.shape, options_)
      .run(colours, output, make_value_map(OutputMap::clip, picture.dtype, output.dtype));
  // Integers that are stored as floats keep their values, and so their full intensity.
  const double full = full_value(is_integer(output.dtype) ? output.dtype : picture.dtype);
  paint_edges(edges, recipe_.overlay_color, full, output, options_.threads);
}

}  // namespace convtool
