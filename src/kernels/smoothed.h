// Kernels with a blur folded in.
#pragma once

#include "network/layer.h"

namespace convtool {

/// Every kernel of `bank` after a Gaussian of standard deviation `sigma` pixels, as one kernel: their convolution, the
/// Gaussian cut off at 3 sigma as `gaussian:sigma=S` is. The picture's border is extended once, before both, where two
/// filters in a row would extend the blurred picture. The layers are of rank 2, without dilation.
/// Throws Error(kernel) for a sigma that makes a kernel larger than kMaxGeneratedSize.
Bank smoothed(const Bank& bank, double sigma);

}  // namespace convtool
