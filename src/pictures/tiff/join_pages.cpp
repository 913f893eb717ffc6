#include "pictures/tiff/join_pages.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <vector>

#include "core/error.h"
#include "files/byte_reader.h"
#include "pictures/metadata/directory.h"

namespace convtool {
namespace {

constexpr std::uint32_t kStripOffsetsTag = 273, kTileOffsetsTag = 324;
constexpr std::uint32_t kPointers[] = {34665, 34853, 40965};  // to directories: camera, place, interoperability

/// An offset in a file: a number of `size` bytes.
struct Place {
  std::size_t at = 0, size = 0;
};

/// Where the offsets of a directory, and of those that hang from it, are in `file`, apart from the link to the next
/// one.
void find_offsets(const TiffStructure& tiff, std::span<const std::byte> file, const Directory& directory,
                  std::vector<Place>& places) {
  const auto offset_size = static_cast<std::size_t>(tiff.offset_size());
  for (const DirectoryEntry& entry : directory.entries) {
    require(entry.is_sound, "a written TIFF with a value outside of it");
    const std::size_t value_at = entry.at + (tiff.is_big() ? 12 : 8);
    if (entry.value.size() > offset_size) places.push_back({value_at, offset_size});
    const bool is_pointer = std::find(std::begin(kPointers), std::end(kPointers), entry.tag) != std::end(kPointers);
    if (is_pointer) find_offsets(tiff, file, tiff.directory(entry), places);
    if (!is_pointer && entry.tag != kStripOffsetsTag && entry.tag != kTileOffsetsTag) continue;
    const std::size_t size = entry.value.size() / entry.count;
    const auto first = static_cast<std::size_t>(entry.value.data() - file.data());
    for (std::size_t i = 0; i < entry.count; ++i) places.push_back({first + i * size, size});
  }
}

/// Adds `distance` to the offset at `place`.
void move_offset(Bytes& file, const Place& place, std::uint64_t distance, std::endian order) {
  std::byte* const at = &file[place.at];
  const auto move = [&]<class Number>(Number) {
    const std::uint64_t moved = load_number<Number>(at, order) + distance;
    if (moved > std::numeric_limits<Number>::max())
      throw Error(ErrorKind::output, "", "the pages are too large for one TIFF; choose fewer with --pages");
    store_number(at, static_cast<Number>(moved), order);
  };
  place.size == 2 ? move(std::uint16_t{}) : place.size == 4 ? move(std::uint32_t{}) : move(std::uint64_t{});
}

}  // namespace

void TiffJoiner::add(std::span<const std::byte> file) {
  Bytes page(file.begin(), file.end());
  page.resize(page.size() + page.size() % 2);  // directories begin at even offsets
  const TiffStructure tiff(page);
  const std::endian order = tiff.order();
  const std::size_t header = tiff.is_big() ? 16 : 8, offset_size = static_cast<std::size_t>(tiff.offset_size());
  const Directory directory = tiff.directory(tiff.first());
  std::uint64_t first = tiff.first();
  if (!last_.empty()) {
    std::vector<Place> places;
    find_offsets(tiff, page, directory, places);
    const std::uint64_t distance = written_ + last_.size() - header;
    for (const Place& place : places) move_offset(page, place, distance, order);
    first += distance;
    move_offset(last_, {link_, offset_size}, first, order);  // it is 0
    write_(last_);
    written_ += last_.size();
    page.erase(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(header));
    link_ = directory.end - header;
  } else {
    link_ = directory.end;
  }
  last_ = std::move(page);
}

void TiffJoiner::finish() {
  require(!last_.empty(), "a TIFF without pages");
  write_(last_);
}

}  // namespace convtool
