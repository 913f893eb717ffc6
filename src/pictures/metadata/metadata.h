// What a picture file says about its pixels: the colour profile, EXIF, XMP and the resolution.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "files/buffer.h"
#include "pictures/image_header.h"
#include "pictures/metadata/resolution.h"
#include "pictures/picture_formats.h"

namespace convtool {

/// Sound metadata; what a file lacks is empty. Of a picture that is upright.
struct PictureMetadata {
  Bytes profile;  ///< an ICC profile
  Bytes exif;     ///< an EXIF block, which is a TIFF without pixels; says that the picture is upright, has no thumbnail
  Bytes xmp;      ///< an XMP packet
  std::optional<Resolution> resolution;
  std::vector<Remark> remarks;  ///< on damaged parts, which are left out

  std::size_t size() const { return profile.size() + exif.size() + xmp.size(); }
};

/// The largest part that is kept, in bytes; a larger one counts as damaged.
inline constexpr std::size_t kMostMetadata = std::size_t{8} << 20;

/// Reads the metadata of a PNG, JPEG, WebP or TIFF whose header is `header`; other formats have none. Damaged parts are
/// left out. The resolution may be that of the EXIF block. Does not throw, except std::bad_alloc.
PictureMetadata read_metadata(std::span<const std::byte> bytes, const PictureHeader& header);

/// Removes the parts that a result cannot carry, and appends a remark on each, and those on damaged parts, to
/// `remarks`: parts that the format `name` cannot store, and a profile for other colours than those of the result.
/// `pixels` is nothing for a tensor.
void fit_metadata(PictureMetadata& metadata, std::string_view name, std::optional<PixelFormat> pixels,
                  std::vector<Remark>& remarks);

}  // namespace convtool
