// Internal to pictures/: the form of pixels that PNG compresses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/tensor.h"

namespace convtool {

/// The bytes of a scanline of `pixels`: the number of its filter, and its samples.
std::size_t scanline_size(const ConstTensorRef& pixels);

/// Writes the scanlines of `rows` to `out`, one after another: u8 or u16, one item of 1 to 4 channels with any strides.
/// Samples are big-endian and filtered ("Portable Network Graphics (PNG) Specification (Second Edition)", W3C 2003,
/// 9.2). With `choose`, each scanline gets the filter with the least sum of magnitudes of the filtered bytes, taken as
/// signed, which is the standard's heuristic (12.8), else none. Unless `is_top`, other rows are above the first one,
/// which then gets a filter that does not look at them: none or Sub. Throws std::bad_alloc.
void write_scanlines(const ConstTensorRef& rows, bool is_top, bool choose, std::uint8_t* out);

}  // namespace convtool
