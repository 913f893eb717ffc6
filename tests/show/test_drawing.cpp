// The two forms of a drawing. What a canvas makes of shapes is tested in pictures/test_canvas.cpp.
#include <doctest/doctest.h>

#include <string>

#include "show/drawing.h"

using namespace convtool;

namespace {

constexpr Colour kWhite = {255, 255, 255}, kBlack = {0, 0, 0}, kBlue = {0, 64, 255};

Drawing of(std::variant<Drawing::Rectangle, Drawing::Line, Drawing::Text, Drawing::Raster> shape) {
  return {.width = 10, .height = 8, .title = "", .shapes = {std::move(shape)}};
}

/// The line of the SVG file that has the only shape of `drawing`.
std::string element(const Drawing& drawing) {
  const std::string svg = to_svg(drawing);
  const std::string ending = "\n</svg>\n";
  REQUIRE(svg.ends_with(ending));
  const std::size_t end = svg.size() - ending.size();
  return svg.substr(svg.rfind('\n', end - 1) + 1, end - svg.rfind('\n', end - 1) - 1);
}

Colour pixel(const Image& image, std::int64_t y, std::int64_t x) {
  const auto view = image.all().view<std::uint8_t>();
  return {view.at(0, 0, y, x), view.at(0, 1, y, x), view.at(0, 2, y, x)};
}

}  // namespace

TEST_CASE("an SVG file has a size, a title, a background and the shapes in order") {
  Drawing drawing{.width = 20.5, .height = 10, .title = "a < b", .background = kBlue};
  drawing.shapes.emplace_back(Drawing::Line{.x1 = 0, .y1 = 1, .x2 = 2, .y2 = 3.14159, .stroke = {}});
  drawing.shapes.emplace_back(Drawing::Rectangle{.width = 1, .height = 1, .fill = kWhite, .stroke = {}});
  CHECK(to_svg(drawing) ==
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"20.5\" height=\"10\" viewBox=\"0 0 20.5 10\" "
        "font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n"
        "<title>a &lt; b</title>\n"
        "<rect width=\"20.5\" height=\"10\" fill=\"#0040ff\"/>\n"
        "<line x1=\"0\" y1=\"1\" x2=\"2\" y2=\"3.14\" stroke=\"#000000\" stroke-width=\"1\"/>\n"
        "<rect x=\"0\" y=\"0\" width=\"1\" height=\"1\" fill=\"#ffffff\" shape-rendering=\"crispEdges\"/>\n"
        "</svg>\n");
}

TEST_CASE("an outline without a fill, and dashes in proportion to the width") {
  CHECK(element(of(Drawing::Rectangle{.x = 1,
                                      .y = 2,
                                      .width = 3,
                                      .height = 4,
                                      .fill = {},
                                      .stroke = Stroke{.colour = kBlue, .width = 2, .dashed = true}})) ==
        "<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" fill=\"none\" stroke=\"#0040ff\" stroke-width=\"2\" "
        "stroke-dasharray=\"8 6\" shape-rendering=\"crispEdges\"/>");
}

TEST_CASE("text is text: anchored, centred on its capitals, and escaped") {
  const Drawing drawing = of(Drawing::Text{
      .x = 5, .y = 4, .text = "<\"3 & 4\">\x01\xff", .size = 10, .anchor = Anchor::middle, .colour = kBlue});
  CHECK(element(drawing) ==
        "<text x=\"5\" y=\"7.6\" font-size=\"10\" text-anchor=\"middle\" fill=\"#0040ff\">&lt;\"3 &amp; "
        "4\"&gt;\\x01\\xff</text>");
}

TEST_CASE("a picture is embedded as PNG, with its pixels kept apart") {
  Image dot(DType::u8, PixelFormat::grey, 1, 1);
  dot.all().view<std::uint8_t>().at(0, 0, 0, 0) = 7;
  const Drawing drawing = of(Drawing::Raster{.x = 1, .y = 2, .width = 3, .height = 4, .picture = dot});
  const std::string begin =
      "<image x=\"1\" y=\"2\" width=\"3\" height=\"4\" preserveAspectRatio=\"none\" "
      "style=\"image-rendering:pixelated\" href=\"data:image/png;base64,iVBORw0KGgo";
  CHECK(element(drawing).substr(0, begin.size()) == begin);
  const Image image = to_image(drawing);
  CHECK(pixel(image, 2, 1) == Colour{7, 7, 7});
  CHECK(pixel(image, 5, 3) == Colour{7, 7, 7});
  CHECK(pixel(image, 6, 3) == kWhite);
  CHECK(pixel(image, 5, 4) == kWhite);
}

TEST_CASE("pixels: the size is rounded up, later shapes cover earlier ones, an outline surrounds its rectangle") {
  Drawing drawing{.width = 8.2, .height = 6, .title = "", .background = kBlue};
  drawing.shapes.emplace_back(Drawing::Rectangle{.x = 1, .y = 1, .width = 6, .height = 5, .fill = kBlue, .stroke = {}});
  drawing.shapes.emplace_back(
      Drawing::Rectangle{.x = 2, .y = 2, .width = 4, .height = 3, .fill = kWhite, .stroke = Stroke{.width = 2}});
  const Image image = to_image(drawing);
  CHECK(image.all().shape == Shape{1, 3, 6, 9});
  const std::int64_t top = 1, left = 1, bottom = 5, right = 6;  // the outermost pixels of the outline
  for (std::int64_t y = 0; y < 6; ++y)
    for (std::int64_t x = 0; x < 9; ++x) {
      const bool inside = y > top + 1 && y < bottom - 1 && x > left + 1 && x < right - 1;
      const bool outside = y < top || y > bottom || x < left || x > right;
      CAPTURE(y);
      CAPTURE(x);
      CHECK(pixel(image, y, x) == (outside ? kBlue : inside ? kWhite : kBlack));
    }
}
