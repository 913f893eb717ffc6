#include "pictures/tiff/block_reader.h"

#include <algorithm>
#include <cstring>

#include "files/byte_reader.h"
#include "pictures/headers/jpeg_structure.h"
#include "pictures/tiff/compressions.h"
#include "pictures/tiff/samples.h"

namespace convtool {
namespace {

// Two patterns that have no byte in common. Pixels may happen to equal one of them, but not both.
constexpr std::uint64_t kPatterns[] = {0x9ad1c3375e8b64f2, ~std::uint64_t{0x9ad1c3375e8b64f2}};
constexpr std::size_t kWord = sizeof(std::uint64_t);

void fill(std::byte* bytes, std::size_t size, std::uint64_t pattern) {
  std::size_t i = 0;
  for (; i + kWord <= size; i += kWord) std::memcpy(bytes + i, &pattern, kWord);
  std::memcpy(bytes + i, &pattern, size - i);
}

/// Whether any of the words, or the bytes after the last whole one, still have the pattern.
bool has_pattern(const std::byte* bytes, std::size_t size, std::uint64_t pattern) {
  bool found = false;
  std::size_t i = 0;
  for (; i + kWord <= size; i += kWord) {
    std::uint64_t word;
    std::memcpy(&word, bytes + i, kWord);
    found |= word == pattern;
  }
  return found || (i < size && std::memcmp(bytes + i, &pattern, size - i) == 0);
}

/// Whether a strip or tile of JPEG data has scans for all of its components.
bool has_all_scans(std::span<const std::byte> jpeg) {
  try {
    read_jpeg_structure(jpeg).check_scans();
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

TiffBlockReader::TiffBlockReader(TiffInput& file, const TiffLayout& layout, std::int64_t width, SpareBytes& spare)
    : file_(file),
      layout_(layout),
      deflate_check_(file, layout, spare),
      by_rows_(!layout.tiled && layout.compression == kUncompressed),
      row_bytes_(size_of_row(layout, (layout.tiled ? layout.block_width : static_cast<std::uint64_t>(width)) *
                                         static_cast<std::uint64_t>(layout.samples_in_block()))) {
  TIFF* const tiff = file.get();
  // Holds for all layouts that are read. It would be a different size if libtiff took another value from the tags.
  if (row_bytes_ != (layout.tiled ? TIFFTileRowSize64(tiff) : TIFFScanlineSize64(tiff)))
    throw_damaged("TIFF", "its tags contradict each other");
  part_ = std::make_unique_for_overwrite<std::byte[]>(row_bytes_ * static_cast<std::size_t>(part_height()));
}

bool TiffBlockReader::decode(int plane, std::int64_t x, std::int64_t y, std::size_t size) {
  TIFF* const tiff = file_.get();
  const auto column = static_cast<std::uint32_t>(x), row = static_cast<std::uint32_t>(y);
  const auto sample = static_cast<std::uint16_t>(plane);
  const auto bytes = static_cast<tmsize_t>(size);
  bool done = false;
  const std::uint32_t block =
      layout_.tiled ? TIFFComputeTile(tiff, column, row, 0, sample) : TIFFComputeStrip(tiff, row, sample);
  if (by_rows_)
    done = TIFFReadScanline(tiff, part_.get(), row, sample) == 1;
  else if (layout_.tiled)
    done = TIFFReadEncodedTile(tiff, block, part_.get(), bytes) == bytes;
  else
    done = TIFFReadEncodedStrip(tiff, block, part_.get(), bytes) == bytes;
  if (!done || file_.has_complaints()) return false;
  if (layout_.compression == kJpegInTiff && !has_all_scans(file_.stored_block(block))) return false;
  return !is_deflate(layout_.compression) || deflate_check_.is_sound(block, {part_.get(), size}, row_bytes_);
}

const std::byte* TiffBlockReader::read(int plane, std::int64_t x, std::int64_t y, std::int64_t rows) {
  const std::size_t size =
      row_bytes_ * static_cast<std::size_t>(layout_.tiled ? part_height() : std::min(rows, part_height()));
  bool found = true;
  for (const std::uint64_t pattern : kPatterns) {
    fill(part_.get(), size, pattern);
    if (!decode(plane, x, y, size)) break;
    found = has_pattern(part_.get(), size, pattern);
    if (!found) return part_.get();
  }
  throw_damaged("TIFF", "parts of its data are invalid");
}

}  // namespace convtool
