// What becomes of a sum plus its bias: the activations of torch.nn.
#pragma once

#include <limits>
#include <string>
#include <string_view>

namespace convtool {

enum class Activation { none, relu, abs, leaky_relu, clip, sigmoid, tanh, silu, hardswish };
inline constexpr std::string_view kActivations[] = {"none",    "relu", "abs",  "leaky_relu", "clip",
                                                    "sigmoid", "tanh", "silu", "hardswish"};

/// The numbers of the activations that have some.
struct ActivationNumbers {
  float slope = 0.01F;                                  ///< leaky_relu: the factor of negative values
  float min = -std::numeric_limits<float>::infinity();  ///< clip
  float max = std::numeric_limits<float>::infinity();

  constexpr bool operator==(const ActivationNumbers&) const = default;
};

/// The activation by its definition, in double; NaN stays NaN. The engine's own is within 2^-50 of it, relative to the
/// result: its exp, from Highway, errs by 1 ulp at most (2^-52), and its tanh by 4 (2^-50); a sum and a quotient add
/// 2^-53 each. Rounded to f32, that is an error of (1/2 + 2^-26) ulp.
double activated(Activation activation, const ActivationNumbers& numbers, double value);

/// The most by which a change of 1 in the value changes the activation: its steepest slope, rounded up.
double steepest_slope(Activation activation, const ActivationNumbers& numbers);

/// Whether the activation is computed with rounding, even where the value is exact.
bool is_curved(Activation activation);

/// "relu", "leaky_relu of slope 0.2", "clip to 0 ... 6".
std::string activation_text(Activation activation, const ActivationNumbers& numbers);

/// The activation in JSON, as in a kernel file: "relu" in quotes, or {"clip": {"min": 0, "max": 6}}.
std::string activation_json(Activation activation, const ActivationNumbers& numbers);

}  // namespace convtool
