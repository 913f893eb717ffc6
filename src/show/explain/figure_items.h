// Internal to show/: the parts of a figure side by side.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "show/drawing.h"
#include "show/explain/panels.h"

namespace convtool {

inline constexpr double kLineHeight = 26, kLeastText = 8, kItemGap = 18;

/// A part of the figure under a caption. Sizes are in pixels.
struct Item {
  std::string caption;
  double width = 0, height = 0;  ///< of what is drawn below the caption
  std::function<void(double x, double y, Drawing& drawing)> draw = {};
};

Item grid_item(std::string caption, Grid grid, double cell);
Item panel_item(std::string caption, Panel panel);

/// A caption alone.
Item note_item(std::string text);

/// The item with a line below it. It is at least as wide as most such lines.
Item with_footer(Item item, std::string text);

/// Items below one another.
using Column = std::vector<Item>;

/// Columns beside one another, with an arrow between each and the next. A row that follows another begins with an
/// arrow.
class ColumnRows {
 public:
  /// Begins a new row where the next column would make a row wider than `most_width`. `columns` must outlive this.
  ColumnRows(std::span<const Column> columns, double most_width);

  double width() const { return width_; }
  double height() const { return height_; }

  /// Draws the rows one below the other, their columns centred, with the upper left corner at (x, y).
  void draw(double x, double y, Drawing& drawing) const;

 private:
  struct Row {
    std::span<const Column> columns;
    bool follows = false;
    double width = 0, height = 0;
  };

  std::vector<Row> rows_;
  double width_ = 0, height_ = 0;
};

}  // namespace convtool
