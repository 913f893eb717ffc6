// Seeds for the targets that read picture files.
#pragma once

#include <vector>

#include "files/file.h"

namespace convtool::fuzz {

/// A small file of every kind that is read.
std::vector<Bytes> picture_seeds();

}  // namespace convtool::fuzz
