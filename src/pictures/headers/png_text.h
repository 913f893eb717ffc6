// Internal to pictures/: EXIF and XMP in the text chunks of PNG.
#pragma once

#include <optional>

#include "files/file.h"
#include "pictures/headers/chunks.h"

namespace convtool {

/// The EXIF block in a tEXt, zTXt or iTXt chunk with the keyword "Raw profile type exif" or "Raw profile type APP1", in
/// which ImageMagick and ExifTool stored it before PNG had the chunk eXIf: a name, the length in decimal, and the bytes
/// in hexadecimal, in lines. Empty for damaged text, nothing for other chunks and for a wrong checksum. At most 128 KiB
/// are read.
std::optional<Bytes> exif_in_text(const Chunk& chunk);

/// The XMP packet in an iTXt chunk with the keyword "XML:com.adobe.xmp". Empty if it is damaged, has a wrong checksum,
/// or more than `most` bytes; nothing for other chunks.
std::optional<Bytes> xmp_in_text(const Chunk& chunk, std::size_t most);

}  // namespace convtool
