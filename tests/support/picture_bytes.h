// Picture files assembled byte by byte, of kinds that OpenCV's encoders do not write: unusual depths, big-endian and
// tiled TIFF, interlaced PNG, palettes, bitmaps with masks.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "files/file.h"

namespace convtool::testing {

/// Appends numbers to bytes, in either byte order.
class ByteWriter {
 public:
  explicit ByteWriter(bool big_endian = false) : big_endian_(big_endian) {}

  ByteWriter& u8(std::uint64_t value) { return number(value, 1); }
  ByteWriter& u16(std::uint64_t value) { return number(value, 2); }
  ByteWriter& u32(std::uint64_t value) { return number(value, 4); }
  ByteWriter& text(const std::string& text) {
    for (const char c : text) u8(static_cast<unsigned char>(c));
    return *this;
  }
  ByteWriter& append(std::span<const std::byte> more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  std::size_t size() const { return bytes_.size(); }
  const Bytes& bytes() const { return bytes_; }

 private:
  ByteWriter& number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
      const int shift = 8 * (big_endian_ ? size - 1 - i : i);
      bytes_.push_back(static_cast<std::byte>(value >> shift));
    }
    return *this;
  }

  bool big_endian_;
  Bytes bytes_;
};

inline Bytes to_bytes(const std::string& text) { return ByteWriter().text(text).bytes(); }

/// One PNG chunk, with its CRC (PNG specification, annex D).
inline Bytes png_chunk(const std::string& type, std::span<const std::byte> data) {
  ByteWriter body(true);
  body.text(type).append(data);
  std::uint32_t crc = 0xffffffffu;
  for (const std::byte byte : body.bytes()) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? 0xedb88320u ^ (crc >> 1) : crc >> 1;
  }
  ByteWriter chunk(true);
  return chunk.u32(data.size()).append(body.bytes()).u32(crc ^ 0xffffffffu).bytes();
}

/// A zlib stream that stores `data`, at most 65535 bytes, uncompressed (RFC 1950 and 1951).
inline Bytes zlib_stored(std::span<const std::byte> data) {
  ByteWriter stream;
  stream.u8(0x78).u8(0x01).u8(1).u16(data.size()).u16(~data.size()).append(data);
  std::uint32_t a = 1, b = 0;
  for (const std::byte byte : data) {
    a = (a + static_cast<std::uint32_t>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  ByteWriter sum(true);
  return stream.append(sum.u16(b).u16(a).bytes()).bytes();
}

struct PngParts {
  std::uint32_t width = 0, height = 0;
  int bit_depth = 8, colour_type = 0;
  bool interlaced = false;
  Bytes palette = {};       ///< PLTE, if any
  Bytes transparency = {};  ///< tRNS, if any
  Bytes rows;               ///< every row with its filter byte
};

inline Bytes png_file(const PngParts& parts) {
  ByteWriter header(true);
  header.u32(parts.width).u32(parts.height).u8(static_cast<unsigned>(parts.bit_depth));
  header.u8(static_cast<unsigned>(parts.colour_type)).u8(0).u8(0).u8(parts.interlaced ? 1 : 0);
  ByteWriter file;
  file.u8(0x89).text("PNG\r\n\x1a\n").append(png_chunk("IHDR", header.bytes()));
  if (!parts.palette.empty()) file.append(png_chunk("PLTE", parts.palette));
  if (!parts.transparency.empty()) file.append(png_chunk("tRNS", parts.transparency));
  return file.append(png_chunk("IDAT", zlib_stored(parts.rows))).append(png_chunk("IEND", {})).bytes();
}

struct TiffEntry {
  unsigned tag, type;  ///< type 3: 16-bit, 4: 32-bit
  std::vector<std::uint32_t> values;
};

struct TiffParts {
  bool big_endian = false;
  std::uint32_t width = 0, height = 0;
  unsigned bits = 8, samples = 1;
  unsigned photometric = 1;    ///< 0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 CMYK
  unsigned sample_format = 1;  ///< 1 unsigned, 2 signed, 3 float
  std::uint32_t orientation = 1;
  std::vector<std::uint32_t> extra = {};  ///< ExtraSamples: 0 unspecified, 1 associated, 2 unassociated alpha
  std::uint32_t tile = 0;                 ///< side of the square tiles, a multiple of 16; 0: strips
  std::uint32_t rows_per_strip = 0;       ///< 0: all rows in one strip
  bool planar = false;                    ///< one plane per sample
  unsigned compression = 1;
  std::vector<std::uint32_t> colour_map = {};
  bool directory_first = false;      ///< the directory before the pixels
  std::vector<TiffEntry> more = {};  ///< further tags, after the others in the directory
  std::vector<Bytes> blocks;         ///< strips or tiles in file order and in the file's byte order
};

/// A TIFF of one directory (TIFF 6.0, section 2).
inline Bytes tiff_file(const TiffParts& parts) {
  const auto size_of_entry = [](const TiffEntry& entry) { return entry.values.size() * (entry.type == 3 ? 2 : 4); };

  std::vector<std::uint32_t> offsets, counts;
  for (const Bytes& block : parts.blocks) {
    offsets.push_back(0);
    counts.push_back(static_cast<std::uint32_t>(block.size()));
  }
  std::vector<TiffEntry> entries = {{256, 4, {parts.width}},
                                    {257, 4, {parts.height}},
                                    {258, 3, std::vector<std::uint32_t>(parts.samples, parts.bits)},
                                    {259, 3, {parts.compression}},
                                    {262, 3, {parts.photometric}}};
  const bool tiled = parts.tile != 0;
  if (!tiled) entries.push_back({273, 4, offsets});
  if (parts.orientation != 1) entries.push_back({274, 3, {parts.orientation}});
  entries.push_back({277, 3, {parts.samples}});
  if (!tiled) {
    entries.push_back({278, 4, {parts.rows_per_strip == 0 ? parts.height : parts.rows_per_strip}});
    entries.push_back({279, 4, counts});
  }
  if (parts.planar) entries.push_back({284, 3, {2}});
  if (!parts.colour_map.empty()) entries.push_back({320, 3, parts.colour_map});
  if (tiled) {
    entries.push_back({322, 4, {parts.tile}});
    entries.push_back({323, 4, {parts.tile}});
    entries.push_back({324, 4, offsets});
    entries.push_back({325, 4, counts});
  }
  if (!parts.extra.empty()) entries.push_back({338, 3, parts.extra});
  if (parts.sample_format != 1)
    entries.push_back({339, 3, std::vector<std::uint32_t>(parts.samples, parts.sample_format)});

  const std::size_t own_entries = entries.size();
  entries.insert(entries.end(), parts.more.begin(), parts.more.end());

  std::size_t block_bytes = 0, value_bytes = 0;
  for (const Bytes& block : parts.blocks) block_bytes += block.size();
  for (const TiffEntry& entry : entries) value_bytes += size_of_entry(entry) > 4 ? size_of_entry(entry) : 0;
  const std::size_t directory_bytes = 2 + 12 * entries.size() + 4 + value_bytes;
  const std::size_t directory_at = parts.directory_first ? 8 : 8 + block_bytes + block_bytes % 2;

  std::size_t block_at = parts.directory_first ? 8 + directory_bytes : 8;
  for (std::size_t i = 0; i < parts.blocks.size(); ++i) {
    for (std::size_t e = 0; e < own_entries; ++e)
      if (entries[e].tag == 273 || entries[e].tag == 324) entries[e].values[i] = static_cast<std::uint32_t>(block_at);
    block_at += parts.blocks[i].size();
  }

  ByteWriter directory(parts.big_endian), far(parts.big_endian);
  const std::size_t far_at = directory_at + 2 + 12 * entries.size() + 4;
  const auto put_values = [](ByteWriter& to, const TiffEntry& entry) {
    for (const std::uint32_t value : entry.values) entry.type == 3 ? to.u16(value) : to.u32(value);
  };
  directory.u16(entries.size());
  for (const TiffEntry& entry : entries) {
    directory.u16(entry.tag).u16(entry.type).u32(entry.values.size());
    if (size_of_entry(entry) > 4) {
      directory.u32(far_at + far.size());
      put_values(far, entry);
    } else {
      put_values(directory, entry);
      for (std::size_t pad = size_of_entry(entry); pad < 4; ++pad) directory.u8(0);
    }
  }
  directory.u32(0).append(far.bytes());

  ByteWriter file(parts.big_endian);
  file.text(parts.big_endian ? "MM" : "II").u16(42).u32(directory_at);
  if (parts.directory_first) file.append(directory.bytes());
  for (const Bytes& block : parts.blocks) file.append(block);
  if (!parts.directory_first) {
    if (block_bytes % 2 != 0) file.u8(0);
    file.append(directory.bytes());
  }
  return file.bytes();
}

struct BmpParts {
  std::int32_t width = 0, height = 0;  ///< a negative height: the top row first
  unsigned bits = 24, compression = 0;
  std::vector<std::uint32_t> masks = {};  ///< red, green, blue(, alpha); makes the header a BITMAPV4HEADER
  Bytes palette = {};                     ///< B, G, R, 0 each
  Bytes pixels;
};

inline Bytes bmp_file(const BmpParts& parts) {
  const std::uint32_t header_bytes = parts.masks.empty() ? 40 : 108;
  const std::uint32_t offset = 14 + header_bytes + static_cast<std::uint32_t>(parts.palette.size());
  ByteWriter file;
  file.text("BM").u32(offset + parts.pixels.size()).u32(0).u32(offset);
  file.u32(header_bytes).u32(static_cast<std::uint32_t>(parts.width)).u32(static_cast<std::uint32_t>(parts.height));
  file.u16(1).u16(parts.bits).u32(parts.compression).u32(parts.pixels.size()).u32(0).u32(0);
  file.u32(parts.palette.size() / 4).u32(0);
  if (!parts.masks.empty()) {
    for (std::size_t i = 0; i < 4; ++i) file.u32(i < parts.masks.size() ? parts.masks[i] : 0);
    file.text("BGRs");
    for (int i = 0; i < 48; ++i) file.u8(0);
  }
  return file.append(parts.palette).append(parts.pixels).bytes();
}

}  // namespace convtool::testing
