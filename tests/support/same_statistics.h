// The statistics of a picture that was filtered in bands against those of the whole.
#pragma once

#include <doctest/doctest.h>

#include "conv/epilogue.h"

namespace convtool {

inline void check_same(const ResponseStats& bands, const ResponseStats& whole) {
  CHECK(bands.min == whole.min);
  CHECK(bands.max == whole.max);
  CHECK(bands.nan_count == whole.nan_count);
  CHECK(bands.clipped_low == whole.clipped_low);
  CHECK(bands.clipped_high == whole.clipped_high);
  CHECK(bands.total_count == whole.total_count);
  CHECK(bands.mean() == whole.mean());
}

}  // namespace convtool
