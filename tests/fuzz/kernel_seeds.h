// Seeds for the target that reads kernel files.
#pragma once

#include <vector>

#include "files/file.h"

namespace convtool::fuzz {

/// The shipped kernels in each format that stores them, networks, pools, weights in files, and .npy files.
std::vector<Bytes> kernel_seeds();

}  // namespace convtool::fuzz
