// What a picture file says about its pixels: the colour profile, EXIF, XMP and the resolution.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "files/buffer.h"
#include "pictures/image_header.h"
#include "pictures/metadata/resolution.h"

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

}  // namespace convtool
