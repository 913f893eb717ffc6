// Seeds for the targets that read tensors and weights.
#pragma once

#include <vector>

#include "files/file.h"

namespace convtool::fuzz {

/// .npy files of each element type, byte order, rank and version.
std::vector<Bytes> npy_seeds();

}  // namespace convtool::fuzz
