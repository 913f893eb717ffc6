// Kernels computed from parameters: blurs, sharpeners, derivatives, filters for spots and stripes.
#pragma once

#include <span>
#include <string>

#include "kernels/generator.h"
#include "network/layer.h"

namespace convtool {

std::span<const Generator> generators();

/// Computes the kernel "NAME" or "NAME:param=value,param=value", such as "gaussian:sigma=1.4,size=7". Like the shipped
/// kernels it has padding "same" and padding_mode "replicate". Throws Error(kernel) for an unknown generator or
/// parameter (and suggests the nearest), a repeated parameter, a value outside its range, or a size above
/// kMaxGeneratedSize.
Network generate_kernel(const std::string& text);

/// The range of standard deviations of Gaussians, in pixels. A narrower sampled Gaussian is a single weight: its
/// neighbours are below e^-50. A wider one is a box, even at the largest size.
inline constexpr double kSmallestSigma = 0.1, kLargestSigma = 1000;

}  // namespace convtool
