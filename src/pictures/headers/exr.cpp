// OpenEXR: the attributes dataWindow and channels.
#include <string_view>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"

namespace convtool {

PictureHeader read_exr_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::exr, .dtype = DType::f32};
  ByteReader file("OpenEXR", bytes, ByteReader::Order::little, 8);
  const auto read_name = [&] {
    const std::size_t length = file.rest().find('\0');
    if (length == std::string_view::npos) throw_damaged("OpenEXR", "a header without an end");
    const std::string_view name = file.text(length);
    file.skip(1);
    return name;
  };
  bool has_window = false, has_colours = false, has_alpha = false;
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;
  for (std::string_view name = read_name(); !name.empty(); name = read_name()) {
    const std::string_view type = read_name();
    const std::uint32_t size = file.u32();
    const std::uint64_t end = file.position() + size;
    if (name == "dataWindow" && type == "box2i" && size == 16) {
      left = file.i32(), top = file.i32(), right = file.i32(), bottom = file.i32();
      has_window = true;
    }
    if (name == "channels" && type == "chlist") {
      for (std::string_view channel = read_name(); !channel.empty(); channel = read_name()) {
        has_colours = has_colours || channel == "R" || channel == "G" || channel == "B";
        has_alpha = has_alpha || channel == "A";
        file.skip(16);  // type, linearity, sampling
      }
    }
    file.seek(end);
  }
  if (!has_window) throw_damaged("OpenEXR", "a header without a data window");
  if (right < left - 1 || bottom < top - 1) throw_damaged("OpenEXR", "a data window of negative size");
  header.width = right - left + 1;
  header.height = bottom - top + 1;
  header.channels = (has_colours ? 3 : 1) + (has_alpha ? 1 : 0);
  return header;
}

}  // namespace convtool
