// Drawing on a canvas: which pixels change, and to what.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "pictures/canvas.h"

using namespace convtool;

namespace {

constexpr Colour kWhite = {255, 255, 255}, kBlack = {0, 0, 0}, kRed = {255, 0, 0};

Colour pixel(const Image& image, std::int64_t y, std::int64_t x) {
  const auto view = image.all().view<std::uint8_t>();
  return {view.at(0, 0, y, x), view.at(0, 1, y, x), view.at(0, 2, y, x)};
}

/// The rows of a picture, with a letter for each pixel: "." for white, "#" for black, "r" for red, "?" for others.
std::string letters(const Image& image) {
  std::string text;
  for (std::int64_t y = 0; y < image.all().shape.h; ++y) {
    for (std::int64_t x = 0; x < image.all().shape.w; ++x) {
      const Colour colour = pixel(image, y, x);
      text += colour == kWhite ? '.' : colour == kBlack ? '#' : colour == kRed ? 'r' : '?';
    }
    text += '\n';
  }
  return text;
}

/// The first and the last row (or column) of a canvas of `size` x `size` that has a pixel which is not white.
struct Range {
  std::int64_t first, last;
};

Range marked(const Image& image, bool rows) {
  const std::int64_t size = image.all().shape.h;
  Range range{.first = size, .last = -1};
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = 0; j < size; ++j)
      if (pixel(image, rows ? i : j, rows ? j : i) != kWhite)
        range = {.first = std::min(range.first, i), .last = std::max(range.last, i)};
  return range;
}

}  // namespace

TEST_CASE("a rectangle fills the pixels whose centres it covers, in R, G, B") {
  Canvas canvas(4, 5, kWhite);
  canvas.fill_rectangle(1, 1, 2.4, 2.6, kRed);  // up to 3.4 and 3.6
  CHECK(letters(canvas.image()) == ".....\n.rr..\n.rr..\n.rr..\n");
  canvas.fill_rectangle(3, -5, 100, 7, kBlack);  // cut off at three edges
  canvas.fill_rectangle(0, 3, 0, 1, kBlack);     // empty
  CHECK(letters(canvas.image()) == "...##\n.rr##\n.rr..\n.rr..\n");
}

TEST_CASE("horizontal and vertical lines are sharp, and dashed ones have gaps") {
  Canvas canvas(4, 12, kWhite);
  canvas.line(0, 1, 12, 1, {.colour = kBlack, .width = 2});
  canvas.line(12, 3.5, 0, 3.5, {.colour = kRed, .dashed = true});
  CHECK(letters(canvas.image()) == "############\n############\n............\n.rrrr...rrrr\n");
  canvas.line(6, 4, 6, 2, {.colour = kBlack, .width = 2});
  CHECK(letters(canvas.image()) == "############\n############\n.....##.....\n.rrrr##.rrrr\n");
}

TEST_CASE("other lines are anti-aliased and pass through the pixels between their ends") {
  Canvas canvas(9, 9, kWhite);
  canvas.line(0.5, 0.5, 8.5, 8.5, {.colour = kBlack});
  for (std::int64_t i = 1; i < 8; ++i) CHECK(pixel(canvas.image(), i, i).r < 64);
  CHECK(pixel(canvas.image(), 2, 6) == kWhite);
  CHECK(letters(canvas.image()).find('?') != std::string::npos);
}

TEST_CASE("text stands where its anchor says, as high as its size says") {
  constexpr std::int64_t kSide = 200;
  constexpr double kSize = 40, kMiddle = 100;
  for (const Anchor anchor : {Anchor::start, Anchor::middle, Anchor::end}) {
    Canvas canvas(kSide, kSide, kWhite);
    canvas.text(kMiddle, kMiddle, "88", kSize, anchor, kBlack);
    const Range rows = marked(canvas.image(), true), columns = marked(canvas.image(), false);
    const double width = text_width("88", kSize);
    const double left = kMiddle - (anchor == Anchor::start ? 0 : anchor == Anchor::middle ? width / 2 : width);
    CAPTURE(static_cast<int>(anchor));
    // A height of H touches at most H + 2 pixels; anti-aliased ends add or lose up to two on each side. A glyph has a
    // margin on each side.
    constexpr double kBlur = 2, kStem = 2, kMargin = kSize / 5;
    CHECK(static_cast<double>(rows.last - rows.first + 1) >= kSize * kCapHeight - 2 * kBlur);
    CHECK(static_cast<double>(rows.last - rows.first + 1) <= kSize * kCapHeight + 2 + 2 * kBlur);
    CHECK(static_cast<double>(rows.first + rows.last + 1) / 2 == doctest::Approx(kMiddle).epsilon(0.02));
    CHECK(static_cast<double>(columns.first) >= left - kStem);
    CHECK(static_cast<double>(columns.first) <= left + kMargin);
    CHECK(static_cast<double>(columns.last) <= left + width + kStem);
    CHECK(static_cast<double>(columns.last) >= left + width - kMargin);
  }
}

TEST_CASE("characters that the font lacks become similar ones") {
  CHECK(text_width("3 × −2…", 20) == text_width("3 x -2...", 20));
  CHECK(text_width("\xE6\xBC\xA2\xE5\xAD\x97", 20) == text_width("??", 20));
  CHECK(text_width("a\x01", 20) == text_width("a?", 20));
}

TEST_CASE("a picture is scaled by nearest neighbour and cut off at the edges") {
  Image grey(DType::u8, PixelFormat::grey, 2, 2);
  const auto view = grey.all().view<std::uint8_t>();
  view.at(0, 0, 0, 0) = view.at(0, 0, 1, 1) = 0;
  view.at(0, 0, 0, 1) = view.at(0, 0, 1, 0) = 255;
  Canvas canvas(4, 6, kRed);
  canvas.picture(1, 0, 4, 4, grey);
  CHECK(letters(canvas.image()) == "r##..r\nr##..r\nr..##r\nr..##r\n");
  canvas.picture(-2, 2, 4, 4, grey);
  CHECK(letters(canvas.image()) == "r##..r\nr##..r\n...##r\n...##r\n");

  Image rgb(DType::u8, PixelFormat::rgb, 1, 1);
  for (std::int64_t c = 0; c < 3; ++c) rgb.all().view<std::uint8_t>().at(0, c, 0, 0) = c == 0 ? 255 : 0;
  canvas.picture(4, 3, 9, 9, rgb);
  CHECK(letters(canvas.image()) == "r##..r\nr##..r\n...##r\n...#rr\n");
}
