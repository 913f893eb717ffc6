#include "pictures/headers/chunks.h"

#include <algorithm>

#include "pictures/compression.h"

namespace convtool {

bool Chunk::is_sound() const {
  const std::uint32_t of_type = crc32_of(std::as_bytes(std::span(type)));
  return crc32_of(data, of_type) == checksum;
}

ChunkReader::ChunkReader(Kind kind, std::span<const std::byte> bytes)
    : png_(kind == Kind::png),
      bytes_(bytes),
      file_(png_ ? "PNG" : "WebP", bytes, png_ ? ByteReader::Order::big : ByteReader::Order::little, png_ ? 8 : 12) {}

std::optional<Chunk> ChunkReader::next() {
  const auto left = [&] { return file_.size() - file_.position(); };
  if (left() < 8) return std::nullopt;
  std::uint64_t length = png_ ? file_.u32() : 0;
  const std::string_view type = file_.text(4);
  if (!png_) length = file_.u32();
  if (length > left()) {
    cut_ = type;
    return std::nullopt;
  }
  Chunk chunk{.type = type, .data = bytes_.subspan(file_.position(), length)};
  file_.skip(length);
  if (png_) {
    if (left() < 4) return std::nullopt;
    chunk.checksum = file_.u32();
  } else {
    file_.skip(std::min(left(), length % 2));  // padding to an even length
  }
  return chunk;
}

std::span<const std::byte> find_chunk(ChunkReader::Kind kind, std::span<const std::byte> bytes, std::string_view type) {
  ChunkReader chunks(kind, bytes);
  while (const std::optional<Chunk> chunk = chunks.next())
    if (chunk->type == type) return chunk->data;
  return {};
}

}  // namespace convtool
