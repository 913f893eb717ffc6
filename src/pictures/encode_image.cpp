// Encoding with OpenCV, except for PNG, JPEG and TIFF (in folders of their own), PNM and PFM (raw_pictures.h), WebP,
// whose colours below zero alpha OpenCV would lose (encoders/write_webp.h), and OpenEXR, which it would write to a file
// in /tmp first (encoders/write_exr.h). BMP is left.
#include "pictures/encode_image.h"

#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "files/raster_values.h"
#include "files/stderr_capture.h"
#include "pictures/encoders/write_exr.h"
#include "pictures/encoders/write_webp.h"
#include "pictures/jpeg/write_jpeg.h"
#include "pictures/metadata/write_webp.h"
#include "pictures/opencv/opencv_support.h"
#include "pictures/png/write_png.h"
#include "pictures/raw_pictures.h"
#include "pictures/tiff/write_tiff.h"

namespace convtool {

std::unique_ptr<StripEncoder> make_strip_encoder(const PictureFormat& format, const PictureShape& picture,
                                                 const EncodeOptions& options, const PictureMetadata& metadata) {
  check_storable(format, picture.dtype, picture.format, picture.height, picture.width);
  if (format.name == "png") return png_strip_encoder(picture, options, metadata);
  if (format.name == "jpeg") return jpeg_strip_encoder(picture, options, metadata);
  return nullptr;
}

Bytes encode_image(Image image, const PictureFormat& format, const EncodeOptions& options,
                   const PictureMetadata& metadata) {
  const std::string name(format.name);
  const std::int64_t height = image.all().shape.h, width = image.all().shape.w;

  const PictureShape shape{.dtype = image.dtype(), .format = image.format(), .height = height, .width = width};
  if (const auto encoder = make_strip_encoder(format, shape, options, metadata)) {
    encode_strips(*encoder, image.all(), options.threads);
    image.pixels_.reset();
    return encoder->finish();
  }
  if (name == "png") return write_png(std::move(image), options, metadata);
  if (name == "tiff") return write_tiff(image.all(), options, metadata);
  if (const auto raw = raw_picture_format(format, image.dtype(), image.format(), height, width))
    return format_raster(*raw, image.all());
  if (name == "exr") return write_exr(image.all().view<float>());
  const auto fail = [&] {
    throw Error(
        ErrorKind::output, "",
        "the " + name + " encoder failed on a picture of " + std::to_string(width) + "x" + std::to_string(height));
  };
  if (name == "webp") {
    Bytes file = write_webp(image.all().view<std::uint8_t>(), options.quality);
    if (file.empty()) fail();
    image.pixels_.reset();
    add_webp_metadata(file, metadata);
    return file;
  }

  const StderrCapture capture;
  std::vector<uchar> encoded;
  const bool done = call_codec(
      [&] {
        // Grey, or B, G, R, as OpenCV expects: a BMP does not store alpha.
        return cv::imencode(std::string(format.extensions.front()), image.pixels_->mat, encoded);
      },
      false);
  if (!done) fail();
  image.pixels_.reset();
  const auto* const first = reinterpret_cast<const std::byte*>(encoded.data());
  return Bytes(first, first + encoded.size());
}

}  // namespace convtool
