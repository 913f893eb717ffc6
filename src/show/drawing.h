// Drawings as data, and their two forms: SVG and pixels.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pictures/canvas.h"

namespace convtool {

/// Shapes on a background, the first of them lowest. Coordinates and sizes are in pixels, to the right and downwards
/// from the top left corner.
struct Drawing {
  struct Rectangle {
    double x = 0, y = 0, width = 0, height = 0;
    std::optional<Colour> fill;
    std::optional<Stroke> stroke;  ///< its middle runs along the edges
  };
  struct Line {
    double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
    Stroke stroke;
  };
  /// One line of text, UTF-8. `x` is at its start, middle or end, and `y` at the middle of its capital letters.
  struct Text {
    double x = 0, y = 0;
    std::string text;
    double size = 14;  ///< of the font
    Anchor anchor = Anchor::start;
    Colour colour;
  };
  /// A picture, u8 and without alpha, scaled to the box by nearest neighbour.
  struct Raster {
    double x = 0, y = 0, width = 0, height = 0;
    Image picture;
  };

  double width = 0, height = 0;
  std::string title;  ///< of the drawing, for screen readers; not drawn
  Colour background = {255, 255, 255};
  std::vector<std::variant<Rectangle, Line, Text, Raster>> shapes;
};

/// The drawing as an SVG file. Its text is text, which can be searched and edited. Pictures are in it, as PNG.
std::string to_svg(const Drawing& drawing);

/// The drawing as pixels, u8 RGB; fractions of pixels at the right and lower edge are rounded up.
Image to_image(const Drawing& drawing);

/// Draws over `pixels`, u8 RGB of any size; the drawing is cut off, or extended by its background.
void paint(const Drawing& drawing, const Image& pixels);

}  // namespace convtool
