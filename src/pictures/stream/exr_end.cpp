#include "pictures/stream/exr_end.h"

#include <algorithm>

#include "files/byte_reader.h"
#include "pictures/headers/exr_parts.h"

namespace convtool {
namespace {

double count_blocks(std::int64_t a, std::int64_t b) { return static_cast<double>((a + b - 1) / b); }

/// The size of a level, of which each has half the size of the one before.
std::int64_t size_of_level(const ExrPart& part, std::int64_t size, int level) {
  const std::int64_t up = part.rounds_up ? (std::int64_t{1} << level) - 1 : 0;
  return std::max<std::int64_t>(1, (size + up) >> level);
}

int count_levels(const ExrPart& part, std::int64_t size) {
  int levels = 1;
  while (size_of_level(part, size, levels - 1) > 1) ++levels;
  return levels;
}

/// The sum of the tiles over all levels.
double count_tiles(const ExrPart& part) {
  const auto across = [&](int level) {
    return count_blocks(size_of_level(part, part.width(), level), part.tile_width);
  };
  const auto down = [&](int level) {
    return count_blocks(size_of_level(part, part.height(), level), part.tile_height);
  };
  if (part.levels == ExrPart::Levels::one) return across(0) * down(0);
  double tiles = 0;
  if (part.levels == ExrPart::Levels::mipmap) {
    const int levels = count_levels(part, std::max(part.width(), part.height()));
    for (int level = 0; level < levels; ++level) tiles += across(level) * down(level);
    return tiles;
  }
  double tiles_across = 0;
  for (int level = 0; level < count_levels(part, part.width()); ++level) tiles_across += across(level);
  for (int level = 0; level < count_levels(part, part.height()); ++level) tiles += tiles_across * down(level);
  return tiles;
}

double count_chunks(const ExrPart& part) {
  if (part.is_tiled && !part.has_tiles) throw_damaged("OpenEXR", "tiles without a size");
  const double chunks = part.is_tiled ? count_tiles(part) : count_blocks(part.height(), part.rows_per_block());
  if (part.chunks != 0 && static_cast<double>(part.chunks) != chunks)
    throw_damaged("OpenEXR", "another number of chunks than its size");
  return chunks;
}

/// The end of the chunk at `at`.
std::uint64_t end_of_chunk(ByteReader file, std::uint64_t at, const ExrPart& part, bool is_multi_part) {
  file.seek(at);
  file.skip((is_multi_part ? 4 : 0) + (part.is_tiled ? 4 * 4 : 4));  // the part; a tile and its level, or a row
  if (!part.is_deep) {
    file.skip(file.u32());
    return file.position();
  }
  const std::uint64_t counts = file.number(8), samples = file.number(8);
  file.skip(8);  // the size of the samples when they are unpacked
  file.skip(counts);
  file.skip(samples);
  return file.position();
}

}  // namespace

std::uint64_t find_exr_end(std::span<const std::byte> bytes) {
  const ExrParts all = read_exr_parts(bytes);
  const auto room = static_cast<double>((bytes.size() - all.end) / 8);
  double chunks = 0;
  for (const ExrPart& part : all.parts) chunks += count_chunks(part);
  if (chunks > room) throw_damaged("OpenEXR", "it ends before its table of rows or tiles does");

  ByteReader file("OpenEXR", bytes, ByteReader::Order::little, all.end);
  const std::uint64_t first = all.end + 8 * static_cast<std::uint64_t>(chunks);
  std::uint64_t end = first;
  for (const ExrPart& part : all.parts)
    for (double left = count_chunks(part); left > 0; --left) {
      const std::uint64_t at = file.number(8);
      if (at < first) throw_damaged("OpenEXR", "a chunk without an offset");
      end = std::max(end, end_of_chunk(file, at, part, all.is_multi_part));
    }
  return end;
}

}  // namespace convtool
