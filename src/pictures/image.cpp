#include "pictures/image.h"

#include <limits>
#include <opencv2/imgproc.hpp>

#include "pictures/opencv/opencv_setup.h"
#include "pictures/opencv_support.h"

namespace convtool {
namespace {

// In this file because no picture exists without it.
[[maybe_unused]] const bool kOpencvIsPrepared = [] {
  prepare_opencv();
  return true;
}();

cv::Mat new_pixels(std::int64_t height, std::int64_t width, DType dtype, std::int64_t channels) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  if (height > kMost || width > kMost) throw std::bad_alloc();
  const int type = CV_MAKETYPE(depth_of_dtype(dtype), static_cast<int>(channels));
  return call_opencv([&] { return cv::Mat(static_cast<int>(height), static_cast<int>(width), type); });
}

}  // namespace

Image::Image(DType dtype, PixelFormat format, std::int64_t height, std::int64_t width)
    : Image(std::make_shared<ImagePixels>(new_pixels(height, width, dtype, channel_count(format))), format) {}

Image::Image(std::shared_ptr<ImagePixels> pixels, PixelFormat format) : pixels_(std::move(pixels)), format_(format) {
  const cv::Mat& mat = pixels_->mat;
  const DType dtype = dtype_of_depth(mat.depth());
  const bool reversed = format == PixelFormat::rgb;
  std::byte* const first = reinterpret_cast<std::byte*>(mat.data) + (reversed ? 2 * size_of(dtype) : 0);
  all_ = {first,
          dtype,
          {1, channel_count(format), mat.rows, mat.cols},
          {0, reversed ? -1 : 1, static_cast<std::int64_t>(mat.step1()), mat.channels()}};
}

TensorRef Image::colour() const { return all_.channels(0, all_.shape.c - (has_alpha(format_) ? 1 : 0)); }

std::optional<TensorRef> Image::alpha() const {
  if (!has_alpha(format_)) return std::nullopt;
  return all_.channels(all_.shape.c - 1, 1);
}

Image Image::to_luma() const {
  if (format_ == PixelFormat::grey || format_ == PixelFormat::grey_alpha) return *this;
  const cv::Mat& colour = pixels_->mat;
  const bool alpha = has_alpha(format_);
  cv::Mat luma = call_opencv([&] {
    cv::Mat grey;
    cv::cvtColor(colour, grey, alpha ? cv::COLOR_RGBA2GRAY : cv::COLOR_BGR2GRAY);
    return alpha ? pick_channels({grey, colour}, 2, {0, 0, 4, 1}) : grey;
  });
  return Image(std::make_shared<ImagePixels>(std::move(luma)), alpha ? PixelFormat::grey_alpha : PixelFormat::grey);
}

}  // namespace convtool
