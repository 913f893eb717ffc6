// Internal to pictures/: the chunks of PNG and RIFF (WebP) files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "files/byte_reader.h"

namespace convtool {

struct Chunk {
  std::string_view type;  ///< four characters
  std::span<const std::byte> data;
  std::uint32_t checksum = 0;  ///< as stored, of the type and the data; RIFF has none

  /// Whether the checksum of a PNG chunk is right.
  bool is_sound() const;
};

/// The chunks of a file in its order. Does not own the bytes.
class ChunkReader {
 public:
  enum class Kind { png, riff };

  ChunkReader(Kind kind, std::span<const std::byte> bytes);

  /// The next chunk, or nothing if the file ends before it does.
  std::optional<Chunk> next();

  /// The type of the chunk in which the file ends, once next() has found it; "" before that, and if there is none.
  std::string_view cut() const { return cut_; }

 private:
  bool png_;
  std::string_view cut_;
  std::span<const std::byte> bytes_;
  ByteReader file_;
};

/// The data of the first chunk of this type, or nothing if the file has none or ends before it.
std::span<const std::byte> find_chunk(ChunkReader::Kind kind, std::span<const std::byte> bytes, std::string_view type);

}  // namespace convtool
