// Sheets of feature maps: the channels of a tensor as tiles of one picture.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "conv/output_map.h"
#include "core/tensor.h"
#include "pictures/image.h"

namespace convtool {

/// Whether each tile has a scale of its own, or all have the same.
enum class SheetScale { each, joint };
inline constexpr std::string_view kSheetScales[] = {"each", "joint"};

struct SheetOptions {
  std::optional<std::int64_t> columns;  ///< at most; none: about as wide as high
  SheetScale scale = SheetScale::each;
  SignedZero zero = SignedZero::white;
  /// Of a tile's values, or with SheetScale::joint of all: the one that is further from 0 gets the full colour. None:
  /// the value that is furthest from 0.
  std::optional<std::array<double, 2>> percentiles;
};

/// The places of the tiles, in pixels.
struct SheetLayout {
  std::int64_t tiles = 0, columns = 0, rows = 0;
  std::int64_t enlarged = 1;  ///< a value is this many pixels wide and high
  std::int64_t reduced = 1;   ///< or a pixel is the mean of this many values in width and in height
  std::int64_t tile_height = 0, tile_width = 0;
  std::int64_t cell_width = 0;         ///< of a tile with the space for its number
  std::int64_t legend_top = 0;         ///< of the scales below the tiles
  std::int64_t height = 0, width = 0;  ///< of the sheet
};

/// Small tiles are enlarged by a whole factor, and those of a sheet of more than 2^24 pixels, 4096x4096, are reduced. A
/// batch of pictures has a tile for each channel of each. Throws Error(shape) if the tiles are too many for a picture.
SheetLayout sheet_layout(const Shape& shape, const SheetOptions& options);

/// The sheet of `values`, f32 in any layout, as u8 RGB. Each tile has the number of its channel above it, from 0 on (in
/// a batch after that of its picture), and with a scale of its own the range of that, where it is wide enough. Below
/// the tiles are their colours, with the range of a joint scale. A tile without negative values is grey: 0 is black,
/// and the largest value white. Other tiles are coloured as OutputMap::signs. With SheetScale::joint one negative value
/// makes all tiles so. NaN is black; infinities have the full colour.
Image paint_sheet(const ConstTensorRef& values, const SheetLayout& layout, const SheetOptions& options, int threads);

/// An upper bound for the bytes that paint_sheet() takes, the sheet included and `values` not.
double sheet_memory(const SheetLayout& layout, const Shape& shape, const SheetOptions& options);

}  // namespace convtool
