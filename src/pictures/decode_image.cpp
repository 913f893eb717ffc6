// The header is read first (image_header.h), for the size and for the properties that decoders do not report. Then one
// of the decoders runs (decoders/). Then the pixels are converted to the order and types that Image promises.
#include "pictures/decode_image.h"

#include <algorithm>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "files/byte_reader.h"
#include "pictures/decoders/decoders.h"
#include "pictures/image_header.h"
#include "pictures/opencv/opencv_support.h"
#include "pictures/png/read_png.h"
#include "pictures/tiff/decode_tiff.h"

namespace convtool {
namespace {

/// B, G, R, A to R, G, B, A or back, in place.
template <class T>
void swap_red_and_blue(cv::Mat& pixels) {
  for (int y = 0; y < pixels.rows; ++y) {
    T* const row = pixels.ptr<T>(y);
    for (std::ptrdiff_t x = 0; x < pixels.cols; ++x) std::swap(row[4 * x], row[4 * x + 2]);
  }
}

/// Adds alpha to grey: 0 where the grey value is `transparent`, elsewhere the maximum.
cv::Mat add_alpha(const cv::Mat& grey, std::int64_t transparent) {
  cv::Mat alpha;
  cv::compare(grey, static_cast<double>(transparent), alpha, cv::CMP_NE);
  alpha.convertTo(alpha, grey.depth(), grey.depth() == CV_8U ? 1 : 257);
  return pick_channels({grey, alpha}, 2, {0, 0, 1, 1});
}

/// Restores the channels of the file, in the order of ImagePixels::mat. RGB stays B, G, R, which a view can reverse.
PixelFormat settle_channels(cv::Mat& pixels, const PictureHeader& header) {
  if (pixels.channels() == 1) {
    if (!header.transparent_grey) return PixelFormat::grey;
    pixels = add_alpha(pixels, *header.transparent_grey);
    return PixelFormat::grey_alpha;
  }
  if (pixels.channels() == 2) return PixelFormat::grey_alpha;
  if (pixels.channels() == 3) return PixelFormat::rgb;
  if (header.grey_with_alpha) {
    pixels = pick_channels({pixels}, 2, {0, 0, 3, 1});
    return PixelFormat::grey_alpha;
  }
  visit_dtype(dtype_of_depth(pixels.depth()), [&](auto zero) { swap_red_and_blue<decltype(zero)>(pixels); });
  return PixelFormat::rgba;
}

/// The pixels in the order of decoders/decoders.h; an empty matrix if they cannot be decoded.
cv::Mat decode_pixels(std::span<const std::byte> bytes, const PictureHeader& header) {
  switch (header.type) {
    case PictureType::bmp: return decode_bmp(bytes);
    case PictureType::exr: return decode_exr(bytes, header);
    case PictureType::jpeg: return decode_jpeg(bytes, header);
    case PictureType::png: return decode_png(bytes);
    case PictureType::webp: return decode_webp(bytes, header);
    case PictureType::pfm:
    case PictureType::pnm:
    case PictureType::tiff: break;  // in decode_image()
  }
  return {};
}

/// The picture, if it has the size, channels and type of its header, by which its memory and its result were planned.
Image checked(Image image, const PictureHeader& header) {
  const Shape& shape = image.all().shape;
  const bool is_turned = header.is_transposed();
  if (shape.w != (is_turned ? header.height : header.width) || shape.h != (is_turned ? header.width : header.height))
    throw_damaged(to_string(header.type), "its size differs from its header");
  if (shape.c != header.channels || image.dtype() != header.dtype)
    throw_damaged(to_string(header.type), "its channels or their type differ from its header");
  return image;
}

/// Rotates and mirrors a stored picture into its upright position.
void turn_upright(cv::Mat& pixels, Orientation orientation) {
  constexpr int kTopToBottom = 0, kLeftToRight = 1, kBoth = -1;  // values of cv::flip()
  cv::Mat turned;
  switch (orientation) {
    case Orientation::top_left: return;
    case Orientation::top_right: cv::flip(pixels, turned, kLeftToRight); break;
    case Orientation::bottom_right: cv::flip(pixels, turned, kBoth); break;
    case Orientation::bottom_left: cv::flip(pixels, turned, kTopToBottom); break;
    case Orientation::left_top: cv::transpose(pixels, turned); break;
    case Orientation::right_top: cv::rotate(pixels, turned, cv::ROTATE_90_CLOCKWISE); break;
    case Orientation::right_bottom:
      cv::transpose(pixels, turned);
      cv::flip(turned, turned, kBoth);  // in place
      break;
    case Orientation::left_bottom: cv::rotate(pixels, turned, cv::ROTATE_90_COUNTERCLOCKWISE); break;
  }
  pixels = turned;
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes, std::int64_t max_pixels) {
  return decode_image(bytes, read_small_header(bytes, max_pixels));
}

Image decode_image(std::span<const std::byte> bytes, const PictureHeader& header, int threads) {
  if (bytes.size() > std::numeric_limits<int>::max())
    throw Error(ErrorKind::input, "", "a picture file of more than 2 GiB cannot be read; store it compressed");

  if (header.type == PictureType::tiff) {
    DecodedTiff tiff = decode_tiff(bytes, header, threads);
    call_opencv([&] { turn_upright(tiff.pixels, header.orientation); });
    return checked(Image(std::make_shared<ImagePixels>(tiff.pixels), tiff.format), header);
  }
  if (header.type == PictureType::png) {
    cv::Mat pixels = read_usual_png(bytes, header, threads);
    if (!pixels.empty()) {
      call_opencv([&] { turn_upright(pixels, header.orientation); });
      const PixelFormat format = static_cast<PixelFormat>(pixels.channels() - 1);
      return checked(Image(std::make_shared<ImagePixels>(pixels), format), header);
    }
  }
  if (header.type == PictureType::pnm) return checked(decode_pnm(bytes), header);
  if (header.type == PictureType::pfm) return checked(decode_pfm(bytes), header);
  auto pixels = std::make_shared<ImagePixels>(decode_pixels(bytes, header));
  cv::Mat& mat = pixels->mat;
  if (mat.empty())
    throw Error(
        ErrorKind::input, "",
        "the " + std::string(to_string(header.type)) + " is damaged or truncated, or of a kind that cannot be read");

  const PixelFormat format = call_opencv([&] {
    const PixelFormat settled = settle_channels(mat, header);
    turn_upright(mat, header.orientation);
    return settled;
  });
  return checked(Image(std::move(pixels), format), header);
}

std::unique_ptr<PictureRows> open_picture_rows(std::span<const std::byte> bytes, const PictureHeader& header,
                                               ColourOrder order) {
  if (bytes.size() > std::numeric_limits<int>::max() || header.orientation != Orientation::top_left) return nullptr;
  if (header.type == PictureType::png) return usual_png_rows(bytes, header, order);
  if (header.type == PictureType::jpeg) return jpeg_rows(bytes, header, order);
  return nullptr;
}

std::int64_t decoding_memory(const PictureHeader& header, std::int64_t file_bytes) {
  // PNG that libpng reads: a copy of the file without texts; grey with alpha is decoded as four channels. Our own
  // reader keeps four strips of scanlines, of a row or 128 KiB each. All: colours are converted, and the picture is
  // turned upright, in a copy. Bytes are counted in double: the sum may exceed 64 bits.
  const double pixels = static_cast<double>(header.width) * static_cast<double>(header.height);
  const double decoded = pixels * static_cast<double>(header.channels * size_of(header.dtype));
  const double files = header.type == PictureType::png ? 2 : 1, copies = header.grey_with_alpha ? 3 : 2;
  return static_cast<std::int64_t>(std::min(
      0x1p62, files * static_cast<double>(file_bytes) + copies * decoded + static_cast<double>(header.working_memory)));
}

}  // namespace convtool
