#include "pictures/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <string_view>
#include <utility>

#include "pictures/opencv/opencv_support.h"

namespace convtool {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;

/// The matrix of an RGB picture.
cv::Mat matrix_of(const Image& image) {
  const TensorRef pixels = image.all();
  auto* const blue = static_cast<std::uint8_t*>(pixels.data) + 2 * pixels.strides.c;
  return {static_cast<int>(pixels.shape.h), static_cast<int>(pixels.shape.w), CV_8UC3, blue,
          static_cast<std::size_t>(pixels.strides.h)};
}

cv::Scalar scalar_of(Colour colour) { return {double(colour.b), double(colour.g), double(colour.r)}; }

/// Fills the part of the box within the picture. cv::rectangle() takes longer, because it also draws the outline.
void fill(cv::Mat& mat, const cv::Rect& box, Colour colour) {
  const cv::Rect inside = box & cv::Rect(0, 0, mat.cols, mat.rows);
  if (inside.empty()) return;
  std::uint8_t* const first = mat.ptr(inside.y, inside.x);
  std::fill_n(reinterpret_cast<cv::Vec3b*>(first), inside.width, cv::Vec3b(colour.b, colour.g, colour.r));
  for (int y = inside.y + 1; y < inside.y + inside.height; ++y)
    std::memcpy(mat.ptr(y, inside.x), first, static_cast<std::size_t>(inside.width) * mat.elemSize());
}

/// The number of the first pixel whose centre is not before `edge`.
int pixel_after(double edge) { return static_cast<int>(std::floor(edge + 0.5)); }

/// The characters of `text` that the Hershey fonts have, which is ASCII.
std::string in_ascii(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kSimilar[] = {{"−", "-"},  {"–", "-"},     {"×", "x"},
                                                                        {"·", "."},  {"…", "..."},   {"→", "->"},
                                                                        {"π", "pi"}, {"σ", "sigma"}, {"≈", "~"}};
  std::string ascii;
  for (std::size_t at = 0; at < text.size();) {
    const auto* const similar = std::find_if(std::begin(kSimilar), std::end(kSimilar),
                                             [&](const auto& pair) { return text.substr(at).starts_with(pair.first); });
    if (similar != std::end(kSimilar)) {
      ascii += similar->second;
      at += similar->first.size();
      continue;
    }
    const bool is_ascii = text[at] >= ' ' && text[at] <= '~';
    ascii += is_ascii ? text[at] : '?';
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;  // of the same character
  }
  return ascii;
}

int font_thickness(double size) {
  constexpr double kStem = 0.06;  // as a share of the size; OpenCV draws wider than it says
  return std::max(1, static_cast<int>(std::lround(size * kStem)));
}

/// For capital letters whose outermost pixels are kCapHeight apart: the strokes are half outside the letters' outlines.
double font_scale(double size) {
  constexpr double kCapital = 21;  // the height of capital letters at scale 1
  return (size * kCapHeight - font_thickness(size)) / kCapital;
}

void draw_horizontal(cv::Mat& mat, double x1, double x2, double y, const Stroke& stroke) {
  const int top = pixel_after(y - stroke.width / 2), height = std::max(1, static_cast<int>(std::lround(stroke.width)));
  const int left = pixel_after(std::min(x1, x2)), right = pixel_after(std::max(x1, x2));
  fill(mat, {left, top, right - left, height}, stroke.colour);
}

void draw_vertical(cv::Mat& mat, double x, double y1, double y2, const Stroke& stroke) {
  const int left = pixel_after(x - stroke.width / 2), width = std::max(1, static_cast<int>(std::lround(stroke.width)));
  const int top = pixel_after(std::min(y1, y2)), bottom = pixel_after(std::max(y1, y2));
  fill(mat, {left, top, width, bottom - top}, stroke.colour);
}

void draw_undashed(cv::Mat& mat, double x1, double y1, double x2, double y2, const Stroke& stroke) {
  if (y1 == y2) return draw_horizontal(mat, x1, x2, y1, stroke);
  if (x1 == x2) return draw_vertical(mat, x1, y1, y2, stroke);
  constexpr int kShift = 8;  // binary places of coordinates, which OpenCV counts from the centre of the first pixel
  const auto point = [](double x, double y) {
    return cv::Point(static_cast<int>(std::lround((x - 0.5) * (1 << kShift))),
                     static_cast<int>(std::lround((y - 0.5) * (1 << kShift))));
  };
  cv::line(mat, point(x1, y1), point(x2, y2), scalar_of(stroke.colour),
           std::max(1, static_cast<int>(std::lround(stroke.width))), cv::LINE_AA, kShift);
}

}  // namespace

Canvas::Canvas(std::int64_t height, std::int64_t width, Colour background)
    : Canvas(Image(DType::u8, PixelFormat::rgb, height, width), background) {}

Canvas::Canvas(Image pixels, Colour background) : image_(std::move(pixels)) {
  require(image_.dtype() == DType::u8 && image_.format() == PixelFormat::rgb, "a canvas that is not u8 RGB");
  call_opencv([&] {
    cv::Mat mat = matrix_of(image_);
    fill(mat, {0, 0, mat.cols, mat.rows}, background);
  });
}

void Canvas::fill_rectangle(double x, double y, double width, double height, Colour colour) {
  const int left = pixel_after(x), top = pixel_after(y);
  const cv::Rect box(left, top, pixel_after(x + width) - left, pixel_after(y + height) - top);
  call_opencv([&] {
    cv::Mat mat = matrix_of(image_);
    fill(mat, box, colour);
  });
}

void Canvas::line(double x1, double y1, double x2, double y2, const Stroke& stroke) {
  call_opencv([&] {
    cv::Mat mat = matrix_of(image_);
    if (!stroke.dashed) return draw_undashed(mat, x1, y1, x2, y2, stroke);
    const double length = std::hypot(x2 - x1, y2 - y1), dash = kDash * stroke.width;
    for (double from = 0; from < length; from += dash + kDashGap * stroke.width) {
      const double begin = from / length, end = std::min(1.0, (from + dash) / length);
      draw_undashed(mat, std::lerp(x1, x2, begin), std::lerp(y1, y2, begin), std::lerp(x1, x2, end),
                    std::lerp(y1, y2, end), stroke);
    }
  });
}

void Canvas::text(double x, double y, const std::string& text, double size, Anchor anchor, Colour colour) {
  const std::string ascii = in_ascii(text);
  const double before = anchor == Anchor::start ? 0 : text_width(text, size) / (anchor == Anchor::middle ? 2 : 1);
  const cv::Point origin(static_cast<int>(std::lround(x - before)),
                         static_cast<int>(std::lround(y + size * kCapHeight / 2)) - 1);
  call_opencv([&] {
    cv::Mat mat = matrix_of(image_);
    cv::putText(mat, ascii, origin, kFont, font_scale(size), scalar_of(colour), font_thickness(size), cv::LINE_AA);
  });
}

void Canvas::picture(double x, double y, double width, double height, const Image& picture) {
  require(picture.dtype() == DType::u8 && !has_alpha(picture.format()),
          "a picture on a canvas that is not u8 or has alpha");
  const auto from = picture.all().view<std::uint8_t>(), to = image_.all().view<std::uint8_t>();
  const auto left = static_cast<std::int64_t>(pixel_after(x)), top = static_cast<std::int64_t>(pixel_after(y));
  const std::int64_t columns = pixel_after(x + width) - left, rows = pixel_after(y + height) - top;
  const std::int64_t step = from.shape.c == 1 ? 0 : from.strides.c;  // grey is repeated
  for (std::int64_t row = std::max<std::int64_t>(0, -top); row < std::min(rows, to.shape.h - top); ++row) {
    for (std::int64_t column = std::max<std::int64_t>(0, -left); column < std::min(columns, to.shape.w - left);
         ++column) {
      const std::uint8_t* const pixel = &from.at(0, 0, row * from.shape.h / rows, column * from.shape.w / columns);
      for (std::int64_t c = 0; c < 3; ++c) to.at(0, c, top + row, left + column) = pixel[c * step];
    }
  }
}

double text_width(const std::string& text, double size) {
  int below = 0;
  return call_opencv(
      [&] { return cv::getTextSize(in_ascii(text), kFont, font_scale(size), font_thickness(size), &below).width; });
}

}  // namespace convtool
