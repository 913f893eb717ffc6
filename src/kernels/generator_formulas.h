// Internal to kernels/: the formulas behind the generated kernels, in double.
//
// Positions are measured in pixels from the centre of the kernel, x to the right and y up, so an even size has its
// centre between pixels. Angles are in degrees, counter-clockwise from the x axis. What is symmetric on paper is so bit
// for bit.
#pragma once

#include <vector>

#include "conv/problem.h"

namespace convtool {

/// Weights, row-major, and what their sums are divided by.
struct SampledKernel {
  Extent size;
  std::vector<double> weights;
  double divisor = 1;
};

/// exp(-r^2 / 2 sigma^2), divided by its sum.
SampledKernel sample_gaussian(double sigma, const Extent& size);

/// n weights of 1, divided by n.
SampledKernel sample_box(const Extent& size);

/// (1 - r^2 / 2 sigma^2) exp(-r^2 / 2 sigma^2) / (pi sigma^4): the Laplacian of a Gaussian of volume 1 with its sign
/// turned, so that the centre is positive (Marr and Hildreth, "Theory of edge detection", 1980). The mean is then
/// subtracted, so that the sum is 0 however coarse the sampling or small the size.
SampledKernel sample_log(double sigma, const Extent& size);

/// sample_gaussian(sigma) - sample_gaussian(ratio * sigma).
SampledKernel sample_dog(double sigma, double ratio, const Extent& size);

struct GaborShape {
  double sigma;   ///< standard deviation of the envelope along theta, pixels
  double theta;   ///< the direction the wave runs in, degrees
  double lambda;  ///< wavelength, pixels
  double gamma;   ///< sigma along theta over that across
  double psi;     ///< phase, degrees
};

/// exp(-(u^2 + gamma^2 v^2) / 2 sigma^2) cos(2 pi u / lambda + psi), where u is the distance from the centre along
/// theta and v that across (Daugman, "Uncertainty relation for resolution in space, spatial frequency, and
/// orientation", 1985; the parameters of Petkov and Kruizinga, "Computational models of visual neurons specialised in
/// the detection of periodic and aperiodic oriented visual stimuli", 1997). Divided by the sum of absolute values, so
/// that no response is larger than the largest input; all zero where the formula is.
SampledKernel sample_gabor(const GaborShape& shape, const Extent& size);

/// The odd size that holds the envelope of a Gabor kernel to 3 sigma.
Extent gabor_extent(const GaborShape& shape);

/// The area of each pixel's unit square inside a circle of `radius` around the centre, divided by the circle's. The
/// size is the least that holds it.
SampledKernel sample_disk(double radius);

/// The length inside each pixel's unit square of a line through the centre, `length` pixels long at `angle`, divided by
/// the sum. The size is the least that holds it.
SampledKernel sample_motion(double length, double angle);

}  // namespace convtool
