// A picture in memory.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "core/tensor.h"
#include "files/file.h"
#include "pictures/pixel_format.h"

namespace convtool {

struct ImagePixels;  // internal to pictures/ (opencv_support.h): the cv::Mat
struct PictureFormat;
struct EncodeOptions;
struct PictureHeader;
struct PictureMetadata;

/// Interleaved pixels, one item, with channels in the order grey(, alpha) or R, G, B(, alpha). Owns its memory; copies
/// share it. Views are valid as long as any copy lives.
class Image {
 public:
  /// Uninitialised pixels. Throws std::bad_alloc.
  Image(DType dtype, PixelFormat format, std::int64_t height, std::int64_t width);

  DType dtype() const { return all_.dtype; }
  PixelFormat format() const { return format_; }

  TensorRef all() const { return all_; }   ///< every channel, alpha last
  TensorRef colour() const;                ///< every channel but alpha
  std::optional<TensorRef> alpha() const;  ///< the alpha channel, if there is one

  /// Luma of R, G, B by Rec. 601, rounded as cv::cvtColor does (OpenCV, "Color conversions", RGB to GRAY), with alpha
  /// unchanged. A grey picture is returned as it is.
  Image to_luma() const;

 private:
  friend Image decode_image(std::span<const std::byte> bytes, const PictureHeader& header, int threads);
  friend struct SharedPixels;
  friend Bytes encode_image(Image image, const PictureFormat& format, const EncodeOptions& options,
                            const PictureMetadata& metadata);

  Image(std::shared_ptr<ImagePixels> pixels, PixelFormat format);

  std::shared_ptr<ImagePixels> pixels_;
  PixelFormat format_;
  TensorRef all_;
};

}  // namespace convtool
