#include "pictures/tiff/colours.h"

#include <algorithm>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <type_traits>
#include <utility>

#include "pictures/opencv/opencv_support.h"

namespace convtool {
namespace {

/// Scales and inverts integers of 0..full. Alpha is never inverted.
template <class T>
class IntegerScale {
 public:
  explicit IntegerScale(const TiffLayout& layout)
      : full_(layout.largest()), inverted_(layout.photometric == kWhiteIsZero) {}

  bool changes_nothing() const { return full_ == kLargest && !inverted_; }

  T colour(std::uint64_t value) const { return alpha(black_is_zero(value)); }
  T alpha(std::uint64_t value) const { return static_cast<T>(full_ == kLargest ? value : value * kLargest / full_); }
  T divided(std::uint64_t value, std::uint64_t alpha) const {
    if (alpha == 0) return 0;
    return static_cast<T>(std::min(kLargest, black_is_zero(value) * kLargest / alpha));
  }

 private:
  static constexpr std::uint64_t kLargest = std::numeric_limits<T>::max();

  std::uint64_t black_is_zero(std::uint64_t value) const { return inverted_ ? full_ - value : value; }

  std::uint64_t full_;
  bool inverted_;
};

/// The same for floats, which are not scaled. Unsigned integers of more than 16 bits are inverted.
class FloatScale {
 public:
  explicit FloatScale(const TiffLayout& layout)
      : integers_(layout.format != TiffSamples::floating),
        full_(static_cast<double>(layout.largest())),
        inverted_(layout.photometric == kWhiteIsZero && layout.format == TiffSamples::unsigned_integer) {}

  bool changes_nothing() const { return !inverted_; }

  float colour(float value) const { return inverted_ ? static_cast<float>(std::max(0.0, full_ - value)) : value; }
  float alpha(float value) const { return value; }
  float divided(float value, float alpha) const {
    if (alpha == 0) return 0;
    return integers_ ? static_cast<float>(colour(value) * full_ / alpha) : value / alpha;
  }

 private:
  bool integers_;
  double full_;
  bool inverted_;
};

template <class T>
using Scale = std::conditional_t<std::is_same_v<T, float>, FloatScale, IntegerScale<T>>;

template <class T>
void scale_row(T* row, std::int64_t width, int samples, const TiffLayout& layout) {
  const Scale<T> scale(layout);
  if (scale.changes_nothing() && layout.alpha != TiffAlpha::associated) return;
  const int colours = samples - (layout.alpha == TiffAlpha::none ? 0 : 1);
  for (T* pixel = row; pixel < row + width * samples; pixel += samples) {
    if (layout.alpha == TiffAlpha::associated)
      for (int c = 0; c < colours; ++c) pixel[c] = scale.divided(pixel[c], pixel[colours]);
    else
      for (int c = 0; c < colours; ++c) pixel[c] = scale.colour(pixel[c]);
    if (colours < samples) pixel[colours] = scale.alpha(pixel[colours]);
  }
}

/// C, M, Y, K(, alpha) of 0..full to B, G, R or R, G, B, alpha of the full range of T.
template <class T>
void convert_cmyk(const T* from, std::int64_t width, const TiffLayout& layout, T* to) {
  constexpr std::uint64_t kLargest = std::numeric_limits<T>::max();
  // Where alpha divides colours, scale_row() has scaled them.
  const std::uint64_t full = layout.alpha == TiffAlpha::associated ? kLargest : layout.largest();
  // (full - C) / full * (full - K) / full * kLargest, in which one factor of kLargest and full cancels if they are
  // equal. Both are odd, so there are no ties. At most 2^48.
  const std::uint64_t times = full == kLargest ? 1 : kLargest, divisor = full == kLargest ? full : full * full;
  const int samples = layout.samples;
  const bool has_alpha = samples == 5;
  for (std::int64_t x = 0; x < width; ++x, from += samples, to += samples - 1) {
    const std::uint64_t light = (full - from[3]) * times;
    for (int c = 0; c < 3; ++c)
      to[has_alpha ? c : 2 - c] = static_cast<T>(((full - from[c]) * light + divisor / 2) / divisor);
    if (has_alpha) to[3] = static_cast<T>(from[4] * kLargest / full);
  }
}

/// The entries of a colour map in 8 bits. Old writers stored 8-bit values in it, which no entry then exceeds.
std::vector<std::uint8_t> palette_of(const std::vector<std::uint64_t>& colour_map) {
  const bool deep = std::any_of(colour_map.begin(), colour_map.end(), [](std::uint64_t value) { return value > 255; });
  std::vector<std::uint8_t> palette;
  for (const std::uint64_t value : colour_map) palette.push_back(static_cast<std::uint8_t>(deep ? value >> 8 : value));
  return palette;
}

/// Indices(, alpha) to B, G, R or R, G, B, alpha.
void convert_palette(const std::uint8_t* from, std::int64_t width, const TiffLayout& layout,
                     const std::vector<std::uint8_t>& palette, std::uint8_t* to) {
  const std::size_t colours = palette.size() / 3;
  const IntegerScale<std::uint8_t> scale(layout);
  const bool has_alpha = layout.samples == 2;
  for (std::int64_t x = 0; x < width; ++x, from += layout.samples, to += has_alpha ? 4 : 3) {
    for (std::size_t c = 0; c < 3; ++c) {
      const std::uint8_t value = palette[c * colours + from[0]];
      to[has_alpha ? c : 2 - c] = value;
    }
    if (has_alpha) to[3] = scale.alpha(from[1]);
  }
}

/// CIELAB of 8 or 16 bits to B, G, R. In the encoding of TIFF, L* of 0..100 takes the full range, and a* and b* are
/// signed; in that of ICC they have an offset instead. 16 bits are 256 times 8 bits, except for the L* of TIFF: that of
/// ICC is 100 at 0xff00 (ICC.1, annex A of version 2), and larger values count as 100.
template <class T>
void convert_lab(T* row, std::int64_t width, bool icc) {
  constexpr float kLargest = std::numeric_limits<T>::max();
  constexpr float kUnit = sizeof(T) == 1 ? 1 : 256;
  const float full_light = icc ? 255 * kUnit : kLargest;
  cv::Mat lab(1, static_cast<int>(width), CV_32FC3), rgb;
  auto* const values = lab.ptr<float>();
  for (std::int64_t i = 0; i < 3 * width; i += 3) {
    values[i] = std::min(100.0f, static_cast<float>(row[i]) * 100 / full_light);
    for (std::int64_t c = 1; c < 3; ++c)
      values[i + c] = icc ? static_cast<float>(row[i + c]) / kUnit - 128
                          : static_cast<float>(static_cast<std::make_signed_t<T>>(row[i + c])) / kUnit;
  }
  cv::cvtColor(lab, rgb, cv::COLOR_Lab2BGR);
  cv::Mat out(1, static_cast<int>(width), CV_MAKETYPE(sizeof(T) == 1 ? CV_8U : CV_16U, 3), row);
  rgb.convertTo(out, out.type(), kLargest);
}

template <class T>
void swap_ends(T* row, std::int64_t width) {
  for (T* pixel = row; pixel < row + 3 * width; pixel += 3) std::swap(pixel[0], pixel[2]);
}

template <class T>
void settle_row(T* row, std::int64_t width, const TiffLayout& layout) {
  if (layout.photometric == kCieLab || layout.photometric == kIccLab) {
    if constexpr (!std::is_same_v<T, float>) convert_lab(row, width, layout.photometric == kIccLab);
    return;
  }
  const bool has_inks = layout.photometric == kCmyk;  // convert_cmyk() scales them
  if (!has_inks || layout.alpha == TiffAlpha::associated) scale_row(row, width, layout.samples, layout);
  const bool has_bgr = layout.pixels() == PixelFormat::rgb && !has_inks;
  if (has_bgr) swap_ends(row, width);
}

}  // namespace

void settle_colours(cv::Mat& samples, const TiffLayout& layout, const std::vector<std::uint64_t>& colour_map) {
  if (layout.photometric == kLogLuv) {
    cv::cvtColor(samples, samples, cv::COLOR_XYZ2BGR);
    return;
  }
  const std::int64_t width = samples.cols;
  const int channels = static_cast<int>(channel_count(layout.pixels()));
  if (layout.photometric == kPalette) {
    const std::vector<std::uint8_t> palette = palette_of(colour_map);
    cv::Mat colours(samples.size(), CV_MAKETYPE(CV_8U, channels));
    for (int y = 0; y < samples.rows; ++y) {
      convert_palette(samples.ptr(y), width, layout, palette, colours.ptr(y));
    }
    samples = colours;
    return;
  }
  visit_dtype(layout.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int y = 0; y < samples.rows; ++y) settle_row(samples.ptr<T>(y), width, layout);
    if constexpr (!std::is_same_v<T, float>) {
      if (layout.photometric != kCmyk) return;
      cv::Mat colours(samples.size(), CV_MAKETYPE(samples.depth(), channels));
      for (int y = 0; y < samples.rows; ++y) convert_cmyk(samples.ptr<T>(y), width, layout, colours.ptr<T>(y));
      samples = colours;
    }
  });
}

}  // namespace convtool
