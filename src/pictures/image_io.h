// Pictures: decoded and encoded through OpenCV, whose types, messages and exceptions end here.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "files/file.h"
#include "pictures/image_header.h"

namespace convtool {

enum class PixelFormat { grey, grey_alpha, rgb, rgba };

constexpr std::int64_t channel_count(PixelFormat format) {
  constexpr std::int64_t kCounts[] = {1, 2, 3, 4};
  return kCounts[static_cast<int>(format)];
}
constexpr bool has_alpha(PixelFormat format) {
  return format == PixelFormat::grey_alpha || format == PixelFormat::rgba;
}

/// A file format that pictures are written in. It holds what comes back bit for bit when it is read again (JPEG: as
/// close as its quality allows), grey with alpha as R = G = B with alpha, and in WebP grey as R = G = B.
struct PictureFormat {
  std::string_view name;                     ///< "png", also what --format takes
  std::vector<std::string_view> extensions;  ///< with the dot, lower case, the usual one first
  std::vector<DType> dtypes;                 ///< what it holds
  std::vector<PixelFormat> pixels;
};

/// What zlib looks for when it compresses a PNG (its manual, deflateInit2); without one libdeflate does it.
enum class PngStrategy { standard, filtered, huffman, rle, fixed };
inline constexpr std::string_view kPngStrategies[] = {"default", "filtered", "huffman", "rle", "fixed"};

/// What is asked of an encoder. Formats that have no such thing ignore it.
struct EncodeOptions {
  std::optional<int> quality;    ///< 1 to 100; none: JPEG 95, WebP lossless
  std::optional<int> png_level;  ///< 0, stored, to 9, smallest; none: 1
  std::optional<PngStrategy> png_strategy;
};

/// Whether encoders of `format` heed EncodeOptions::quality.
bool has_quality(const PictureFormat& format);

/// All of them, in the order in which they are named to users.
std::span<const PictureFormat> picture_formats();

/// By name or extension in lower case, without a dot ("png", "jpg"), or null. Users' words go to find_file_format().
const PictureFormat* find_picture_format(std::string_view name);

/// The format whose signature `bytes` begin with, or null.
const PictureFormat* sniff_picture_format(std::span<const std::byte> bytes);

bool holds(const PictureFormat& format, DType dtype, PixelFormat pixels);

/// A picture in memory: interleaved pixels, one item, channels in the order grey(, alpha) or R, G, B(, alpha).
/// Owns its memory; copies share it. Views stay valid as long as any copy lives.
class Image {
 public:
  /// Not initialised. Throws std::bad_alloc.
  Image(DType dtype, PixelFormat format, std::int64_t height, std::int64_t width);

  DType dtype() const { return all_.dtype; }
  PixelFormat format() const { return format_; }

  TensorRef all() const { return all_; }  ///< every channel, alpha last
  TensorRef colour() const;               ///< without alpha
  std::optional<TensorRef> alpha() const;

  /// Luma of R, G, B by Rec. 601, rounded as cv::cvtColor does (OpenCV, "Color conversions", RGB to GRAY); alpha is
  /// kept. A grey picture comes back as it is.
  Image to_luma() const;

 private:
  friend Image decode_image(std::span<const std::byte> bytes, std::int64_t max_pixels);
  friend Bytes encode_image(Image image, const PictureFormat& format, const EncodeOptions& options);

  struct Pixels;  // the cv::Mat
  explicit Image(std::shared_ptr<Pixels> pixels, PixelFormat format);

  std::shared_ptr<Pixels> pixels_;
  PixelFormat format_;
  TensorRef all_;
};

/// read_picture_header() that throws Error(input) as well for no pixels, more than `max_pixels`, and more than OpenCV
/// decodes: 2^30, and 2^20 per side.
PictureHeader read_small_header(std::span<const std::byte> bytes, std::int64_t max_pixels);

/// Decodes PNG, JPEG, TIFF, BMP, WebP, PNM, PFM or EXR, told by content, with depth, alpha and grey kept: unsigned
/// integers of up to 8 bits per channel become u8 and of up to 16 bits u16, spread over the full range (a PGM with the
/// largest value 15 has its 15 as 255); signed integers and floats become f32 with the values that they have (in PFM
/// divided by its scale). Black is 0. Alpha is separate: colours are never multiplied by it. Palettes and CMYK become
/// RGB, with transparency RGBA; a single transparent colour becomes alpha. Of several pages the first is taken. The
/// picture comes upright, as the orientation in EXIF or TIFF says.
///
/// Throws Error(input), without a path, for what is not such a picture, is damaged or truncated (half a picture is an
/// error in every format), is of a kind that OpenCV would decode wrongly, holds no pixels, or has more than
/// `max_pixels` pixels, which is told from the header; OpenCV's limits of 2^30 pixels and 2^20 per side hold as well.
///
/// Changed bytes go unseen where nothing in the file contradicts them: in pixels stored as they are (BMP, PNM, PFM,
/// uncompressed TIFF and OpenEXR), and in compressed ones without a checksum (JPEG, WebP, run lengths; in a TIFF all
/// but Deflate) as long as they decode to some value for every pixel. In a Deflate TIFF a change goes unseen that makes
/// a strip or tile decode to more bytes than it has: libtiff takes the first of them and leaves the checksum alone.
///
/// From several threads at once; while it runs, what other threads print to standard error must go through
/// print_to_stderr() (stderr_capture.h).
Image decode_image(std::span<const std::byte> bytes, std::int64_t max_pixels);

/// The bytes of a file in `format`. All but JPEG is lossless unless a quality is asked for. Throws Error(output) when
/// the format does not hold the picture (see holds()), or not one of that size, or the encoder fails. Threads and
/// standard error as with decode_image(). Where no copy of `image` is left, its pixels end before the bytes are copied.
Bytes encode_image(Image image, const PictureFormat& format, const EncodeOptions& options = {});

/// Such as "4.6.0".
std::string opencv_version();

/// How OpenCV is linked: "static", "static with shared codecs" or "shared" (opencv.cmake).
std::string_view opencv_link();

}  // namespace convtool
