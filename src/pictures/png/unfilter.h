// Internal to pictures/: from the scanlines of PNG to pixels in memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pictures/png/pixel_order.h"

namespace convtool {

/// Undoes the filters of scanlines ("Portable Network Graphics (PNG) Specification (Second Edition)", W3C 2003, 9.2).
/// `lines` has them one after another, each the number of its filter, 0 to 4, and the filtered bytes. The rows are put
/// one after another too, without gaps; `above` is the row before them, or zeros. A row has `pixels` pixels. The ranges
/// do not overlap.
using UnfilterRows = void (*)(const std::uint8_t* lines, const std::uint8_t* above, std::size_t pixels,
                              std::size_t count, std::uint8_t* rows);

/// The function for pixels of `bytes` bytes: 1, 2, 3, 4 or 8 with order `same`, 2, 4, 6 or 8 with `swapped`, 3 or 6
/// with `reversed`. Null for others.
UnfilterRows find_unfilter(int bytes, PixelOrder order);

/// Whether a scanline has a filter that the standard knows.
constexpr bool has_known_filter(const std::uint8_t* line) { return line[0] <= 4; }

}  // namespace convtool
