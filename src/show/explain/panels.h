// Internal to show/: the parts of a figure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "show/drawing.h"
#include "show/explain/explanation.h"
#include "show/sign_colours.h"

namespace convtool {

inline constexpr Colour kInk = {34, 34, 34}, kFaint = {120, 120, 120}, kGridLine = {190, 190, 190},
                        kEmpty = {242, 242, 242};
/// Bluish green, which people of any colour vision can tell from the colours of signs (M. Okabe and K. Ito, Color
/// universal design, 2008).
inline constexpr Colour kWindow = {0, 158, 115};
inline constexpr double kCaptionSize = 15, kCaptionHeight = 24;

/// One cell of a grid.
struct GridCell {
  std::optional<double> value;
  Colour fill = {255, 255, 255};
  bool outside = false;  ///< drawn with dashes
  bool blank = false;    ///< the number is not drawn, but counts for the size of all
};

/// Cells in rows and columns, counted from `first_row` and `first_column`.
struct Grid {
  std::int64_t first_row = 0, first_column = 0, rows = 0, columns = 0;
  std::function<GridCell(std::int64_t y, std::int64_t x)> cell;
  /// Numbers have no decimals that are below the first three digits of this one, which is the largest of a kernel:
  /// 6e-18 is 0 beside 0.05. 0: all have three digits.
  double largest = 0;
  /// Places that are outlined, and ranges that are outlined as a whole.
  std::vector<Pixel> marked;
  std::optional<Region> framed;
  std::optional<Region> dashed;  ///< with dashes, where it differs from the one above; cut off at the grid
};

double grid_width(const Grid& grid, double cell);
double grid_height(const Grid& grid, double cell);

/// Draws the grid with its upper left corner at (x, y). All numbers have the same size. Where three significant digits
/// do not fit, they have two or one, or all are left out.
void draw_grid(const Grid& grid, double cell, double x, double y, Drawing& drawing);

/// The colour of a value between 0 and `full`, from black to white.
Colour grey_of(double value, double full);

/// White for 0, towards orange for positive values up to `largest`, and towards blue for negative ones.
Colour sign_tint(double value, double largest);

/// A text that is no wider than `width`: its size shrinks down to `least`. Below that nothing is drawn.
void put_fitted(const std::string& text, double x, double y, double width, double size, double least, Anchor anchor,
                Colour colour, Drawing& drawing);

/// A picture in a box, with a frame around a region of it, which is cut off at the box and at least a few pixels large.
struct Panel {
  std::int64_t rows = 0, columns = 0;  ///< of the channel
  std::optional<Image> picture;        ///< nothing: an empty box
  std::optional<Region> framed;
};

double panel_width(const Panel& panel, double side);
double panel_height(const Panel& panel, double side);
void draw_panel(const Panel& panel, double side, double x, double y, Drawing& drawing);

/// Channel `channel` of the first item as a picture of at most `most` pixels on each side, every n-th pixel of a larger
/// one. Integers are scaled to 8 bits, floats from the smallest to the largest. `all_colours`: the first three channels
/// as R, G, B.
Image thumbnail(const ConstTensorRef& tensor, std::int64_t channel, bool all_colours, std::int64_t most);

}  // namespace convtool
