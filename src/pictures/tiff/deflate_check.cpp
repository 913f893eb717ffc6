#include "pictures/tiff/deflate_check.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/compression.h"

namespace convtool {
namespace {

/// The checksum of rows as they were before libtiff turned them into samples: differences at this `distance` (0: none),
/// in the byte order of the file.
template <class T>
std::uint32_t stored_checksum(std::span<const std::byte> rows, std::size_t row_bytes, std::size_t distance,
                              bool swapped) {
  const std::size_t count = row_bytes / sizeof(T);
  std::vector<T> samples(count), stored(count);
  std::uint32_t sum = kAdler32OfNothing;
  for (; !rows.empty(); rows = rows.subspan(row_bytes)) {
    std::memcpy(samples.data(), rows.data(), row_bytes);
    stored = samples;
    if (distance > 0)
      for (std::size_t i = distance; i < count; ++i) stored[i] = static_cast<T>(samples[i] - samples[i - distance]);
    const auto size = static_cast<tmsize_t>(count);
    if constexpr (sizeof(T) == 2)
      if (swapped) TIFFSwabArrayOfShort(stored.data(), size);
    if constexpr (sizeof(T) == 4)
      if (swapped) TIFFSwabArrayOfLong(stored.data(), size);
    sum = adler32_of(std::as_bytes(std::span(stored)), sum);
  }
  return sum;
}

/// Whether the checksum of the decoded rows, computed from them, is at the end of the stream. False also where it
/// cannot be computed, or other bytes follow.
bool ends_in_checksum(std::span<const std::byte> stream, TIFF* tiff, const TiffLayout& layout,
                      std::span<const std::byte> rows, std::size_t row_bytes) {
  constexpr std::size_t kSize = sizeof(std::uint32_t);
  std::uint16_t predictor = PREDICTOR_NONE;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PREDICTOR, &predictor);
  if (stream.size() < kSize || predictor > PREDICTOR_HORIZONTAL) return false;
  const std::size_t distance =
      predictor == PREDICTOR_HORIZONTAL ? static_cast<std::size_t>(layout.samples_in_block()) : 0;
  const bool swapped = TIFFIsByteSwapped(tiff) != 0;
  const auto checksum = load_number<std::uint32_t>(stream.data() + stream.size() - kSize, std::endian::big);
  switch (layout.bits) {
    case 64: return false;
    case 32: return checksum == stored_checksum<std::uint32_t>(rows, row_bytes, distance, swapped);
    case 16: return checksum == stored_checksum<std::uint16_t>(rows, row_bytes, distance, swapped);
    default: return checksum == stored_checksum<std::uint8_t>(rows, row_bytes, distance, false);
  }
}

}  // namespace

bool DeflateCheck::is_sound(std::uint32_t block, std::span<const std::byte> rows, std::size_t row_bytes) {
  constexpr std::size_t kSlack = std::size_t{1} << 16;
  TIFF* const tiff = file_.get();
  std::span<const std::byte> stream = file_.stored_block(block);
  const std::int64_t spare = std::max<std::int64_t>(0, spare_);
  const std::size_t most = rows.size() + std::min(static_cast<std::size_t>(spare), rows.size() + kSlack);
  // No compressor makes a stream twice as long as its data. What follows does not count, nor may it take time again in
  // each block.
  stream = stream.first(std::min(stream.size(), 2 * most + kSlack));
  std::uint16_t order = FILLORDER_MSB2LSB;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_FILLORDER, &order);
  Bytes reversed;
  if (order != FILLORDER_MSB2LSB) {
    reversed.assign(stream.begin(), stream.end());
    TIFFReverseBits(reinterpret_cast<std::uint8_t*>(reversed.data()), static_cast<tmsize_t>(reversed.size()));
    stream = reversed;
  }
  // The first check takes a fraction of the time of decompression, which the second one repeats.
  if (ends_in_checksum(stream, tiff, layout_, rows, row_bytes)) return true;
  const std::optional<std::size_t> size = size_of_sound_stream(stream, rows.size(), most);
  if (!size) return false;
  const auto beyond = static_cast<std::int64_t>(*size - rows.size());
  return (spare_ -= beyond) >= 0;  // so that the order of the blocks, which threads may change, does not matter
}

}  // namespace convtool
