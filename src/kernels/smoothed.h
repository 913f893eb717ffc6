// Kernels with a blur folded in.
#pragma once

#include "network/layer.h"

namespace convtool {

/// `bank` with a Gaussian of standard deviation `sigma` pixels folded into each kernel: their convolution, which
/// filters like the Gaussian followed by the kernel. The Gaussian ends at 3 sigma, like `gaussian:sigma=S`. The border
/// of the picture is extended once, before both, where two filters in sequence would extend the blurred picture. The
/// layers have rank 2 and no dilation. Throws Error(kernel) for a sigma that makes a kernel larger than
/// kMaxGeneratedSize.
Bank smoothed(const Bank& bank, double sigma);

}  // namespace convtool
