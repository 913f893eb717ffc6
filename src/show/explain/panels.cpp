#include "show/explain/panels.h"

#include <algorithm>
#include <cmath>

#include "show/explain/steps.h"

namespace convtool {
namespace {

constexpr double kSmallestText = 7;
constexpr Colour kWhite = {255, 255, 255};

Colour blend(Colour from, Colour to, double share) {
  const auto part = [share](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + (b - a) * share));
  };
  return {part(from.r, to.r), part(from.g, to.g), part(from.b, to.b)};
}

/// Black or white, whichever can be read on `fill`.
Colour ink_on(Colour fill) {
  const double luma = 0.299 * fill.r + 0.587 * fill.g + 0.114 * fill.b;  // Rec. 601
  return luma > 140 ? kInk : kWhite;
}

/// A number in a grid with this Grid::largest.
std::string cell_number(double value, int digits, double largest) {
  if (largest > 0) {
    const double unit = std::pow(10.0, std::floor(std::log10(largest)) - digits + 1);
    if (unit < 1) value = std::round(value / unit) * unit;
  }
  std::string text = number_text(value, digits);
  if (text.starts_with("0.")) text.erase(0, 1);
  if (text.starts_with("-0.")) text.erase(1, 1);
  return text;
}

void frame(const Grid& grid, const Region& region, double cell, double x, double y, double width, Drawing& drawing,
           bool dashed = false) {
  drawing.shapes.emplace_back(
      Drawing::Rectangle{.x = x + static_cast<double>(region.first_column - grid.first_column) * cell,
                         .y = y + static_cast<double>(region.first_row - grid.first_row) * cell,
                         .width = static_cast<double>(region.last_column - region.first_column + 1) * cell,
                         .height = static_cast<double>(region.last_row - region.first_row + 1) * cell,
                         .fill = std::nullopt,
                         .stroke = Stroke{.colour = kWindow, .width = width, .dashed = dashed}});
}

/// How all numbers of a grid are written.
struct NumberStyle {
  int digits = 0;
  double size = 0;  ///< of the font
};

/// With as many digits as fit into cells of `cell` pixels, up to three; nothing if none does.
std::optional<NumberStyle> number_style(const std::vector<GridCell>& cells, double cell, double largest) {
  const double most = cell * 0.4, width = cell - 4;
  for (const int digits : {3, 2, 1}) {
    double longest = 0;
    for (const GridCell& content : cells)
      if (content.value) longest = std::max(longest, text_width(cell_number(*content.value, digits, largest), most));
    const double size = longest > width ? most * width / longest : most;
    if (size >= kSmallestText) return NumberStyle{.digits = digits, .size = std::floor(size * 4) / 4};
  }
  return std::nullopt;
}

Region cut_to(const Grid& grid, const Region& region) {
  const std::int64_t last_row = grid.first_row + grid.rows - 1, last_column = grid.first_column + grid.columns - 1;
  return {std::clamp(region.first_row, grid.first_row, last_row), std::clamp(region.last_row, grid.first_row, last_row),
          std::clamp(region.first_column, grid.first_column, last_column),
          std::clamp(region.last_column, grid.first_column, last_column)};
}

}  // namespace

double grid_width(const Grid& grid, double cell) { return static_cast<double>(grid.columns) * cell; }
double grid_height(const Grid& grid, double cell) { return static_cast<double>(grid.rows) * cell; }

Colour grey_of(double value, double full) {
  const auto level = static_cast<std::uint8_t>(std::lround(255 * std::clamp(value / full, 0.0, 1.0)));
  return {level, level, level};
}

Colour sign_tint(double value, double largest) {
  if (!(largest > 0) || std::isnan(value)) return kWhite;
  return blend(kWhite, value > 0 ? kPositiveTint : kNegativeTint, std::min(1.0, std::fabs(value) / largest));
}

void put_fitted(const std::string& text, double x, double y, double width, double size, double least, Anchor anchor,
                Colour colour, Drawing& drawing) {
  const double needed = text_width(text, size);
  const double fitting = needed > width ? size * width / needed : size;
  if (fitting < least || text.empty()) return;
  drawing.shapes.emplace_back(Drawing::Text{
      .x = x, .y = y, .text = text, .size = std::floor(fitting * 4) / 4, .anchor = anchor, .colour = colour});
}

void draw_grid(const Grid& grid, double cell, double x, double y, Drawing& drawing) {
  std::vector<GridCell> cells;
  for (std::int64_t row = 0; row < grid.rows; ++row)
    for (std::int64_t column = 0; column < grid.columns; ++column)
      cells.push_back(grid.cell(grid.first_row + row, grid.first_column + column));
  const std::optional<NumberStyle> style = number_style(cells, cell, grid.largest);
  for (const bool outside : {true, false})  // dashes below lines
    for (std::int64_t row = 0; row < grid.rows; ++row)
      for (std::int64_t column = 0; column < grid.columns; ++column) {
        const GridCell& content = cells[static_cast<std::size_t>(row * grid.columns + column)];
        if (content.outside != outside) continue;
        const double left = x + static_cast<double>(column) * cell, top = y + static_cast<double>(row) * cell;
        drawing.shapes.emplace_back(Drawing::Rectangle{
            .x = left,
            .y = top,
            .width = cell,
            .height = cell,
            .fill = content.fill,
            .stroke = Stroke{.colour = outside ? kFaint : kGridLine, .width = 1, .dashed = outside}});
        if (content.value && !content.blank && style)
          drawing.shapes.emplace_back(Drawing::Text{.x = left + cell / 2,
                                                    .y = top + cell / 2,
                                                    .text = cell_number(*content.value, style->digits, grid.largest),
                                                    .size = style->size,
                                                    .anchor = Anchor::middle,
                                                    .colour = outside ? kFaint : ink_on(content.fill)});
      }
  // Lines around large cells are no wider, or they would cross the caption.
  const double thin = std::clamp(cell / 20, 1.0, 3.0), thick = std::clamp(cell / 12, 2.0, 5.0);
  for (const Pixel& at : grid.marked) frame(grid, {at.y, at.y, at.x, at.x}, cell, x, y, thin, drawing);
  if (grid.dashed && grid.dashed != grid.framed)
    frame(grid, cut_to(grid, *grid.dashed), cell, x, y, thin, drawing, true);
  if (grid.framed) frame(grid, *grid.framed, cell, x, y, thick, drawing);
}

double panel_width(const Panel& panel, double side) {
  return std::max(1.0,
                  side * static_cast<double>(panel.columns) / static_cast<double>(std::max(panel.rows, panel.columns)));
}

double panel_height(const Panel& panel, double side) {
  return std::max(1.0,
                  side * static_cast<double>(panel.rows) / static_cast<double>(std::max(panel.rows, panel.columns)));
}

void draw_panel(const Panel& panel, double side, double x, double y, Drawing& drawing) {
  const double width = panel_width(panel, side), height = panel_height(panel, side);
  if (panel.picture)
    drawing.shapes.emplace_back(
        Drawing::Raster{.x = x, .y = y, .width = width, .height = height, .picture = *panel.picture});
  drawing.shapes.emplace_back(Drawing::Rectangle{.x = x,
                                                 .y = y,
                                                 .width = width,
                                                 .height = height,
                                                 .fill = std::nullopt,
                                                 .stroke = Stroke{.colour = kGridLine, .width = 1}});
  if (!panel.framed) return;
  constexpr double kLeast = 6;
  const double scale = width / static_cast<double>(panel.columns);
  const Region& region = *panel.framed;
  // The part within the picture: padding is not drawn.
  const auto span = [&](std::int64_t first, std::int64_t last, double length) {
    const double begin = std::max(static_cast<double>(first) * scale, 0.0),
                 end = std::min(static_cast<double>(last + 1) * scale, length);
    const double shown = std::min(std::max(end - begin, kLeast), length);
    return std::pair(std::clamp((begin + end - shown) / 2, 0.0, length - shown), shown);
  };
  const auto [left, across] = span(region.first_column, region.last_column, width);
  const auto [top, down] = span(region.first_row, region.last_row, height);
  drawing.shapes.emplace_back(Drawing::Rectangle{.x = x + left,
                                                 .y = y + top,
                                                 .width = across,
                                                 .height = down,
                                                 .fill = std::nullopt,
                                                 .stroke = Stroke{.colour = kWindow, .width = 2}});
}

Image thumbnail(const ConstTensorRef& tensor, std::int64_t channel, bool all_colours, std::int64_t most) {
  const Shape& shape = tensor.shape;
  const std::int64_t step = (std::max(shape.h, shape.w) + most - 1) / most;
  const std::int64_t h = (shape.h + step - 1) / step, w = (shape.w + step - 1) / step;
  Image image(DType::u8, all_colours ? PixelFormat::rgb : PixelFormat::grey, h, w);
  const TensorView<std::uint8_t> out = image.all().view<std::uint8_t>();
  visit_dtype(tensor.dtype, [&]<class T>(T) {
    const auto in = tensor.view<T>();
    // An animation makes thumbnails for every frame: so rows are read by pointers, and there is no lround().
    const auto for_each = [&](const auto& use) {
      for (std::int64_t c = 0; c < out.shape.c; ++c)
        for (std::int64_t y = 0; y < h; ++y) {
          const T* from = &in.at(0, all_colours ? c : channel, y * step, 0);
          std::uint8_t* to = &out.at(0, c, y, 0);
          for (std::int64_t x = 0; x < w; ++x, from += step * in.strides.w, to += out.strides.w) use(*from, *to);
        }
    };
    if constexpr (std::is_same_v<T, float>) {
      float low = std::numeric_limits<float>::infinity(), high = -low;
      for_each([&](float value, const std::uint8_t&) {
        if (!std::isfinite(value)) return;
        low = std::min(low, value);
        high = std::max(high, value);
      });
      const double begin = low, range = high > low ? static_cast<double>(high) - begin : 1;
      for_each([&](float value, std::uint8_t& to) {
        const double share = (static_cast<double>(value) - begin) / range;
        to = static_cast<std::uint8_t>(std::isnan(share) ? 0 : 255 * std::clamp(share, 0.0, 1.0) + 0.5);
      });
    } else {
      const double scale = 255 / full_value(tensor.dtype);
      for_each([&](T value, std::uint8_t& to) { to = static_cast<std::uint8_t>(value * scale + 0.5); });
    }
  });
  return image;
}

}  // namespace convtool
