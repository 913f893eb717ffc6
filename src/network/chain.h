// Networks one after another.
#pragma once

#include <vector>

#include "network/layer.h"

namespace convtool {

/// The network of all banks of `stages`, at least one, which run one after another. It is called "A then B" after their
/// names, and has the input of the first one and the map of the last one: values between them are floats. Banks that
/// layers of their own stage add or read are renamed where an earlier stage has the name. Throws Error(kernel) for
/// another one that scales its input.
Network chain(std::vector<Network> stages);

/// Throws Error(kernel) where a layer takes another number of channels than the layer before it gives, as far as their
/// weights decide: kernels of rank 2 keep the number, whatever it is, and layers without weights take any.
void check_channels(const Network& network);

}  // namespace convtool
