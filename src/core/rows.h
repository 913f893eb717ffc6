// A loop over the rows of pictures, in threads.
#pragma once

#include <cstdint>

#include "core/parallel.h"
#include "core/tensor.h"

namespace convtool {

/// Calls `use(n, y)` for every row of every picture, from `threads` threads (0: as many as cores).
template <class Use>
void for_each_row(const Shape& shape, int threads, const Use& use) {
  parallel_for(shape.n * shape.h, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) use(row / shape.h, row % shape.h);
  });
}

}  // namespace convtool
