// Picture files whose pixels lie in them as rows of plain numbers: binary PNM, and PFM.
#pragma once

#include <cstdint>
#include <optional>

#include "files/raster_file.h"
#include "pictures/picture_formats.h"
#include "pictures/picture_header.h"

namespace convtool {

struct RawPicture {
  PictureHeader header;
  RasterLayout layout;  ///< its values are those of decode_image()
};

/// Reads the header of a binary PNM (P4, P5, P6) or a PFM, and no more of the file than that. Nothing for any other
/// file, for a picture without pixels, and for a damaged or truncated one: read_picture_header() and decode_image()
/// find the damage. The size of the picture is not checked. Throws Error as RandomAccessFile does.
std::optional<RawPicture> read_raw_picture(const RandomAccessFile& file);

/// Whether files of this format are raw: PNM and PFM.
bool is_raw(const PictureFormat& format);

/// The file that encode_image() writes for such a picture. Nothing unless the format is raw. Throws
/// Error(output) as encode_image() does.
std::optional<RasterFormat> raw_picture_format(const PictureFormat& format, DType dtype, PixelFormat pixels,
                                               std::int64_t height, std::int64_t width);

}  // namespace convtool
