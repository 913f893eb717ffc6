// Internal to kernels/: the formulas behind the generated kernels, in double.
//
// Positions are in pixels from the centre of the kernel, x to the right and y up, so the centre of an even size lies
// between pixels. Angles are in degrees, counter-clockwise from the x axis. Kernels that are symmetric by their formula
// are symmetric bit for bit.
#pragma once

#include <vector>

#include "conv/problem.h"

namespace convtool {

/// Weights, row-major, and the divisor of their sums.
struct SampledKernel {
  Extent size;
  std::vector<double> weights;
  double divisor = 1;
};

/// exp(-r^2 / 2 sigma^2), divided by its sum.
SampledKernel sample_gaussian(double sigma, const Extent& size);

/// n weights of 1, divided by n.
SampledKernel sample_box(const Extent& size);

/// (1 - r^2 / 2 sigma^2) exp(-r^2 / 2 sigma^2) / (pi sigma^4): the negated Laplacian of a Gaussian of volume 1,
/// positive at the centre (Marr and Hildreth, "Theory of edge detection", 1980). The mean is subtracted, so that the
/// sum is 0 for any sampling and size.
SampledKernel sample_log(double sigma, const Extent& size);

/// sample_gaussian(sigma) - sample_gaussian(ratio * sigma).
SampledKernel sample_dog(double sigma, double ratio, const Extent& size);

/// The picture plus `amount` times its difference from a Gaussian blur. `size` is odd.
SampledKernel sample_unsharp(double sigma, double amount, const Extent& size);

/// The picture minus `amount` times the sum of its second differences (laplacian-4).
SampledKernel sample_sharpen(double amount);

/// The picture plus `amount` times a gradient: the sum of Prewitt's derivatives in the direction away from light at
/// `angle`, times sqrt(2), so that light from a corner gives whole weights.
SampledKernel sample_emboss(double angle, double amount);

struct GaborShape {
  double sigma;   ///< standard deviation of the envelope along theta, pixels
  double theta;   ///< direction of the wave, degrees
  double lambda;  ///< wavelength, pixels
  double gamma;   ///< sigma along theta over sigma across it
  double psi;     ///< phase, degrees
};

/// exp(-(u^2 + gamma^2 v^2) / 2 sigma^2) cos(2 pi u / lambda + psi), where u is the distance from the centre along
/// theta and v the distance across it (Daugman, "Uncertainty relation for resolution in space, spatial frequency, and
/// orientation", 1985; the parameters of Petkov and Kruizinga, "Computational models of visual neurons specialised in
/// the detection of periodic and aperiodic oriented visual stimuli", 1997). Divided by the sum of absolute values, so
/// that no response exceeds the largest input; all weights are 0 where the formula gives only zeros.
SampledKernel sample_gabor(const GaborShape& shape, const Extent& size);

/// The smallest odd size that contains the envelope of a Gabor kernel to 3 sigma.
Extent gabor_extent(const GaborShape& shape);

/// The area of each pixel's unit square inside a circle of `radius` around the centre, divided by the sum. The size is
/// the smallest that contains the circle.
SampledKernel sample_disk(double radius);

/// The length, inside each pixel's unit square, of a line through the centre, `length` pixels long at `angle`, divided
/// by the sum. The size is the smallest that contains the line.
SampledKernel sample_motion(double length, double angle);

}  // namespace convtool
