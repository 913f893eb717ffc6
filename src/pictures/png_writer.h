// Internal to pictures/: writing PNG files ("Portable Network Graphics (PNG) Specification (Second Edition)", W3C
// 2003).
#pragma once

#include <memory>
#include <optional>

#include "core/tensor.h"
#include "files/file.h"
#include "pictures/encode_options.h"

namespace convtool {

/// Pixels in the form that PNG compresses. A scanline is the number of its filter (9.2) and the filtered bytes of its
/// samples, which are big-endian.
struct PngScanlines {
  Shape shape;  ///< one item of 1 to 4 channels: grey, grey and alpha, RGB, RGBA
  DType dtype = DType::u8;
  std::unique_ptr<void, FreePixels> bytes;
  std::size_t size = 0;  ///< of `bytes`
};

/// The scanlines of `pixels`, u8 or u16 with any strides, for deflate() at `level`. Each scanline gets the filter with
/// the least sum of magnitudes of the filtered bytes, taken as signed, which is the standard's heuristic (12.8). Level
/// 0 uses no filter. Level 1 leaves out the Paeth filter, which saves 1 % of the file but costs writers and readers
/// more time than any other. Throws std::bad_alloc.
PngScanlines make_scanlines(const ConstTensorRef& pixels, int level);

/// The bytes of the file. For `level` and `strategy` see deflate(). Throws std::bad_alloc.
Bytes write_png(const PngScanlines& scanlines, int level, std::optional<PngStrategy> strategy);

}  // namespace convtool
