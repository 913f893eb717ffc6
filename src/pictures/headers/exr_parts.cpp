// The library takes fixed numbers of bytes for most types of attributes, whatever their stored size, and looks at all
// parts. So an attribute is refused if its size is not that of its type: the library would find other attributes behind
// it than this reader.
#include "pictures/headers/exr_parts.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/text.h"
#include "files/byte_reader.h"

namespace convtool {
namespace {

constexpr std::int64_t kMostEntries = 65536;

std::string_view read_exr_name(ByteReader& file) {
  constexpr std::size_t kLongest = 255;
  const std::size_t length = file.rest().substr(0, kLongest + 1).find('\0');
  if (length == std::string_view::npos) throw_damaged("OpenEXR", "a header without an end");
  const std::string_view name = file.text(length);
  file.skip(1);
  return name;
}

/// The bytes of an attribute of this type, or 0 if they vary.
std::uint32_t fixed_size(std::string_view type) {
  static constexpr std::pair<std::string_view, std::uint32_t> kSizes[] = {{"box2f", 16},
                                                                          {"box2i", 16},
                                                                          {"chromaticities", 32},
                                                                          {"compression", 1},
                                                                          {"deepImageState", 1},
                                                                          {"double", 8},
                                                                          {"envmap", 1},
                                                                          {"float", 4},
                                                                          {"int", 4},
                                                                          {"keycode", 28},
                                                                          {"lineOrder", 1},
                                                                          {"m33d", 72},
                                                                          {"m33f", 36},
                                                                          {"m44d", 128},
                                                                          {"m44f", 64},
                                                                          {"rational", 8},
                                                                          {"tiledesc", 9},
                                                                          {"timecode", 8},
                                                                          {"v2d", 16},
                                                                          {"v2f", 8},
                                                                          {"v2i", 8},
                                                                          {"v3d", 24},
                                                                          {"v3f", 12},
                                                                          {"v3i", 12}};
  const auto* const found = std::ranges::find(kSizes, type, &std::pair<std::string_view, std::uint32_t>::first);
  return found == std::end(kSizes) ? 0 : found->second;
}

void check_size(std::string_view type, std::uint64_t got, std::uint64_t expected) {
  if (got != expected)
    throw_damaged("OpenEXR", "an attribute of type " + std::string(type) + " with " +
                                 counted(static_cast<std::int64_t>(got), "byte") + ", expected " +
                                 std::to_string(expected));
}

/// Reads a list of channels up to the end of `list`. Returns their number.
std::int64_t read_channels(ByteReader& list, ExrPart& part) {
  constexpr std::uint32_t kHalf = 1;
  std::int64_t count = 0;
  for (std::string_view channel = read_exr_name(list); !channel.empty(); channel = read_exr_name(list), ++count) {
    part.has_colours = part.has_colours || channel == "R" || channel == "G" || channel == "B";
    part.has_luminance = part.has_luminance || channel == "Y" || channel == "Z";
    part.has_chroma = part.has_chroma || channel == "RY" || channel == "BY";
    part.has_alpha = part.has_alpha || channel == "A";
    part.pixel_bytes += list.u32() == kHalf ? 2 : 4;
    list.skip(4);  // linearity
    const std::int32_t step_x = list.i32(), step_y = list.i32();
    if (step_x < 1 || step_y < 1) throw_damaged("OpenEXR", "a channel without a sampling rate");
  }
  check_size("chlist", list.size(), list.position());
  return count;
}

void check_strings(ByteReader& list) {
  while (!list.at_end()) list.skip(list.u32());
}

void check_preview(ByteReader& preview) {
  const std::uint64_t size = preview.size(), width = preview.u32(), height = preview.u32();
  if (height != 0 && width > size / height) throw_damaged("OpenEXR", "a preview larger than its attribute");
  check_size("preview", size, 8 + 4 * width * height);
}

/// Reads the attributes of one part, and counts them and its channels down from `entries_left`.
ExrPart read_exr_part(ByteReader& file, std::int64_t& entries_left) {
  ExrPart part;
  std::set<std::string_view> names;
  for (std::string_view name = read_exr_name(file); !name.empty(); name = read_exr_name(file)) {
    part.is_empty = false;
    const std::string_view type = read_exr_name(file);
    const std::string_view content = file.text(file.u32());
    ByteReader value("OpenEXR", std::as_bytes(std::span(content)), ByteReader::Order::little);
    if (const std::uint32_t size = fixed_size(type); size != 0) check_size(type, content.size(), size);
    if (!names.insert(name).second) throw_damaged("OpenEXR", "an attribute that is there twice");
    --entries_left;
    if (type == "chlist") {
      ExrPart other;  // a list of another name has no meaning here
      entries_left -= read_channels(value, name == "channels" ? part : other);
    } else if (type == "stringvector") {
      check_strings(value);
    } else if (type == "preview") {
      check_preview(value);
    } else if (name == "dataWindow" && type == "box2i") {
      part.left = value.i32(), part.top = value.i32(), part.right = value.i32(), part.bottom = value.i32();
      part.has_window = true;
    } else if (name == "compression" && type == "compression") {
      part.compression = value.u8();
    } else if (name == "tiles" && type == "tiledesc") {
      part.tile_width = value.u32(), part.tile_height = value.u32();
      const std::uint32_t mode = value.u8(), levels = mode % 16;
      part.levels = levels == 1   ? ExrPart::Levels::mipmap
                    : levels == 2 ? ExrPart::Levels::ripmap
                                  : ExrPart::Levels::one;
      part.rounds_up = mode / 16 == 1;
      part.has_tiles = true;
    } else if (name == "chunkCount" && type == "int") {
      part.chunks = value.i32();
    } else if (name == "type") {
      part.is_deep = content.starts_with("deep");
      part.is_tiled = content.starts_with("tiledimage") || content.starts_with("deeptile");
    }
    if (entries_left < 0)
      throw Error(
          ErrorKind::input, "",
          "an OpenEXR with more than " + std::to_string(kMostEntries) + " attributes and channels cannot be read");
  }
  return part;
}

void check_part(const ExrPart& part) {
  if (!part.has_window) throw_damaged("OpenEXR", "a header without a data window");
  if (part.right < part.left - 1 || part.bottom < part.top - 1)
    throw_damaged("OpenEXR", "a data window of negative size");
  if (part.compression > 9)
    throw Error(ErrorKind::input, "",
                "an OpenEXR with compression " + std::to_string(part.compression) + " cannot be read (0 to 9 can)");
  if (part.has_tiles && (part.tile_width == 0 || part.tile_height == 0))
    throw_damaged("OpenEXR", "tiles without pixels");
}

}  // namespace

std::int64_t ExrPart::rows_per_block() const {
  constexpr std::int64_t kRows[] = {1, 1, 1, 16, 32, 16, 32, 32, 32, 256};  // by compression
  return kRows[compression];
}

double ExrPart::block_bytes() const {
  const std::int64_t rows = std::max(rows_per_block(), tile_height), columns = std::max(width(), tile_width);
  return static_cast<double>(rows) * static_cast<double>(columns) * pixel_bytes;
}

double ExrPart::table_bytes() const {
  const auto blocks = [](std::int64_t size, std::int64_t of_block) {
    return static_cast<double>((size + of_block - 1) / of_block);
  };
  double count = blocks(height(), rows_per_block());
  if (has_tiles) count = std::min(count, blocks(height(), tile_height) * blocks(width(), tile_width));
  return 8 * std::max(static_cast<double>(chunks), count);
}

ExrParts read_exr_parts(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kTiled = 0x200, kDeep = 0x800, kSeveralParts = 0x1000;
  ByteReader file("OpenEXR", bytes, ByteReader::Order::little, 4);
  const std::uint32_t version_and_flags = file.u32();
  const auto has = [&](std::uint32_t flag) { return (version_and_flags & flag) != 0; };
  ExrParts all{.is_multi_part = has(kSeveralParts)};
  std::int64_t entries_left = kMostEntries;
  for (ExrPart part = read_exr_part(file, entries_left); all.parts.empty() || !part.is_empty;
       part = read_exr_part(file, entries_left)) {
    check_part(part);
    all.parts.push_back(part);
    if (!all.is_multi_part) break;
  }
  if (!all.is_multi_part) {
    ExrPart& only = all.parts.front();
    only.is_deep = only.is_deep || has(kDeep);
    if (!only.is_deep) only.is_tiled = has(kTiled);  // whatever the attribute "type" says
  }
  all.end = file.position();
  all.entries = kMostEntries - entries_left;
  return all;
}

}  // namespace convtool
