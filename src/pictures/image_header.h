// What a picture file says of itself before it is decoded, and what its decoder keeps quiet about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/tensor.h"
#include "pictures/exif.h"

namespace convtool {

/// A kind of file that is read. PNM is P1 to P6, PFM is PF and Pf, TIFF includes BigTIFF.
enum class PictureType { png, jpeg, tiff, bmp, webp, pnm, pfm, exr };

/// "PNG", "JPEG", ... as written in messages.
std::string_view to_string(PictureType type);

/// By the first bytes; nothing when they begin no picture that is read.
std::optional<PictureType> sniff_picture_type(std::span<const std::byte> bytes);

struct PictureHeader {
  PictureType type = PictureType::png;
  std::int64_t width = 0, height = 0;  ///< as claimed: from 0 to 2^32
  std::int64_t channels = 3;           ///< of what comes of it (decode_image()), alpha counted
  DType dtype = DType::u8;             ///< likewise

  // What stands beside the pixels and is not carried over (picture_remarks.h).
  bool has_profile = false;  ///< an ICC profile that is not sRGB's, as far as that is plain to see
  bool has_gamma = false;    ///< another gamma than sRGB's (PNG)
  std::int64_t pages = 1;    ///< TIFF; the first is read

  /// How its EXIF block says that it lies (JPEG, PNG, WebP). OpenCV turns TIFF by itself.
  Orientation orientation = Orientation::top_left;
  /// The decoder makes rows of its columns (TIFF).
  bool decoded_on_its_side = false;

  // OpenCV 4.6 hands pixels out in a few forms only. These tell what has been lost on the way.

  /// Its four channels are grey, grey, grey, alpha (PNG colour type 4).
  bool grey_with_alpha = false;
  /// Its fourth channel means nothing (BMP without an alpha mask, CMYK TIFF).
  bool opaque = false;
  /// The grey value that is transparent (PNG, tRNS chunk), as decoded; OpenCV drops it.
  std::optional<std::int64_t> transparent_grey = std::nullopt;
  /// The value that stands for full intensity among the decoded integers, when that is not 255 or 65535.
  std::optional<std::int64_t> full_value = std::nullopt;
  /// Decoded zero is white (TIFF of more than 8 bits).
  bool white_is_zero = false;
  /// Where a TIFF says in two bytes what its fourth sample is. Of 8 bits and "unassociated alpha", libtiff multiplies
  /// the colours by alpha and so loses them; zeros there ("unspecified") make it leave them alone.
  std::optional<std::size_t> extra_sample_at = std::nullopt;

  /// Whether the upright picture's height is the width above.
  bool is_transposed() const { return decoded_on_its_side || orientation >= Orientation::left_top; }
};

/// Reads the header, and checks of the whole file what the decoder takes on trust: that a JPEG goes on to its end
/// marker, that the strips and tiles of a TIFF are all there and inside the file. Throws Error(input) for what is no
/// picture, is damaged or truncated as far as that shows here, or is of a kind that OpenCV reads wrongly. The size is
/// not judged. Sources: PNG specification, 3rd ed.; ITU T.81, annex B; TIFF 6.0 and the BigTIFF design; the WebP
/// container and bitstream guides (RFC 9649); Netpbm's pnm(5) and pfm(5); OpenEXR file layout; BITMAPV4HEADER.
PictureHeader read_picture_header(std::span<const std::byte> bytes);

/// Whether a piece of an ICC profile names sRGB, in ASCII or UTF-16. Without a profile a picture is taken for sRGB, so
/// that losing this one loses nothing.
bool names_srgb(std::string_view profile);

/// read_picture_header() for one format each; `bytes` begin with its signature.
PictureHeader read_jpeg_header(std::span<const std::byte> bytes);
PictureHeader read_tiff_header(std::span<const std::byte> bytes);

}  // namespace convtool
