// Learned weights rounded to simple fractions: whole numbers, or whole numbers over a power of two.
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

/// The weights of `learned` rounded to multiples of 1, 1/2, 1/4, ... 1 / kLargestDivisor: the coarsest that fit as well
/// as `learned`, whose loss over `samples` is `loss`. Empty if none do. Learned biases are fitted again to the rounded
/// weights: a program that truncates fractions has a bias of about -0.5, whatever its weights. One that the samples
/// cannot tell from 0 becomes 0.
///
/// "As well" means: if the rounded numbers were the true ones, k learned ones would have a loss that is smaller by
/// s^2 * k on average, with a standard deviation of s^2 * sqrt(2 k), where s^2 is the mean squared error (the
/// chi-squared distribution). So a loss that is larger by s^2 * (k + 3 sqrt(2 k)) is allowed. s^2 is at least the
/// variance of rounding the targets: 1/12 where all of them are pictures of integers, else 2^-48 / 12 of the largest
/// value squared.
std::optional<RoundedParameters> round_parameters(std::span<const Sample> samples, const Parameters& learned,
                                                  bool learns_bias, const Loss& loss, int threads);

}  // namespace convtool
