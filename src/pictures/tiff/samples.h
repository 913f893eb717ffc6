// Internal to pictures/: the samples of a TIFF as numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pictures/tiff/layout.h"

namespace convtool {

/// The bytes of a row of `count` samples.
std::size_t size_of_row(const TiffLayout& layout, std::uint64_t count);

/// Reads the first `count` samples of a row as libtiff decodes it: samples of 8, 16, 32 and 64 bits in the machine's
/// byte order, others packed, with the highest bit first. T is the element type of TiffLayout::dtype(). Values are
/// those of the file; in f32 the nearest ones.
template <class T>
void read_samples(const TiffLayout& layout, const std::byte* row, std::int64_t count, T* out);

}  // namespace convtool
