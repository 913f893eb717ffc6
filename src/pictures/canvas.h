// Drawing on a picture: rectangles, lines, text, other pictures.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "pictures/image.h"

namespace convtool {

struct Colour {
  std::uint8_t r = 0, g = 0, b = 0;

  constexpr bool operator==(const Colour&) const = default;
};

/// How a line is drawn; the width is in pixels.
struct Stroke {
  Colour colour;
  double width = 1;
  bool dashed = false;
};

inline constexpr double kDash = 4, kDashGap = 3;  ///< lengths in a dashed line, as multiples of its width

enum class Anchor { start, middle, end };

/// Height of capital letters and digits, as a share of the font size. It is that of Helvetica and Arial.
inline constexpr double kCapHeight = 0.72;

/// A picture to draw on, u8 RGB. Coordinates are in pixels, to the right and downwards from the top left corner of the
/// picture; the centre of the first pixel is at (0.5, 0.5). What lies outside the picture is cut off. Horizontal and
/// vertical edges lie between pixels, so that they are sharp; other lines and text are anti-aliased.
class Canvas {
 public:
  /// Throws std::bad_alloc.
  Canvas(std::int64_t height, std::int64_t width, Colour background);
  /// Draws over `pixels`, u8 RGB, whose memory the canvas shares.
  Canvas(Image pixels, Colour background);

  void fill_rectangle(double x, double y, double width, double height, Colour colour);

  void line(double x1, double y1, double x2, double y2, const Stroke& stroke);

  /// Draws one line of `text`, UTF-8, with the Hershey font of OpenCV (A. V. Hershey, Calligraphy for computers, 1967).
  /// `x` is at the start, middle or end of the text, and `y` at the middle of its capital letters. `size` is the font
  /// size in pixels. Characters that the font lacks become similar ones of ASCII, or "?".
  void text(double x, double y, const std::string& text, double size, Anchor anchor, Colour colour);

  /// Scales `picture` to the box by nearest neighbour. It is u8, without alpha.
  void picture(double x, double y, double width, double height, const Image& picture);

  const Image& image() const { return image_; }

 private:
  Image image_;
};

/// The width in pixels of a line of text on a canvas. It is at least the width in Helvetica or Arial, except for text
/// of many wide letters.
double text_width(const std::string& text, double size);

}  // namespace convtool
