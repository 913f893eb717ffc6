#include "show/explain/figure_items.h"

#include <algorithm>
#include <utility>

namespace convtool {
namespace {

constexpr double kSignWidth = 40, kPanelSide = 300;

double width_of(const Column& column) {
  double most = 0;
  for (const Item& item : column) most = std::max({most, item.width, text_width(item.caption, kCaptionSize)});
  return most;
}

double height_of(const Column& column) {
  double sum = 0;
  for (const Item& item : column) sum += kCaptionHeight + item.height + (&item == &column.front() ? 0 : kItemGap);
  return sum;
}

void draw_column(const Column& column, double x, double y, Drawing& drawing) {
  for (const Item& item : column) {
    drawing.shapes.emplace_back(Drawing::Text{
        .x = x, .y = y + kCaptionHeight / 2 - 2, .text = item.caption, .size = kCaptionSize, .colour = kFaint});
    if (item.draw) item.draw(x, y + kCaptionHeight, drawing);
    y += kCaptionHeight + item.height + kItemGap;
  }
}

void draw_arrow(double x, double y, Drawing& drawing) {
  const Stroke stroke{.colour = kFaint, .width = 2};
  constexpr double kHalf = 9, kHead = 5;
  drawing.shapes.emplace_back(Drawing::Line{x - kHalf, y, x + kHalf, y, stroke});
  drawing.shapes.emplace_back(Drawing::Line{x + kHalf - kHead, y - kHead, x + kHalf, y, stroke});
  drawing.shapes.emplace_back(Drawing::Line{x + kHalf - kHead, y + kHead, x + kHalf, y, stroke});
}

}  // namespace

Item grid_item(std::string caption, Grid grid, double cell) {
  const double width = grid_width(grid, cell), height = grid_height(grid, cell);
  return {std::move(caption), width, height, [grid = std::move(grid), cell](double x, double y, Drawing& drawing) {
            draw_grid(grid, cell, x, y, drawing);
          }};
}

Item panel_item(std::string caption, Panel panel) {
  const double width = panel_width(panel, kPanelSide), height = panel_height(panel, kPanelSide);
  return {std::move(caption), width, height, [panel = std::move(panel)](double x, double y, Drawing& drawing) {
            draw_panel(panel, kPanelSide, x, y, drawing);
          }};
}

Item note_item(std::string text) { return {std::move(text)}; }

Item with_footer(Item item, std::string text) {
  constexpr double kLeastWidth = 150;
  const double top = item.height;
  item.width = std::max(item.width, kLeastWidth);
  item.height += kCaptionHeight;
  item.draw = [draw = std::move(item.draw), text = std::move(text), top, width = item.width](double x, double y,
                                                                                             Drawing& drawing) {
    draw(x, y, drawing);
    put_fitted(text, x, y + top + kCaptionHeight / 2, width, kCaptionSize, kLeastText, Anchor::start, kInk, drawing);
  };
  return item;
}

ColumnRows::ColumnRows(std::span<const Column> columns, double most_width) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double width = width_of(columns[i]);
    if (rows_.empty() || rows_.back().width + kSignWidth + width > most_width) {
      first = i;
      rows_.push_back({.follows = i > 0});
    }
    Row& row = rows_.back();
    row.columns = columns.subspan(first, i + 1 - first);
    row.width += width + (row.columns.size() > 1 || row.follows ? kSignWidth : 0);
    row.height = std::max(row.height, height_of(columns[i]));
  }
  for (const Row& row : rows_) {
    width_ = std::max(width_, row.width);
    height_ += row.height + (row.follows ? kItemGap : 0);
  }
}

void ColumnRows::draw(double x, double y, Drawing& drawing) const {
  for (const Row& row : rows_) {
    double left = x;
    for (const Column& column : row.columns) {
      if (row.follows || &column != &row.columns.front()) {
        draw_arrow(left + kSignWidth / 2, y + row.height / 2, drawing);
        left += kSignWidth;
      }
      draw_column(column, left, y + (row.height - height_of(column)) / 2, drawing);
      left += width_of(column);
    }
    y += row.height + kItemGap;
  }
}

}  // namespace convtool
