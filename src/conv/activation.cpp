#include "conv/activation.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace convtool {

double activated(Activation activation, const ActivationNumbers& numbers, double value) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto min = static_cast<double>(numbers.min), max = static_cast<double>(numbers.max);
  switch (activation) {
    case Activation::none: break;
    case Activation::relu: return value < 0 ? 0 : value;
    case Activation::abs: return std::fabs(value);
    case Activation::leaky_relu: return value < 0 ? static_cast<double>(numbers.slope) * value : value;
    case Activation::clip: return value < min ? min : value > max ? max : value;
    case Activation::sigmoid: return sigmoid(value);
    case Activation::tanh: return std::tanh(value);
    case Activation::silu: return value * sigmoid(value);
    case Activation::hardswish: return value * std::clamp(value + 3, 0.0, 6.0) / 6;
  }
  return value;
}

double steepest_slope(Activation activation, const ActivationNumbers& numbers) {
  switch (activation) {
    case Activation::leaky_relu: return std::max(1.0, std::fabs(static_cast<double>(numbers.slope)));
    case Activation::sigmoid: return 0.25;   // at 0
    case Activation::silu: return 1.1;       // 1.0998 at 2.3994
    case Activation::hardswish: return 1.5;  // at 3
    default: return 1;
  }
}

bool is_curved(Activation activation) {
  return activation == Activation::sigmoid || activation == Activation::tanh || activation == Activation::silu ||
         activation == Activation::hardswish;
}

std::string activation_text(Activation activation, const ActivationNumbers& numbers) {
  std::string text(kActivations[static_cast<int>(activation)]);
  if (activation == Activation::leaky_relu) text += " of slope " + to_text(numbers.slope);
  if (activation != Activation::clip) return text;
  if (std::isinf(numbers.max)) return text + " to at least " + to_text(numbers.min);
  if (std::isinf(numbers.min)) return text + " to at most " + to_text(numbers.max);
  return text + " to " + to_text(numbers.min) + " ... " + to_text(numbers.max);
}

std::string activation_json(Activation activation, const ActivationNumbers& numbers) {
  const std::string name = '"' + std::string(kActivations[static_cast<int>(activation)]) + '"';
  if (activation == Activation::leaky_relu) return "{" + name + ": {\"slope\": " + to_text(numbers.slope) + "}}";
  if (activation != Activation::clip) return name;
  std::string ends;
  if (std::isfinite(numbers.min)) ends = "\"min\": " + to_text(numbers.min);
  if (std::isfinite(numbers.max)) ends += (ends.empty() ? "" : ", ") + ("\"max\": " + to_text(numbers.max));
  return "{" + name + ": {" + ends + "}}";
}

}  // namespace convtool
