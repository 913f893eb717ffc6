#include <algorithm>
#include <cmath>
#include <limits>

#include "core/float_range.h"
#include "core/text.h"
#include "kernels/onnx/layer_operators.h"

namespace convtool {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Clips, unless no float is outside the limits.
void clip(const Step& step, double min, double max) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (!(min <= max && min <= kLargest && max >= -kLargest))
    throw Stop{"its limits are " + to_text(min) + " and " + to_text(max)};
  if (min <= -kLargest && max >= kLargest) return;
  if (min == 0 && max >= kLargest) return activate(step, Activation::relu);
  ActivationNumbers numbers;
  if (min > -kLargest) numbers.min = static_cast<float>(min);
  if (max < kLargest) numbers.max = static_cast<float>(max);
  activate(step, Activation::clip, numbers);
}

/// The constant operand of Max or Min.
double limit(const Step& step) {
  if (const std::optional<double> number = step.other_number()) return *number;
  throw Stop{"it does not compare its input with one number"};
}

}  // namespace

void activate(const Step& step, Activation activation, const ActivationNumbers& numbers) {
  Layer layer = identity_layer(step.name);
  layer.activation = activation;
  layer.activation_numbers = numbers;
  step.layers.activate(std::move(layer));
}

void add_relu(const Step& step) { activate(step, Activation::relu); }
void add_abs(const Step& step) { activate(step, Activation::abs); }
void add_sigmoid(const Step& step) { activate(step, Activation::sigmoid); }
void add_tanh(const Step& step) { activate(step, Activation::tanh); }
void add_hard_swish(const Step& step) { activate(step, Activation::hardswish); }

void add_swish(const Step& step) {
  if (step.real("alpha", 1) != 1) throw Stop{"its alpha is not 1"};
  activate(step, Activation::silu);
}

void add_leaky_relu(const Step& step) {
  const double slope = step.real("alpha", 0.01F);
  if (!fits_float(slope)) throw Stop{"its alpha is not a finite number"};
  activate(step, Activation::leaky_relu, {.slope = static_cast<float>(slope)});
}

void add_prelu(const Step& step) {
  const std::vector<double> slopes = step.constant(1, "slope").values;
  if (slopes.empty() || std::count(slopes.begin(), slopes.end(), slopes.front()) != std::ssize(slopes))
    throw Stop{"its channels have different slopes"};
  if (!fits_float(slopes.front())) throw Stop{"its slope is not a finite number"};
  activate(step, Activation::leaky_relu, {.slope = static_cast<float>(slopes.front())});
}

void add_clip(const Step& step) { clip(step, step.real(1, "min", -kInfinity), step.real(2, "max", kInfinity)); }

void add_maximum(const Step& step) { clip(step, limit(step), kInfinity); }
void add_minimum(const Step& step) { clip(step, -kInfinity, limit(step)); }

void add_hard_sigmoid(const Step& step) {
  step.layers.transform({{step.real("alpha", 0.2F)}, {step.real("beta", 0.5)}}, step.name);
  clip(step, 0, 1);
}

}  // namespace convtool
