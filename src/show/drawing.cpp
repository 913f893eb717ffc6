#include "show/drawing.h"

#include <array>
#include <cmath>

#include "core/printable.h"
#include "core/text.h"
#include "pictures/encode_image.h"
#include "show/base64.h"

namespace convtool {
namespace {

constexpr std::string_view kAnchors[] = {"start", "middle", "end"};  // of SVG, in the order of Anchor

/// With at most two decimals, which is finer than pixels on any screen.
std::string number(double value) { return to_text(std::round(value * 100) / 100 + 0.0); }

std::string attribute(std::string_view name, double value) {
  return " " + std::string(name) + "=\"" + number(value) + "\"";
}

std::string attribute(std::string_view name, Colour colour) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = " " + std::string(name) + "=\"#";
  for (const std::uint8_t part : {colour.r, colour.g, colour.b}) text += {kDigits[part >> 4], kDigits[part & 15]};
  return text + "\"";
}

std::string attributes(const Stroke& stroke) {
  std::string text = attribute("stroke", stroke.colour) + attribute("stroke-width", stroke.width);
  if (stroke.dashed)
    text += " stroke-dasharray=\"" + number(kDash * stroke.width) + " " + number(kDashGap * stroke.width) + "\"";
  return text;
}

std::string box(const auto& shape) {
  return attribute("x", shape.x) + attribute("y", shape.y) + attribute("width", shape.width) +
         attribute("height", shape.height);
}

/// As character data. Characters that XML does not allow become visible escapes.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      default: safe += c;
    }
  }
  return safe;
}

std::string svg_element(const Drawing::Rectangle& rectangle) {
  return "<rect" + box(rectangle) + (rectangle.fill ? attribute("fill", *rectangle.fill) : " fill=\"none\"") +
         (rectangle.stroke ? attributes(*rectangle.stroke) : "") + " shape-rendering=\"crispEdges\"/>";
}

std::string svg_element(const Drawing::Line& line) {
  const bool is_upright = line.x1 == line.x2 || line.y1 == line.y2;
  return "<line" + attribute("x1", line.x1) + attribute("y1", line.y1) + attribute("x2", line.x2) +
         attribute("y2", line.y2) + attributes(line.stroke) + (is_upright ? " shape-rendering=\"crispEdges\"/>" : "/>");
}

std::string svg_element(const Drawing::Text& text) {
  const double baseline = text.y + text.size * kCapHeight / 2;  // not every program knows dominant-baseline
  return "<text" + attribute("x", text.x) + attribute("y", baseline) + attribute("font-size", text.size) +
         " text-anchor=\"" + std::string(kAnchors[static_cast<int>(text.anchor)]) + "\"" +
         attribute("fill", text.colour) + ">" + escaped(text.text) + "</text>";
}

std::string svg_element(const Drawing::Raster& raster) {
  const Bytes png = encode_image(raster.picture, *find_picture_format("png"));
  return "<image" + box(raster) +
         " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64," +
         base64(png) + "\"/>";
}

void draw(const Drawing::Rectangle& rectangle, Canvas& canvas) {
  const auto& [x, y, width, height, fill, stroke] = rectangle;
  if (fill) canvas.fill_rectangle(x, y, width, height, *fill);
  if (!stroke) return;
  const double half = stroke->dashed ? 0 : stroke->width / 2;  // corners are square
  for (const double side : {y, y + height}) canvas.line(x - half, side, x + width + half, side, *stroke);
  for (const double side : {x, x + width}) canvas.line(side, y, side, y + height, *stroke);
}

void draw(const Drawing::Line& line, Canvas& canvas) { canvas.line(line.x1, line.y1, line.x2, line.y2, line.stroke); }

void draw(const Drawing::Text& text, Canvas& canvas) {
  canvas.text(text.x, text.y, text.text, text.size, text.anchor, text.colour);
}

void draw(const Drawing::Raster& raster, Canvas& canvas) {
  canvas.picture(raster.x, raster.y, raster.width, raster.height, raster.picture);
}

}  // namespace

std::string to_svg(const Drawing& drawing) {
  const std::string size = attribute("width", drawing.width) + attribute("height", drawing.height);
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + size + " viewBox=\"0 0 " + number(drawing.width) +
                    " " + number(drawing.height) + "\" font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n";
  svg += "<title>" + escaped(drawing.title) + "</title>\n";
  svg += "<rect" + size + attribute("fill", drawing.background) + "/>\n";
  for (const auto& shape : drawing.shapes)
    svg += std::visit([](const auto& one) { return svg_element(one); }, shape) + "\n";
  return svg + "</svg>\n";
}

Image to_image(const Drawing& drawing) {
  Image pixels(DType::u8, PixelFormat::rgb, static_cast<std::int64_t>(std::ceil(drawing.height)),
               static_cast<std::int64_t>(std::ceil(drawing.width)));
  paint(drawing, pixels);
  return pixels;
}

void paint(const Drawing& drawing, const Image& pixels) {
  Canvas canvas(pixels, drawing.background);
  for (const auto& shape : drawing.shapes) std::visit([&](const auto& one) { draw(one, canvas); }, shape);
}

}  // namespace convtool
