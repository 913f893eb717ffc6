#include "pictures/headers/multi_picture.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "files/buffer.h"
#include "files/byte_reader.h"
#include "pictures/tiff/directory.h"

namespace convtool {
namespace {

constexpr std::uint64_t kMostPictures = 65536;

/// The TIFF structure of the index; empty if the segment has none.
std::span<const std::byte> index_in(std::span<const std::byte> segment) {
  constexpr std::string_view kName("MPF\0", 4);
  const std::string_view text(reinterpret_cast<const char*>(segment.data()), segment.size());
  if (!text.starts_with(kName)) return {};
  return segment.subspan(kName.size());
}

}  // namespace

std::int64_t count_listed_pictures(std::span<const std::byte> segment) {
  const std::span<const std::byte> index = index_in(segment);
  if (index.empty()) return 1;
  try {
    return static_cast<std::int64_t>(
        std::clamp<std::uint64_t>(TiffDirectory(index).value(kNumberOfImages, 1), 1, kMostPictures));
  } catch (const Error&) {
    return 1;
  }
}

std::vector<ListedPicture> listed_pictures(std::span<const std::byte> segment, std::size_t segment_at) {
  const std::span<const std::byte> index = index_in(segment);
  if (index.empty()) return {};
  try {
    constexpr std::uint64_t kEntry = 16;  // attributes, size, offset in the index, two dependent pictures
    const std::vector<std::uint64_t> values = TiffDirectory(index).values(kPictureList, kEntry * kMostPictures);
    Bytes list(values.size());
    std::transform(values.begin(), values.end(), list.begin(), [](std::uint64_t v) { return std::byte(v); });
    ByteReader reader("JPEG", list, index[0] == std::byte{'M'} ? ByteReader::Order::big : ByteReader::Order::little);
    const std::uint64_t index_at = segment_at + (segment.size() - index.size());
    std::vector<ListedPicture> pictures;
    for (std::uint64_t at = 0; at + kEntry <= list.size(); at += kEntry) {
      reader.seek(at + 4);
      const std::uint64_t size = reader.u32(), offset = reader.u32();
      if (offset != 0)  // 0: the picture with the index
        pictures.push_back({.begin = index_at + offset, .end = index_at + offset + size});
    }
    std::sort(pictures.begin(), pictures.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    return pictures;
  } catch (const Error&) {
    return {};
  }
}

}  // namespace convtool
