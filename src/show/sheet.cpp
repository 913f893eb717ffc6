#include "show/sheet.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/text.h"
#include "network/bank_plan.h"
#include "pictures/canvas.h"

namespace convtool {
namespace {

constexpr std::int64_t kTileGap = 8, kNumberHeight = 16, kNumberSize = 12;  // in pixels
constexpr std::int64_t kSmallTile = 96;                                     // tiles are enlarged up to this size
constexpr std::int64_t kMostPixels = std::int64_t{1} << 24;
constexpr std::int64_t kBarWidth = 96, kBarHeight = 12, kLegendHeight = kBarHeight + kNumberHeight + kTileGap;
constexpr Colour kSheetBackground = {224, 224, 224},
                 kNumberColour = {0, 0, 0};  // apart from tiles with white and black zeros

std::string number_of(const Shape& shape, std::int64_t n, std::int64_t c) {
  return (shape.n > 1 ? std::to_string(n) + ":" : "") + std::to_string(c);
}

/// Such that the sheet is about as wide as high; a number that fills all rows is preferred.
std::int64_t choose_columns(std::int64_t tiles, std::int64_t height, std::int64_t width) {
  const double square =
      std::sqrt(static_cast<double>(tiles) * static_cast<double>(height) / static_cast<double>(width));
  const std::int64_t least = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(square)), 1, tiles);
  for (std::int64_t columns = least; columns <= std::min(2 * least, tiles); ++columns)
    if (tiles % columns == 0) return columns;
  return least;
}

std::int64_t count_of(const SheetLayout& layout) { return layout.height * layout.width; }

/// Whether the legend's two bars fit next to each other.
bool has_wide_legend(const SheetLayout& layout) { return layout.width >= 2 * kBarWidth + 3 * kTileGap; }

void place_tiles(const Shape& shape, SheetLayout& layout) {
  const auto sized = [&](std::int64_t values) {
    return (values + layout.reduced - 1) / layout.reduced * layout.enlarged;
  };
  layout.tile_height = sized(shape.h);
  layout.tile_width = sized(shape.w);
  const auto number_width =
      static_cast<std::int64_t>(std::ceil(text_width(number_of(shape, shape.n - 1, shape.c - 1), kNumberSize)));
  layout.cell_width = std::max(layout.tile_width, number_width);
  layout.width = std::max(kTileGap + layout.columns * (layout.cell_width + kTileGap), kBarWidth + 2 * kTileGap);
  layout.legend_top = kTileGap + layout.rows * (layout.tile_height + kNumberHeight + kTileGap);
  layout.height = layout.legend_top + (has_wide_legend(layout) ? 1 : 2) * kLegendHeight;
}

/// The finite values of tiles.
std::vector<float> finite_values(const ConstTensorRef& tile) {
  const auto view = tile.view<float>();
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(tile.shape.count()));
  for (std::int64_t n = 0; n < view.shape.n; ++n)
    for (std::int64_t c = 0; c < view.shape.c; ++c)
      for (std::int64_t y = 0; y < view.shape.h; ++y)
        for (std::int64_t x = 0; x < view.shape.w; ++x)
          if (const float value = view.at(n, c, y, x); std::isfinite(value)) values.push_back(value);
  return values;
}

/// The scale of a tile.
struct TileScale {
  bool is_signed = false;
  ResponseStats range;
};

ResponseStats finite_range(const ConstTensorRef& tile) {
  const auto view = tile.view<float>();
  ResponseStats range;
  for (std::int64_t n = 0; n < view.shape.n; ++n)
    for (std::int64_t c = 0; c < view.shape.c; ++c)
      for (std::int64_t y = 0; y < view.shape.h; ++y)
        for (std::int64_t x = 0; x < view.shape.w; ++x) {
          const double value = view.at(n, c, y, x);
          if (!std::isfinite(value)) continue;
          range.min = std::min(range.min, value);
          range.max = std::max(range.max, value);
        }
  return range;
}

TileScale scale_of(const ConstTensorRef& tile, const SheetOptions& options) {
  TileScale scale{.range = finite_range(tile)};
  scale.is_signed = scale.range.min < 0;
  if (options.percentiles) {
    std::vector<float> values = finite_values(tile);
    scale.range = percentile_range(values, *options.percentiles);
  }
  return scale;
}

/// The means of squares of `side` values; smaller ones at the right and lower edge.
Tensor means_of(const ConstTensorRef& tile, std::int64_t side) {
  const auto from = tile.view<float>();
  Tensor means(DType::f32,
               {.n = 1, .c = 1, .h = (from.shape.h + side - 1) / side, .w = (from.shape.w + side - 1) / side});
  const auto to = means.ref().view<float>();
  for (std::int64_t y = 0; y < to.shape.h; ++y)
    for (std::int64_t x = 0; x < to.shape.w; ++x) {
      double sum = 0;
      const std::int64_t bottom = std::min((y + 1) * side, from.shape.h),
                         right = std::min((x + 1) * side, from.shape.w);
      for (std::int64_t v = y * side; v < bottom; ++v)
        for (std::int64_t u = x * side; u < right; ++u) sum += static_cast<double>(from.at(0, 0, v, u));
      to.at(0, 0, y, x) = static_cast<float>(sum / static_cast<double>((bottom - y * side) * (right - x * side)));
    }
  return means;
}

/// One tile, a pixel for each value.
Image paint_tile(const ConstTensorRef& values, const TileScale& scale, const SheetOptions& options, int threads) {
  const BankPlan copy = identity_plan(DType::f32, values.shape, {.threads = threads});
  Mapping mapping = scale.is_signed ? OutputMap::signs : OutputMap::normalize;
  mapping.zero = options.zero;
  ResponseStats range = scale.range;
  if (!scale.is_signed && range.min <= range.max) range.min = 0;  // black
  Image image(DType::u8, scale.is_signed ? PixelFormat::rgb : PixelFormat::grey, values.shape.h, values.shape.w);
  run_measured(copy, values, DType::f32, image.all(), mapping, range);
  return image;
}

/// The value of the full colours, or of white; nothing where no value is finite.
std::optional<double> full_value(const TileScale& scale) {
  if (scale.range.min > scale.range.max) return std::nullopt;
  return scale.is_signed ? std::max(std::fabs(scale.range.min), std::fabs(scale.range.max)) : scale.range.max;
}

/// 12.3, 1020 and 1.23e+05.
std::string scale_number(double value) {
  const bool is_whole = std::fabs(value) >= 100 && std::fabs(value) < 1e5;
  return is_whole ? fixed_text(value, 0) : short_text(value, 3);
}

std::string range_text(const TileScale& scale) {
  const std::optional<double> full = full_value(scale);
  if (!full) return "";
  const std::string text = scale_number(*full);
  return scale.is_signed ? "-" + text + " to " + text : "0 to " + text;
}

/// Whether tiles have one value each, which has no range: they are compared by one scale, and the value is written.
bool are_single(const Shape& shape) { return shape.h == 1 && shape.w == 1; }

bool has_joint_scale(const Shape& shape, const SheetOptions& options) {
  return options.scale == SheetScale::joint || are_single(shape);
}

/// What is written above a tile, the longest that fits into `width`: its number, with its value or the range of its
/// colours.
std::string title_of(const std::string& number, const ConstTensorRef& tile, const TileScale& scale, bool is_joint,
                     std::int64_t width) {
  std::vector<std::string> values;
  if (are_single(tile.shape)) {
    const auto value = static_cast<double>(tile.view<float>().at(0, 0, 0, 0));
    values = {scale_number(value), short_text(value, 2)};
  } else if (!is_joint) {
    const std::optional<double> full = full_value(scale);
    values = {range_text(scale)};
    if (full && scale.is_signed) values.push_back("+-" + scale_number(*full));
    if (full && scale.is_signed) values.push_back("+-" + short_text(*full, 1));
    if (full && !scale.is_signed) values.push_back("to " + short_text(*full, 2));
  }
  for (const std::string& value : values)
    if (!value.empty() && text_width(number + ": " + value, kNumberSize) <= static_cast<double>(width))
      return number + ": " + value;
  return number;
}

/// A bar with the colours of a scale, and what its ends and its middle stand for.
struct LegendBar {
  TileScale scale;
  std::string low, middle, high;
};

/// The bar of a scale: of a joint one with its values, else in words.
LegendBar legend_bar(const TileScale& scale, bool is_joint) {
  const std::optional<double> full = full_value(scale);
  const std::string high = is_joint && full ? scale_number(*full) : "max";
  if (!scale.is_signed) return {scale, "0", "", high};
  return {scale, "-" + high, "0", high};
}

void draw_bar(const LegendBar& bar, double x, double y, const SheetOptions& options, Canvas& canvas) {
  Tensor ramp(DType::f32, {.n = 1, .c = 1, .h = 1, .w = kBarWidth});
  for (std::int64_t i = 0; i < kBarWidth; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(kBarWidth - 1);
    ramp.data<float>()[i] = static_cast<float>(bar.scale.is_signed ? 2 * share - 1 : share);
  }
  const TileScale scale{.is_signed = bar.scale.is_signed, .range = {.min = bar.scale.is_signed ? -1.0 : 0.0, .max = 1}};
  canvas.picture(x, y, kBarWidth, kBarHeight, paint_tile(std::as_const(ramp).ref(), scale, options, 1));
  const double line = y + kBarHeight + static_cast<double>(kNumberHeight) / 2;
  canvas.text(x, line, bar.low, kNumberSize, Anchor::start, kNumberColour);
  canvas.text(x + kBarWidth / 2.0, line, bar.middle, kNumberSize, Anchor::middle, kNumberColour);
  canvas.text(x + kBarWidth, line, bar.high, kNumberSize, Anchor::end, kNumberColour);
}

ConstTensorRef channel_of(const ConstTensorRef& values, std::int64_t n, std::int64_t c) {
  return values.item(n).channels(c, 1);
}

}  // namespace

SheetLayout sheet_layout(const Shape& shape, const SheetOptions& options) {
  SheetLayout layout{.tiles = shape.n * shape.c};
  layout.columns = std::min(options.columns.value_or(choose_columns(layout.tiles, shape.h, shape.w)), layout.tiles);
  layout.rows = (layout.tiles + layout.columns - 1) / layout.columns;
  layout.enlarged = std::max<std::int64_t>(kSmallTile / std::max(shape.h, shape.w), 1);
  place_tiles(shape, layout);
  while (count_of(layout) > kMostPixels && layout.enlarged > 1) {
    --layout.enlarged;
    place_tiles(shape, layout);
  }
  while (count_of(layout) > kMostPixels && layout.tile_height * layout.tile_width > 1) {
    ++layout.reduced;
    place_tiles(shape, layout);
  }
  if (count_of(layout) > kMostPixels)
    refuse_shape("", "a sheet of " + std::to_string(layout.tiles) + " tiles would be too large (" +
                         std::to_string(layout.width) + "x" + std::to_string(layout.height) + ", at most " +
                         std::to_string(kMostPixels) + " pixels); write .npy");
  return layout;
}

Image paint_sheet(const ConstTensorRef& values, const SheetLayout& layout, const SheetOptions& options, int threads) {
  const Shape& shape = values.shape;
  TileScale joint;
  const bool is_joint = has_joint_scale(shape, options);
  if (is_joint) joint = scale_of(values, options);
  Canvas canvas(layout.height, layout.width, kSheetBackground);
  std::vector<LegendBar> bars;  // of grey and of signed tiles
  for (std::int64_t tile = 0; tile < layout.tiles; ++tile) {
    const std::int64_t n = tile / shape.c, c = tile % shape.c;
    const ConstTensorRef channel = channel_of(values, n, c);
    const TileScale scale = is_joint ? joint : scale_of(channel, options);
    const auto x = static_cast<double>(kTileGap + tile % layout.columns * (layout.cell_width + kTileGap));
    const auto y =
        static_cast<double>(kTileGap + tile / layout.columns * (layout.tile_height + kNumberHeight + kTileGap));
    const auto has_scale = [&](const LegendBar& bar) { return bar.scale.is_signed == scale.is_signed; };
    if (std::none_of(bars.begin(), bars.end(), has_scale)) bars.push_back(legend_bar(scale, is_joint));
    canvas.text(x, y + static_cast<double>(kNumberHeight) / 2,
                title_of(number_of(shape, n, c), channel, scale, is_joint, layout.cell_width), kNumberSize,
                Anchor::start, kNumberColour);
    Tensor means;
    if (layout.reduced > 1) means = means_of(channel, layout.reduced);
    const ConstTensorRef shown = layout.reduced > 1 ? std::as_const(means).ref() : channel;
    canvas.picture(x, y + static_cast<double>(kNumberHeight), static_cast<double>(layout.tile_width),
                   static_cast<double>(layout.tile_height), paint_tile(shown, scale, options, threads));
  }
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const bool is_beside = has_wide_legend(layout);
    const auto step = static_cast<double>(i);
    draw_bar(bars[i], kTileGap + (is_beside ? step * (kBarWidth + kTileGap) : 0),
             static_cast<double>(layout.legend_top) + (is_beside ? 0 : step * kLegendHeight), options, canvas);
  }
  return canvas.image();
}

double sheet_memory(const SheetLayout& layout, const Shape& shape, const SheetOptions& options) {
  constexpr double kPixel = 3, kFloat = 4;
  const double tile = static_cast<double>(shape.h) * static_cast<double>(shape.w);
  const double measured = has_joint_scale(shape, options) ? tile * static_cast<double>(layout.tiles) : tile;
  return kPixel * static_cast<double>(count_of(layout)) + kPixel * tile + kFloat * tile +
         (options.percentiles ? kFloat * measured : 0);
}

}  // namespace convtool
