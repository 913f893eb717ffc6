// Internal to kernels/: kernels that are products of a column and a row, in double: derivatives, and the binomial
// coefficients. Positions grow to the right and downwards, so a first derivative is positive where values increase.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/generator_formulas.h"

namespace convtool {

/// The product of a column and a row of weights.
SampledKernel product(const std::vector<double>& column, const std::vector<double>& row);

/// `size` - 1 - `order` times [1, 1], convolved, and `order` times [-1, 1]: derivative `order` of binomial
/// coefficients. With size 3: 1 2 1, -1 0 1, 1 -2 1. OpenCV's cv::getDerivKernels() has the same tables.
std::vector<double> derivative_taps(std::int64_t size, std::int64_t order);

/// The binomial coefficients of `size` - 1, divided by their sum 2^(size - 1).
std::vector<double> binomial_taps(std::int64_t size);

/// The weights of derivative n of a Gaussian, n = `order`: He_n(x / sigma) / sigma^n times exp(-x^2 / 2 sigma^2), which
/// is divided by its sum, with the Hermite polynomial He_n (Abramowitz and Stegun, 26.2.31). SciPy's
/// ndimage.gaussian_filter1d() has the same. A sigma of 0 gives a single 1.
std::vector<double> gaussian_taps(double sigma, std::int64_t order, std::int64_t size);

}  // namespace convtool
