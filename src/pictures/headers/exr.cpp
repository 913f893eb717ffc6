// OpenEXR: size and channels of the first part, and the memory that its library takes by numbers in the headers of all
// parts.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "files/byte_reader.h"
#include "pictures/headers/exr_parts.h"
#include "pictures/headers/formats.h"

namespace convtool {

PictureHeader read_exr_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::exr, .dtype = DType::f32};
  const ExrParts all = read_exr_parts(bytes);
  const ExrPart& part = all.parts.front();
  if (part.is_deep) throw Error(ErrorKind::input, "", "an OpenEXR with deep pixels cannot be read; flatten it first");
  if (!part.has_colours && !part.has_luminance)
    throw Error(ErrorKind::input, "",
                "an OpenEXR without a channel R, G, B, Y or Z cannot be read; rename its channels");
  header.width = part.width();
  header.height = part.height();
  header.has_chroma = part.has_chroma && !part.has_colours;
  header.channels = (part.has_colours || header.has_chroma ? 3 : 1) + (part.has_alpha ? 1 : 0);
  header.pages = std::ssize(all.parts);

  double tables = 0;
  for (const ExrPart& each : all.parts) tables += each.table_bytes();
  const bool has_pixels = header.width > 0 && header.height > 0;  // else its size is the better message
  if (has_pixels && tables > static_cast<double>(bytes.size() - all.end))
    throw_damaged("OpenEXR", "it ends before its table of rows or tiles does");
  // OpenEXR keeps several copies of each attribute, of about kEntryMemory bytes in all; a block as stored, and two
  // copies of it in the decompressor; numbers of each row.
  constexpr std::int64_t kEntryMemory = 1024;
  const double memory = 3 * part.block_bytes() + 32 * static_cast<double>(header.height) + 2 * tables +
                        static_cast<double>(kEntryMemory * all.entries);
  header.working_memory = static_cast<std::int64_t>(std::min(0x1p62, memory));
  return header;
}

}  // namespace convtool
