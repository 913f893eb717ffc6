// The header of a picture file: the properties that are known before it is decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/tensor.h"
#include "pictures/headers/exif.h"
#include "pictures/picture_type.h"

namespace convtool {

struct PictureHeader {
  PictureType type = PictureType::png;
  std::int64_t width = 0, height = 0;  ///< as the file says, unchecked: from 0 to 2^32
  std::int64_t channels = 3;           ///< of the decoded picture (decode_image()), alpha included
  DType dtype = DType::u8;             ///< of the decoded picture

  // Properties that the output does not keep; remarks_on() describes them.
  bool has_profile = false;  ///< an ICC profile that does not name sRGB (BMP); others keep theirs (metadata/metadata.h)
  bool has_gamma = false;    ///< a gamma other than sRGB's (PNG)
  std::int64_t pages = 1;    ///< or parts (OpenEXR), frames (PNG) or pictures of an index (JPEG); the first is read
  std::int64_t pictures = 1;  ///< count_pictures() of the file; the first is read

  /// Where the directory of a page of a TIFF begins; 0: the first.
  std::uint64_t page_at = 0;

  /// The orientation in the EXIF block (JPEG, PNG, WebP) or the tag of a TIFF.
  Orientation orientation = Orientation::top_left;

  /// Bytes that decoding takes at most, in addition to the file and twice the decoded picture: coefficients (JPEG),
  /// large tiles, many tags or channels (TIFF, OpenEXR), copies inside the decoder (WebP).
  std::int64_t working_memory = 0;

  /// How many threads decode_image() can use for parts of a TIFF, at most.
  int most_threads = 1;

  /// Luminance and chroma (OpenEXR), which become RGB.
  bool has_chroma = false;

  // Decoders return pixels in a few forms only. The following properties restore the lost information.

  /// The four decoded channels are grey, grey, grey, alpha (PNG colour type 4).
  bool grey_with_alpha = false;
  /// The transparent grey value (PNG chunk tRNS), as decoded; OpenCV drops it.
  std::optional<std::int64_t> transparent_grey = std::nullopt;

  /// Whether `width` is the height of the upright picture.
  bool is_transposed() const { return orientation >= Orientation::left_top; }
};

}  // namespace convtool
