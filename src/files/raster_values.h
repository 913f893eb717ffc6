// The conversion of stored values to elements and back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/error.h"
#include "core/tensor.h"
#include "files/buffer.h"
#include "files/raster_layout.h"

namespace convtool {

/// Converts `count` stored values, `step` bytes apart, to elements of `layout.dtype`, `out_step` elements apart. This
/// is the definition of what a stored value means:
/// - to f32: rounded to nearest, and divided by `divisor` in double precision first;
/// - to u8 and u16: unchanged, or min(value, largest) * full range / largest, rounded down; bits become 255 and 0.
/// Throws Error(input), without a path, for a finite f64 beyond float32. Not for bits.
void load_values(const RasterLayout& layout, const std::byte* from, std::int64_t step, std::int64_t count, void* out,
                 std::int64_t out_step);

/// How many of the values in `stored`, in any order, are rounded when they are converted: f32 does not hold them. NaN
/// is not counted.
std::int64_t count_rounded(const RasterLayout& layout, std::span<const std::byte> stored);

/// Converts all values of `file`, the whole file, into which the layout fits. `values` has the shape and type of the
/// layout, and any strides. The same errors.
void load_raster(std::span<const std::byte> file, const RasterLayout& layout, const TensorRef& values);

/// The whole file.
Bytes format_raster(const RasterFormat& format, const ConstTensorRef& values);

/// Converts a stored row at `from`. If channels are interleaved, the row has all of them, and `row` those from
/// `first_channel` on. Throws as load_values() does.
void load_row(const RasterLayout& layout, const std::byte* from, std::int64_t first_channel, const TensorRef& row);

/// The reverse of load_row(), for all channels of a row.
void store_row(const RasterLayout& layout, const ConstTensorRef& row, std::byte* to);

/// Calls `visit(offset, count, row_at)` for pieces of a band, of up to `most` stored rows, in the order of the file:
/// `count` stored rows begin at `offset`, and row_at(i) is the part of `values` for the i-th of them.
template <class Ref, class Visit>
void for_each_piece(const RasterLayout& layout, const Band& band, const Ref& values, std::int64_t most,
                    const Visit& visit) {
  const Shape &part = values.shape, &whole = layout.shape;
  require(values.dtype == layout.dtype && part.n == 1 && part.w == whole.w, "a band of another type or width");
  require(band.item >= 0 && band.item < whole.n && band.channel >= 0 && band.channel + part.c <= whole.c &&
              band.row >= 0 && band.row + part.h <= whole.h,
          "a band outside the raster");
  const std::int64_t planes = layout.interleaved ? 1 : part.c;
  for (std::int64_t plane = 0; plane < planes; ++plane)
    for (std::int64_t done = 0; done < part.h;) {
      const std::int64_t count = std::min(most, part.h - done);
      const auto y_of = [&](std::int64_t i) { return layout.bottom_up ? part.h - 1 - done - i : done + i; };
      visit(layout.row_offset(band.item, band.channel + plane, band.row + y_of(0)), count,
            [&](std::int64_t i) { return values.channels(plane, layout.interleaved ? part.c : 1).rows(y_of(i), 1); });
      done += count;
    }
}

}  // namespace convtool
