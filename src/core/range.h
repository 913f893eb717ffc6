// A range of indices.
#pragma once

#include <cstdint>

namespace convtool {

/// The indices from `begin` up to, but not including, `end`.
struct Range {
  std::int64_t begin = 0, end = 0;

  bool is_empty() const { return begin >= end; }
  std::int64_t size() const { return end - begin; }
};

}  // namespace convtool
