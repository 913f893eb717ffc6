// Encoding with OpenCV, except for PNG, JPEG and TIFF (in folders of their own), and the two formats that OpenCV would
// write to a file in /tmp first (float_files.h).
#include "pictures/encode_image.h"

#include <algorithm>
#include <limits>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "files/stderr_capture.h"
#include "pictures/float_files.h"
#include "pictures/jpeg/write_jpeg.h"
#include "pictures/opencv/opencv_support.h"
#include "pictures/png/write_png.h"
#include "pictures/tiff/write_tiff.h"

namespace convtool {
namespace {

/// The longest side that the format can store: libjpeg's JPEG_MAX_DIMENSION, libwebp's WEBP_MAX_DIMENSION; in OpenEXR,
/// the limit that keeps a row of four channels below 2^31 bytes.
std::int64_t longest_side(std::string_view format) {
  if (format == "jpeg") return 65500;
  if (format == "webp") return 16383;
  return format == "exr" ? (1 << 27) - 1 : std::numeric_limits<int>::max();
}

constexpr int kJpegQuality = 95;

std::vector<int> encoder_parameters(std::string_view format, const EncodeOptions& options) {
  constexpr int kLossless = 101;  // any value above 100
  if (format == "webp") return {cv::IMWRITE_WEBP_QUALITY, options.quality.value_or(kLossless)};
  return {};
}

}  // namespace

Bytes encode_image(Image image, const PictureFormat& format, const EncodeOptions& options) {
  const std::string name(format.name);
  const std::int64_t height = image.all().shape.h, width = image.all().shape.w;
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (!holds(format, image.dtype(), image.format()))
    throw Error(ErrorKind::output, "",
                name + " cannot store " + std::string(to_string(image.format())) + " in " +
                    std::string(to_string(image.dtype())) + " without loss; choose another format or --depth");
  if (height == 0 || width == 0)
    throw Error(ErrorKind::output, "", "a picture without pixels (" + size + ") cannot be written");
  if (std::max(height, width) > longest_side(format.name))
    throw Error(ErrorKind::output, "",
                name + " cannot store " + size + ": a side has at most " + std::to_string(longest_side(format.name)) +
                    " pixels; choose another format");

  if (name == "png") return write_png(std::move(image), options);
  if (name == "jpeg") return write_jpeg(image.pixels_->mat, options.quality.value_or(kJpegQuality));
  if (name == "tiff") return write_tiff(image.all(), options);
  if (name == "pfm") return write_pfm(image.all().view<float>());
  if (name == "exr") return write_exr(image.all().view<float>());

  const StderrCapture capture;
  std::vector<uchar> encoded;
  const bool done = call_codec(
      [&] {
        // Grey, or B, G, R, as OpenCV expects: the formats that are left do not store alpha.
        return cv::imencode(std::string(format.extensions.front()), image.pixels_->mat, encoded,
                            encoder_parameters(format.name, options));
      },
      false);
  if (!done) throw Error(ErrorKind::output, "", "the " + name + " encoder failed on a picture of " + size);
  image.pixels_.reset();
  const auto* const first = reinterpret_cast<const std::byte*>(encoded.data());
  return Bytes(first, first + encoded.size());
}

}  // namespace convtool
