// One file right after another, as in a stream.
#pragma once

#include <cstddef>
#include <span>

#include "files/buffer.h"

namespace convtool::testing {

inline Bytes operator+(Bytes a, std::span<const std::byte> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace convtool::testing
