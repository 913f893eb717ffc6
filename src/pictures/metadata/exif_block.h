// Internal to pictures/: EXIF blocks (Exif 2.32, section 4.5), which are TIFF structures without pixels: a directory on
// the picture, from which one on the camera and one on the place hang, then a directory of a thumbnail.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "files/buffer.h"
#include "pictures/metadata/directory.h"
#include "pictures/metadata/resolution.h"

namespace convtool {

/// The block without a prefix "Exif" and without its thumbnail, whose bytes are removed or 0, and with any orientation
/// as upright. With `is_transposed`, rows have become columns, and the resolutions in x and y change places. All other
/// bytes stay where they are, since maker notes point to places in the block. Throws Error(input) for a damaged block.
Bytes clean_exif(std::span<const std::byte> block, bool is_transposed = false);

/// The EXIF block that a TIFF file contains in the tags of a page: the directories of the camera and the place, and the
/// tags of the page itself that belong to EXIF, such as Artist. No tag that says how the file stores its pixels, and no
/// description in which a program does. Nothing if it has neither directory, and no such tag but those of orientation
/// and resolution. Throws Error(input) if they are damaged.
std::optional<Bytes> exif_of_tiff(std::span<const std::byte> file, Directory page);

/// Adds a sound EXIF block to the tags of a TIFF file that write_tiff() made.
void add_exif_to_tiff(Bytes& file, std::span<const std::byte> exif);

/// The resolution in a directory of a TIFF or EXIF block, if it is sound.
std::optional<Resolution> resolution_in(const TiffStructure& structure, const Directory& directory);

/// The same of the first directory of a sound block; nothing for an empty one.
std::optional<Resolution> resolution_in(std::span<const std::byte> exif);

}  // namespace convtool
