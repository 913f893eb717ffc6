// Internal to pictures/: PNG files ("Portable Network Graphics (PNG) Specification (Second Edition)", W3C 2003).
#pragma once

#include <memory>
#include <optional>

#include "core/tensor.h"
#include "pictures/image_io.h"

namespace convtool {

/// Pixels as PNG compresses them: a scanline is the number of its filter (9.2) and the filtered bytes of its samples,
/// which are big-endian.
struct PngScanlines {
  Shape shape;  ///< one item of 1 to 4 channels: grey, grey and alpha, RGB, RGBA
  DType dtype = DType::u8;
  std::unique_ptr<void, FreePixels> bytes;
  std::size_t size = 0;  ///< of `bytes`
};

/// The scanlines of `pixels`, u8 or u16 of any strides, for deflate() at `level`. Each has the filter whose bytes,
/// taken as signed, have the least sum of magnitudes, which is the standard's heuristic (12.8): of none at level 0;
/// without Paeth's at level 1, which makes files 1 % smaller and takes writers and readers the most time of all. Throws
/// std::bad_alloc.
PngScanlines make_scanlines(const ConstTensorRef& pixels, int level);

/// The file. Parameters as deflate() has them.
Bytes write_png(const PngScanlines& scanlines, int level, std::optional<PngStrategy> strategy);

}  // namespace convtool
