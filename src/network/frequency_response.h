// The frequency response of a kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/problem.h"

namespace convtool {

/// |H(v, u)|, the absolute value of the discrete-time Fourier transform of one [kh][kw] of weights (A. V. Oppenheim and
/// R. W. Schafer, Discrete-Time Signal Processing, 3rd edition, 2010, section 2.7): `side` x `side` values, row by row,
/// for v and u in radians per pixel from -pi to pi. `side` is odd and at least 3, so that the value in the middle is
/// that of frequency 0, and the first and last ones those of the finest pattern. A mirrored or rotated kernel has the
/// same response, mirrored or rotated.
std::vector<double> frequency_response(const float* weights, const Extent& size, std::int64_t side);

}  // namespace convtool
