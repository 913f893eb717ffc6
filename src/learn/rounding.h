// Learned weights as the simple fractions that they may have been: whole numbers, or such over a power of two.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "learn/parameters.h"
#include "learn/sample.h"

namespace convtool {

struct RoundedParameters {
  Parameters parameters;  ///< weights are multiples of 1 / divisor
  double divisor = 1;     ///< a power of two
  Loss loss;
};

inline constexpr double kLargestDivisor = 1024;

/// The weights of `learned` rounded to multiples of 1, 1/2, 1/4, ... 1 / kLargestDivisor: the coarsest that are as good
/// as `learned`, whose loss over `samples` is `loss`; nothing when none is. Biases that are learned become those that
/// fit the rounded weights best: a program that cuts off fractions has one of about -0.5, whatever its weights.
///
/// As good: were the rounded numbers the true ones, k learned ones would have a loss that is less by s^2 * k on
/// average, with a standard deviation of s^2 * sqrt(2 k), where s^2 is the mean squared error (the chi-squared
/// distribution). So a loss that is larger by s^2 * (k + 3 sqrt(2 k)) is allowed. s^2 is taken to be no less than what
/// the rounding of targets has left: 1/12 where all of them are pictures of whole numbers, else 2^-48 / 12 of the
/// largest squared.
std::optional<RoundedParameters> round_parameters(std::span<const Sample> samples, const Parameters& learned,
                                                  bool learns_bias, const Loss& loss, int threads);

}  // namespace convtool
