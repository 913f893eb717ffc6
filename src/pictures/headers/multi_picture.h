// Internal to pictures/: the index of a JPEG in the Multi-Picture Format (CIPA DC-007), in a segment APP2: a TIFF
// directory that lists the pictures of the file, which follow one another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace convtool {

/// How many pictures the index in the data of a segment APP2 lists; 1 if it has none, or a damaged one.
std::int64_t count_listed_pictures(std::span<const std::byte> segment);

/// A picture where the index says that it is, true or not.
struct ListedPicture {
  std::uint64_t begin = 0, end = 0;
};

/// The pictures after the one with the index, in the order of their places in the file. `segment` is the data of the
/// segment that may hold the index, and `segment_at` its offset in the file. Empty if the index is missing or damaged.
std::vector<ListedPicture> listed_pictures(std::span<const std::byte> segment, std::size_t segment_at);

}  // namespace convtool
