// OpenEXR: the attributes dataWindow and channels, and the number of parts.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"

namespace convtool {
namespace {

/// The attributes of one part.
struct ExrPart {
  bool is_empty = true, is_deep = false, has_window = false;
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;
  bool has_colours = false, has_luminance = false, has_chroma = false, has_alpha = false;
};

std::string_view read_exr_name(ByteReader& file) {
  const std::size_t length = file.rest().find('\0');
  if (length == std::string_view::npos) throw_damaged("OpenEXR", "a header without an end");
  const std::string_view name = file.text(length);
  file.skip(1);
  return name;
}

ExrPart read_exr_part(ByteReader& file) {
  ExrPart part;
  for (std::string_view name = read_exr_name(file); !name.empty(); name = read_exr_name(file)) {
    part.is_empty = false;
    const std::string_view type = read_exr_name(file);
    const std::uint32_t size = file.u32();
    const std::uint64_t end = file.position() + size;
    if (name == "dataWindow" && type == "box2i" && size == 16) {
      part.left = file.i32(), part.top = file.i32(), part.right = file.i32(), part.bottom = file.i32();
      part.has_window = true;
    }
    if (name == "type" && file.rest().starts_with("deep")) part.is_deep = true;
    if (name == "channels" && type == "chlist") {
      for (std::string_view channel = read_exr_name(file); !channel.empty(); channel = read_exr_name(file)) {
        part.has_colours = part.has_colours || channel == "R" || channel == "G" || channel == "B";
        part.has_luminance = part.has_luminance || channel == "Y" || channel == "Z";
        part.has_chroma = part.has_chroma || channel == "RY" || channel == "BY";
        part.has_alpha = part.has_alpha || channel == "A";
        file.skip(16);  // type, linearity, sampling
      }
    }
    file.seek(end);
  }
  return part;
}

/// The number of parts after the first, up to the empty header that ends them. Damage ends them, too.
std::int64_t count_further_parts(ByteReader& file) {
  constexpr std::int64_t kMost = 65536;
  std::int64_t parts = 0;
  try {
    while (parts < kMost && !read_exr_part(file).is_empty) ++parts;
  } catch (const Error&) {
  }
  return parts;
}

}  // namespace

PictureHeader read_exr_header(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kSeveralParts = 0x1000;
  PictureHeader header{.type = PictureType::exr, .dtype = DType::f32};
  ByteReader file("OpenEXR", bytes, ByteReader::Order::little, 4);
  const std::uint32_t version_and_flags = file.u32();
  const ExrPart part = read_exr_part(file);
  if (part.is_deep) throw Error(ErrorKind::input, "", "an OpenEXR with deep pixels cannot be read; flatten it first");
  if (!part.has_window) throw_damaged("OpenEXR", "a header without a data window");
  if (part.right < part.left - 1 || part.bottom < part.top - 1)
    throw_damaged("OpenEXR", "a data window of negative size");
  if (!part.has_colours && !part.has_luminance)
    throw Error(ErrorKind::input, "",
                "an OpenEXR without a channel R, G, B, Y or Z cannot be read; rename its channels");
  header.width = part.right - part.left + 1;
  header.height = part.bottom - part.top + 1;
  header.has_chroma = part.has_chroma && !part.has_colours;
  header.channels = (part.has_colours || header.has_chroma ? 3 : 1) + (part.has_alpha ? 1 : 0);
  if ((version_and_flags & kSeveralParts) != 0) header.pages = 1 + count_further_parts(file);
  return header;
}

}  // namespace convtool
