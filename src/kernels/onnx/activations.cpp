#include <algorithm>
#include <cmath>
#include <limits>

#include "core/float_range.h"
#include "core/text.h"
#include "kernels/onnx/layer_operators.h"
#include "kernels/onnx/operators.h"

namespace convtool {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void activate(const Step& step, Activation activation, const ActivationNumbers& numbers = {}) {
  Layer layer = identity_layer(step.name);
  layer.activation = activation;
  layer.activation_numbers = numbers;
  step.layers.activate(std::move(layer));
}

/// Clips, unless no float is outside the limits.
void clip(const Step& step, double min, double max) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (!(min <= max)) throw Stop{"it clips to " + to_text(min) + " to " + to_text(max)};
  if (min <= -kLargest && max >= kLargest) return;
  if (min == 0 && max >= kLargest) return activate(step, Activation::relu);
  ActivationNumbers numbers;
  if (min > -kLargest) numbers.min = static_cast<float>(min);
  if (max < kLargest) numbers.max = static_cast<float>(max);
  activate(step, Activation::clip, numbers);
}

}  // namespace

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

void add_hard_sigmoid(const Step& step) {
  step.layers.transform({{step.real("alpha", 0.2F)}, {step.real("beta", 0.5)}}, step.name);
  clip(step, 0, 1);
}

bool add_gate(const Step& step, const OnnxNode& product) {
  const OnnxNode& gate = step.node;
  const bool gates = is_operator(product, "Mul") && product.inputs.size() == 2 && gate.outputs.size() == 1 &&
                     std::is_permutation(product.inputs.begin(), product.inputs.end(),
                                         std::vector{step.input, gate.outputs.front()}.begin());
  if (!gates) return false;
  constexpr double kThird = 1.0 / 3, kRounding = 0x1p-20;  // attributes are floats
  const bool is_hard = is_operator(gate, "HardSigmoid") && step.real("beta", 0.5) == 0.5 &&
                       std::fabs(2 * step.real("alpha", 0.2F) - kThird) < kRounding;
  if (!is_hard && !is_operator(gate, "Sigmoid")) return false;
  activate(step, is_hard ? Activation::hardswish : Activation::silu);
  step.layers.note(std::string(gate.type) + " + " + std::string(product.type), product.outputs.front());
  return true;
}

}  // namespace convtool
