// Sheets: where the tiles are, and the colours of their values.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "pictures/canvas.h"
#include "show/sheet.h"

using namespace convtool;

namespace {

constexpr std::int64_t kTileGap = 8, kNumberHeight = 16, kBarWidth = 96, kBarHeight = 12;

Colour colour_at(const Image& image, std::int64_t y, std::int64_t x) {
  const auto view = image.all().view<std::uint8_t>();
  return {view.at(0, 0, y, x), view.at(0, 1, y, x), view.at(0, 2, y, x)};
}

/// Channels of 100x100 values, each all of one value but the first, which is `corner`.
Tensor feature_maps(const std::vector<float>& values, const std::vector<float>& corners) {
  Tensor tensor(DType::f32, {.n = 1, .c = std::ssize(values), .h = 100, .w = 100});
  const auto view = tensor.ref().view<float>();
  for (std::int64_t c = 0; c < view.shape.c; ++c) {
    for (std::int64_t y = 0; y < 100; ++y)
      for (std::int64_t x = 0; x < 100; ++x) view.at(0, c, y, x) = values[static_cast<std::size_t>(c)];
    view.at(0, c, 0, 0) = corners[static_cast<std::size_t>(c)];
  }
  return tensor;
}

/// The colour of value (y, x) of a tile in the first row of a sheet without enlargement.
Colour tile_colour(const Image& sheet, const SheetLayout& layout, std::int64_t tile, std::int64_t y, std::int64_t x) {
  return colour_at(sheet, kTileGap + kNumberHeight + y, kTileGap + tile * (layout.cell_width + kTileGap) + x);
}

}  // namespace

TEST_CASE("tiles form a sheet about as wide as high, in full rows where that is near") {
  const auto columns = [](std::int64_t channels, std::int64_t height = 100, std::int64_t width = 100) {
    return sheet_layout({1, channels, height, width}, {}).columns;
  };
  CHECK(columns(1) == 1);
  CHECK(columns(2) == 2);
  CHECK(columns(4) == 2);
  CHECK(columns(7) == 3);
  CHECK(columns(8) == 4);
  CHECK(columns(64) == 8);
  CHECK(columns(8, 100, 1000) == 1);
  CHECK(columns(8, 1000, 100) == 8);

  const SheetLayout chosen = sheet_layout({1, 8, 100, 200}, {.columns = 3});
  CHECK(chosen.rows == 3);
  CHECK(chosen.width == kTileGap + 3 * (200 + kTileGap));
  CHECK(chosen.legend_top == kTileGap + 3 * (100 + kNumberHeight + kTileGap));
  CHECK(chosen.height == chosen.legend_top + kBarHeight + kNumberHeight + kTileGap);
  CHECK(sheet_layout({1, 8, 100, 200}, {.columns = 30}).columns == 8);
  CHECK(sheet_layout({5, 8, 100, 200}, {}).tiles == 40);
}

TEST_CASE("small tiles are enlarged, large sheets reduced, too many tiles refused") {
  CHECK(sheet_layout({1, 4, 6, 5}, {}).enlarged == 16);
  CHECK(sheet_layout({1, 4, 97, 5}, {}).enlarged == 1);
  const SheetLayout large = sheet_layout({1, 64, 3000, 4000}, {});
  CHECK(large.reduced > 1);
  CHECK(large.width * large.height <= std::int64_t{1} << 24);
  CHECK(sheet_layout({1, 1, 3000, 4000}, {}).reduced == 1);  // a photograph of 12 megapixels
  CHECK(large.tile_width == (4000 + large.reduced - 1) / large.reduced);
  CHECK_THROWS_AS(sheet_layout({1, 1000000, 8, 8}, {}), Error);
}

TEST_CASE("positive tiles are grey, others have two colours; each has its own scale or all the same") {
  const Tensor values = feature_maps({10, 0, -4}, {20, 0, 8});
  SheetOptions options;
  const SheetLayout layout = sheet_layout(values.shape(), options);
  REQUIRE(layout.columns == 3);
  const Image each = paint_sheet(values.ref(), layout, options, 1);
  CHECK(each.all().shape == Shape{1, 3, layout.height, layout.width});
  CHECK(tile_colour(each, layout, 0, 0, 0) == Colour{255, 255, 255});
  CHECK(tile_colour(each, layout, 0, 0, 1) == Colour{128, 128, 128});
  CHECK(tile_colour(each, layout, 1, 5, 5) == Colour{0, 0, 0});
  CHECK(tile_colour(each, layout, 2, 0, 0) == Colour{255, 128, 0});
  CHECK(tile_colour(each, layout, 2, 99, 99) == Colour{128, 191, 255});  // halfway from white to blue
  CHECK(colour_at(each, 0, 0) == Colour{224, 224, 224});

  options.scale = SheetScale::joint;
  options.zero = SignedZero::black;
  const Image joint = paint_sheet(values.ref(), layout, options, 2);
  CHECK(tile_colour(joint, layout, 0, 0, 0) == Colour{255, 128, 0});
  CHECK(tile_colour(joint, layout, 0, 0, 1) == Colour{128, 64, 0});
  CHECK(tile_colour(joint, layout, 1, 5, 5) == Colour{0, 0, 0});
  CHECK(tile_colour(joint, layout, 2, 9, 9) == Colour{0, 26, 51});  // a fifth: 25.5 is rounded to even
}

TEST_CASE("percentiles set the scale; NaN is black, infinities have the full colour") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Tensor values = feature_maps({1, -1, 1, -1}, {1000, 1000, kInfinity, std::nanf("")});
  SheetOptions options{.columns = 4};
  const SheetLayout layout = sheet_layout(values.shape(), options);
  const Image sheet = paint_sheet(values.ref(), layout, options, 1);
  CHECK(tile_colour(sheet, layout, 0, 5, 5) == Colour{0, 0, 0});
  CHECK(tile_colour(sheet, layout, 2, 0, 0) == Colour{255, 255, 255});
  CHECK(tile_colour(sheet, layout, 2, 5, 5) == Colour{255, 255, 255});
  CHECK(tile_colour(sheet, layout, 3, 0, 0) == Colour{0, 0, 0});
  CHECK(tile_colour(sheet, layout, 3, 5, 5) == Colour{0, 128, 255});
  options.percentiles = {1, 99};
  const Image cut = paint_sheet(values.ref(), layout, options, 1);
  CHECK(tile_colour(cut, layout, 0, 5, 5) == Colour{255, 255, 255});
  CHECK(tile_colour(cut, layout, 1, 5, 5) == Colour{0, 128, 255});
}

TEST_CASE("a reduced tile shows means") {
  Tensor values(DType::f32, {.n = 1, .c = 1, .h = 5000, .w = 5000});
  const auto view = values.ref().view<float>();
  for (std::int64_t y = 0; y < 5000; ++y)
    for (std::int64_t x = 0; x < 5000; ++x) view.at(0, 0, y, x) = static_cast<float>((x + y) % 2);
  const SheetLayout layout = sheet_layout(values.shape(), {});
  REQUIRE(layout.reduced == 2);
  CHECK(tile_colour(paint_sheet(values.ref(), layout, {}, 2), layout, 0, 7, 7) == Colour{128, 128, 128});
}

TEST_CASE("a legend has a bar for grey tiles and one for signed ones") {
  const auto bar_colour = [](const Image& sheet, const SheetLayout& layout, std::int64_t bar, std::int64_t x) {
    return colour_at(sheet, layout.legend_top + kBarHeight / 2, kTileGap + bar * (kBarWidth + kTileGap) + x);
  };
  const Tensor both = feature_maps({10, -4}, {20, 8}), grey = feature_maps({10, 5}, {20, 5});
  const SheetLayout layout = sheet_layout(both.shape(), {});
  const Image sheet = paint_sheet(both.ref(), layout, {}, 1);
  CHECK(bar_colour(sheet, layout, 0, 0) == Colour{0, 0, 0});
  CHECK(bar_colour(sheet, layout, 0, kBarWidth - 1) == Colour{255, 255, 255});
  CHECK(bar_colour(sheet, layout, 1, 0) == Colour{0, 128, 255});
  CHECK(bar_colour(sheet, layout, 1, kBarWidth - 1) == Colour{255, 128, 0});
  CHECK(bar_colour(paint_sheet(grey.ref(), layout, {}, 1), layout, 1, 0) == Colour{224, 224, 224});
  const Image joint = paint_sheet(both.ref(), layout, {.scale = SheetScale::joint, .zero = SignedZero::black}, 1);
  CHECK(bar_colour(joint, layout, 0, 0) == Colour{0, 128, 255});
  CHECK(bar_colour(joint, layout, 1, 0) == Colour{224, 224, 224});

  const SheetLayout narrow = sheet_layout({1, 3, 96, 1}, {.columns = 1});
  CHECK(narrow.width == kBarWidth + 2 * kTileGap);
  CHECK(narrow.height == narrow.legend_top + 2 * (kBarHeight + kNumberHeight + kTileGap));  // one below the other
}

TEST_CASE("the range of a tile stands above it where it fits, and is that of its own scale") {
  const Tensor first = feature_maps({0}, {20}), second = feature_maps({0}, {30});
  const SheetLayout layout = sheet_layout(first.shape(), {});
  const auto has_same_head = [&](const SheetOptions& options) {
    const Image a = paint_sheet(first.ref(), layout, options, 1), b = paint_sheet(second.ref(), layout, options, 1);
    for (std::int64_t y = 0; y < kTileGap + kNumberHeight; ++y)
      for (std::int64_t x = 0; x < layout.width; ++x)
        if (colour_at(a, y, x) != colour_at(b, y, x)) return false;
    return true;
  };
  CHECK_FALSE(has_same_head({}));
  CHECK(has_same_head({.scale = SheetScale::joint}));  // there the legend has it
}

TEST_CASE("tiles of one value have one scale, and the value above them") {
  const auto maps_of = [](std::vector<float> values) {
    Tensor tensor(DType::f32, {.n = 1, .c = std::ssize(values), .h = 1, .w = 1});
    std::copy(values.begin(), values.end(), tensor.data<float>());
    return tensor;
  };
  const Tensor maps = maps_of({1, 0.5F, 0.25F});
  const SheetLayout layout = sheet_layout(maps.shape(), {.columns = 3});
  CHECK(layout.enlarged == 96);
  const Image sheet = paint_sheet(maps.ref(), layout, {.columns = 3}, 1);
  CHECK(tile_colour(sheet, layout, 0, 5, 5) == Colour{255, 255, 255});
  CHECK(tile_colour(sheet, layout, 1, 5, 5) == Colour{128, 128, 128});  // 127.5, rounded to even
  CHECK(tile_colour(sheet, layout, 2, 5, 5) == Colour{64, 64, 64});

  // The text above a tile is that of its own value: it changes with it, though the colours are those of the largest.
  const auto heads_differ = [&](const Tensor& a, const Tensor& b, std::int64_t tile) {
    const Image one = paint_sheet(a.ref(), layout, {.columns = 3}, 1),
                other = paint_sheet(b.ref(), layout, {.columns = 3}, 1);
    const std::int64_t left = kTileGap + tile * (layout.cell_width + kTileGap);
    for (std::int64_t y = 0; y < kTileGap + kNumberHeight; ++y)
      for (std::int64_t x = left; x < left + layout.cell_width; ++x)
        if (colour_at(one, y, x) != colour_at(other, y, x)) return true;
    return false;
  };
  const Tensor changed = maps_of({1, 0.5F, 0.125F});
  CHECK(heads_differ(maps, changed, 2));
  CHECK_FALSE(heads_differ(maps, changed, 1));
}

TEST_CASE("a range that does not fit is written shorter, not left out") {
  const Tensor small = feature_maps({0}, {-0.123456F}), large = feature_maps({0}, {-0.523456F});
  const SheetLayout layout = sheet_layout(small.shape(), {});
  REQUIRE(text_width("0: -0.123 to 0.123", 12) > static_cast<double>(layout.cell_width));
  const Image a = paint_sheet(small.ref(), layout, {}, 1), b = paint_sheet(large.ref(), layout, {}, 1);
  bool differ = false;
  for (std::int64_t y = 0; y < kTileGap + kNumberHeight; ++y)
    for (std::int64_t x = 0; x < layout.width; ++x) differ |= colour_at(a, y, x) != colour_at(b, y, x);
  CHECK(differ);
}
