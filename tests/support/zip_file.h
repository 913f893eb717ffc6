// ZIP archives, as numpy.savez and others write them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pictures/compression.h"
#include "support/picture_bytes.h"

namespace convtool::testing {

struct ZipPart {
  std::string name, content;
  bool is_deflated = false;
  bool in_64 = false;  ///< sizes and place are in the extra field of ZIP64
};

/// The archive, as it is from byte `start` of a file on. `in_64`: the place of the directory is in the record of ZIP64.
inline Bytes zip_file(const std::vector<ZipPart>& parts, bool in_64 = false, const std::string& comment = "",
                      std::uint64_t start = 0) {
  constexpr std::uint64_t kElsewhere = 0xffffffff;
  const auto u64 = [](ByteWriter& bytes, std::uint64_t number) { bytes.u32(number).u32(number >> 32); };
  ByteWriter file, directory;
  for (const ZipPart& part : parts) {
    const Bytes text = to_bytes(part.content);
    Bytes stored = text;
    if (part.is_deflated) {
      const Bytes stream = deflate(text, 6, {});
      stored.assign(stream.begin() + 2, stream.end() - 4);  // without the header and the checksum of zlib
    }
    const std::uint64_t method = part.is_deflated ? 8 : 0, crc = crc32_of(text), place = start + file.size();
    file.u32(0x04034b50).u16(45).u16(0).u16(method).u32(0).u32(crc);
    // As numpy.savez writes it: the local header has the sizes in its extra field.
    file.u32(kElsewhere).u32(kElsewhere).u16(part.name.size()).u16(20).text(part.name).u16(1).u16(16);
    u64(file, text.size());
    u64(file, stored.size());
    file.append(stored);

    directory.u32(0x02014b50).u16(45).u16(45).u16(0).u16(method).u32(0).u32(crc);
    directory.u32(part.in_64 ? kElsewhere : stored.size()).u32(part.in_64 ? kElsewhere : text.size());
    directory.u16(part.name.size()).u16(part.in_64 ? 32 : 0).u16(0).u16(0).u16(0).u32(0);
    directory.u32(part.in_64 ? kElsewhere : place).text(part.name);
    if (!part.in_64) continue;
    directory.u16(0x5455).u16(0).u16(1).u16(24);  // another kind of field first
    u64(directory, text.size());
    u64(directory, stored.size());
    u64(directory, place);
  }
  const std::uint64_t begin = start + file.size(), size = directory.size(), count = parts.size();
  file.append(directory.bytes());
  if (in_64) {
    const std::uint64_t record = start + file.size();
    file.u32(0x06064b50).u32(44).u32(0).u16(45).u16(45).u32(0).u32(0);
    for (const std::uint64_t number : {count, count, size, begin}) u64(file, number);
    file.u32(0x07064b50).u32(0);
    u64(file, record);
    file.u32(1);
  }
  file.u32(0x06054b50).u16(0).u16(0).u16(in_64 ? 0xffff : count).u16(in_64 ? 0xffff : count);
  file.u32(in_64 ? kElsewhere : size).u32(in_64 ? kElsewhere : begin).u16(comment.size()).text(comment);
  return file.bytes();
}

}  // namespace convtool::testing
