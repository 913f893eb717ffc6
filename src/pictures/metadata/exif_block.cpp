#include "pictures/metadata/exif_block.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "files/byte_reader.h"
#include "pictures/metadata/picture_metadata.h"

namespace convtool {
namespace {

enum Tag : std::uint32_t {
  kDescription = 270,
  kStripOffsetsTag = 273,
  kOrientationTag = 274,
  kStripSizesTag = 279,
  kXResolution = 282,
  kYResolution = 283,
  kResolutionUnit = 296,
  kThumbnailAt = 513,
  kThumbnailSize = 514,
  kCameraDirectory = 34665,
  kPlaceDirectory = 34853,
  kInteroperability = 40965,  // in the directory of the camera
};

/// The tags of the first directory that are EXIF (4.6.4, and those that Windows and others add): description, maker,
/// model, orientation, resolution, software, date, artist, host, white point, primaries, ratings, copyright, titles in
/// UTF-16, print matching.
constexpr std::uint32_t kTagsOnPicture[] = {
    kDescription, 271, 272,   kOrientationTag, kXResolution, kYResolution, kResolutionUnit, 305,   306,   315,   316,
    318,          319, 18246, 18249,           33432,        40091,        40092,           40093, 40094, 40095, 50341};

bool belongs_to_exif(std::uint32_t tag) {
  return std::find(std::begin(kTagsOnPicture), std::end(kTagsOnPicture), tag) != std::end(kTagsOnPicture);
}

/// Whether the tag alone is worth a block: not the orientation, which is applied, nor the resolution, which is kept
/// without EXIF.
bool describes(std::uint32_t tag) {
  return belongs_to_exif(tag) && tag != kOrientationTag && tag != kXResolution && tag != kYResolution &&
         tag != kResolutionUnit;
}

/// Whether an entry is a description in which tifffile, ImageJ or OME store the shape of the file and the order of its
/// pages, which are others in a result.
bool describes_storage(const DirectoryEntry& entry) {
  if (entry.tag != kDescription) return false;
  const std::string_view text(reinterpret_cast<const char*>(entry.value.data()), entry.value.size());
  return text.starts_with("{\"shape\":") || text.starts_with("ImageJ=") || text.find("<OME ") != text.npos;
}

bool is_pointer(std::uint32_t tag) {
  return tag == kCameraDirectory || tag == kPlaceDirectory || tag == kInteroperability;
}

/// The directories that hang from the first one.
std::vector<Directory> further_directories(const TiffStructure& block, const Directory& first) {
  std::vector<Directory> all;
  for (const std::uint32_t tag : {kCameraDirectory, kPlaceDirectory}) {
    const DirectoryEntry* const entry = first.find(tag);
    if (entry == nullptr) continue;
    all.push_back(block.directory(*entry));
    const DirectoryEntry* const inner = all.back().find(kInteroperability);
    if (tag == kCameraDirectory && inner != nullptr) all.push_back(block.directory(*inner));
  }
  return all;
}

/// Throws Error(input) if a value is outside the block, or if values share so many bytes that copying them would take
/// much more than the block, which has `size` bytes.
void check_values(const Directory& first, const std::vector<Directory>& further, std::size_t size) {
  std::size_t bytes = 0;
  const auto check = [&](const Directory& directory) {
    for (const DirectoryEntry& entry : directory.entries) {
      if (!entry.is_sound) throw_damaged("EXIF", "a value outside of it");
      bytes += entry.value.size();
    }
  };
  check(first);
  for (const Directory& directory : further) check(directory);
  if (bytes / 2 > size) throw_damaged("EXIF", "values that share their bytes");
}

/// Which bytes of a block belong to some of its parts.
class Marks {
 public:
  explicit Marks(std::span<const std::byte> block) : block_(block), marks_(block.size()) {}

  bool operator[](std::size_t at) const { return marks_[at]; }

  /// A part that is outside the block is cut.
  void add(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < std::min<std::uint64_t>(end, marks_.size()); ++i) marks_[i] = true;
  }
  void add(std::span<const std::byte> part) {
    const auto begin = static_cast<std::uint64_t>(part.data() - block_.data());
    add(begin, begin + part.size());
  }
  void add(const Directory& directory) {
    add(directory.begin, directory.end);
    for (const DirectoryEntry& entry : directory.entries) add(entry.value);
  }

 private:
  std::span<const std::byte> block_;
  std::vector<bool> marks_;
};

/// Marks the pixels that `offsets` and `sizes` point to.
void add_pixels(Marks& marks, const TiffStructure& block, const Directory& directory, Tag offsets, Tag sizes) {
  const DirectoryEntry *const at = directory.find(offsets), *const size = directory.find(sizes);
  if (at == nullptr || size == nullptr) return;
  for (std::uint64_t i = 0; i < std::min(at->count, size->count); ++i) {
    const std::uint64_t begin = block.number(*at, i);
    marks.add(begin, begin + block.number(*size, i));
  }
}

/// Marks the chain of directories at `at`, and their pixels, as far as it is sound.
void add_thumbnails(Marks& marks, const TiffStructure& block, std::uint64_t at) {
  constexpr int kMost = 4;  // a chain may point back to itself
  try {
    for (int i = 0; i < kMost && at != 0; ++i) {
      const Directory directory = block.directory(at);
      marks.add(directory);
      marks.add(directory.end, directory.end + 4);
      add_pixels(marks, block, directory, kThumbnailAt, kThumbnailSize);
      add_pixels(marks, block, directory, kStripOffsetsTag, kStripSizesTag);
      at = block.next(directory);
    }
  } catch (const Error&) {
  }
}

/// Copies the entries that `keeps` accepts, apart from pointers to directories, which are not values.
template <class Keeps>
std::vector<NewEntry> copy_entries(const TiffStructure& from, const Directory& directory, std::endian order,
                                   const Keeps& keeps) {
  constexpr std::uint32_t kFirstOfBigTiff = 16;
  std::vector<NewEntry> result;
  for (const DirectoryEntry& entry : directory.entries) {
    if (is_pointer(entry.tag) || entry.value.empty() || entry.type >= kFirstOfBigTiff || !keeps(entry.tag)) continue;
    result.push_back(entry.tag == kOrientationTag ? short_entry(kOrientationTag, 1, order)
                                                  : copy_entry(entry, from.order(), order));
  }
  return result;
}

/// The entries that point to copies of the directories of camera and place.
std::vector<NewEntry> copy_further(const TiffStructure& from, const Directory& first, std::endian order) {
  const auto all = [](std::uint32_t) { return true; };
  std::vector<NewEntry> result;
  for (const std::uint32_t tag : {kCameraDirectory, kPlaceDirectory}) {
    const DirectoryEntry* const entry = first.find(tag);
    if (entry == nullptr) continue;
    const Directory directory = from.directory(*entry);
    std::vector<NewEntry> copy = copy_entries(from, directory, order, all);
    const DirectoryEntry* const inner = directory.find(kInteroperability);
    if (tag == kCameraDirectory && inner != nullptr) {
      std::vector<NewEntry> inner_copy = copy_entries(from, from.directory(*inner), order, all);
      if (!inner_copy.empty()) copy.push_back({.tag = kInteroperability, .directory = std::move(inner_copy)});
    }
    if (!copy.empty()) result.push_back({.tag = tag, .directory = std::move(copy)});
  }
  return result;
}

std::span<const std::byte> without_prefix(std::span<const std::byte> block) {
  using namespace std::string_view_literals;
  constexpr std::string_view kPrefix = "Exif\0\0"sv;
  std::string_view text(reinterpret_cast<const char*>(block.data()), block.size());
  while (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  return block.last(text.size());
}

/// clean_exif() without a prefix, for parts that do not overlap.
Bytes clean_once(std::span<const std::byte> block) {
  Bytes bytes(block.begin(), block.end());
  const TiffStructure structure(bytes);
  if (structure.is_big()) throw_damaged("EXIF", "a BigTIFF");
  const Directory first = structure.directory(structure.first());
  const std::vector<Directory> further = further_directories(structure, first);
  check_values(first, further, bytes.size());

  Marks kept(bytes), dropped(bytes);
  constexpr std::uint64_t kHeader = 8, kLink = 4;
  kept.add(0, kHeader);
  kept.add(first);
  for (const Directory& directory : further) kept.add(directory);
  bool has_link = structure.next(first) != 0;
  for (std::uint64_t i = 0; has_link && i < kLink; ++i) has_link = !kept[first.end + i];
  if (has_link) {
    kept.add(first.end, first.end + kLink);
    add_thumbnails(dropped, structure, structure.next(first));
    store_number<std::uint32_t>(&bytes[first.end], 0, structure.order());
  }
  for (const DirectoryEntry& entry : first.entries) {
    if (entry.tag != kOrientationTag) continue;
    constexpr std::uint16_t kShort = 3, kUpright = 1;
    std::byte* const at = &bytes[entry.at];
    store_number<std::uint16_t>(at + 2, kShort, structure.order());
    store_number<std::uint32_t>(at + 4, 1, structure.order());
    store_number<std::uint16_t>(at + 8, kUpright, structure.order());
    store_number<std::uint16_t>(at + 10, 0, structure.order());
  }
  const auto is_dropped = [&](std::size_t i) { return dropped[i] && !kept[i]; };
  std::size_t size = bytes.size();
  bool drops = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (!is_dropped(i)) continue;
    bytes[i] = std::byte{0};
    drops = true;
  }
  while (drops && !kept[size - 1] && bytes[size - 1] == std::byte{0}) --size;  // with the padding after it
  bytes.resize(size);
  return bytes;
}

/// Lets the resolution in x have the value of that in y, and the reverse: their entries change places, but for the
/// tags.
void swap_resolutions(Bytes& exif) {
  const TiffStructure structure(exif);
  const Directory first = structure.directory(structure.first());
  const DirectoryEntry *const x = first.find(kXResolution), *const y = first.find(kYResolution);
  if (x == nullptr || y == nullptr) return;
  constexpr std::size_t kTag = 2, kEntry = 12;
  std::swap_ranges(&exif[x->at] + kTag, &exif[x->at] + kEntry, &exif[y->at] + kTag);
}

}  // namespace

Bytes clean_exif(std::span<const std::byte> block, bool is_transposed) {
  Bytes result = clean_once(without_prefix(block));
  if (is_transposed) swap_resolutions(result);
  // Where parts overlap, a change to one may be a change to others, which then point elsewhere.
  if (clean_once(result) != result) throw_damaged("EXIF", "directories that overlap");
  return result;
}

std::optional<Bytes> exif_of_tiff(std::span<const std::byte> file, Directory page) {
  const TiffStructure tiff(file);
  std::erase_if(page.entries, [](const DirectoryEntry& entry) {
    return (!belongs_to_exif(entry.tag) && !is_pointer(entry.tag)) || describes_storage(entry);
  });
  const bool has_exif = std::any_of(page.entries.begin(), page.entries.end(), [](const DirectoryEntry& entry) {
    return describes(entry.tag) || entry.tag == kCameraDirectory || entry.tag == kPlaceDirectory;
  });
  if (!has_exif) return std::nullopt;
  const std::endian order = tiff.order();
  check_values(page, further_directories(tiff, page), std::min(file.size(), kMostMetadata));
  std::vector<NewEntry> entries = copy_entries(tiff, page, order, [](std::uint32_t) { return true; });
  for (NewEntry& entry : copy_further(tiff, page, order)) entries.push_back(std::move(entry));
  Bytes block(8);
  const std::uint64_t at = append_directory(block, std::move(entries), order, false);
  block[0] = block[1] = static_cast<std::byte>(order == std::endian::big ? 'M' : 'I');
  store_number<std::uint16_t>(&block[2], 42, order);
  store_number<std::uint32_t>(&block[4], static_cast<std::uint32_t>(at), order);
  return block;
}

void add_exif_to_tiff(Bytes& file, std::span<const std::byte> exif) {
  const TiffStructure block(exif), tiff(file);
  const Directory own = tiff.directory(tiff.first()), first = block.directory(block.first());
  const std::endian order = tiff.order();
  std::vector<NewEntry> entries;
  for (const DirectoryEntry& entry : own.entries) entries.push_back(copy_entry(entry, order, order));
  for (NewEntry& entry : copy_entries(block, first, order, belongs_to_exif))
    if (own.find(entry.tag) == nullptr) entries.push_back(std::move(entry));
  for (NewEntry& entry : copy_further(block, first, order)) entries.push_back(std::move(entry));

  const bool is_big = tiff.is_big();
  const std::uint64_t begin = tiff.first(), next = tiff.next(own);
  // libtiff puts the directory and its values after the pixels. If no further page follows, the new one takes their
  // place.
  if (next == 0) file.resize(begin);
  const std::uint64_t at = append_directory(file, std::move(entries), order, is_big, next);
  if (is_big)
    store_number<std::uint64_t>(&file[8], at, order);
  else
    store_number<std::uint32_t>(&file[4], static_cast<std::uint32_t>(at), order);
}

std::optional<Resolution> resolution_in(const TiffStructure& structure, const Directory& directory) {
  constexpr std::uint32_t kRational = 5;
  const auto rational = [&](std::uint32_t tag) {
    const DirectoryEntry* const entry = directory.find(tag);
    if (entry == nullptr || entry->type != kRational || entry->count == 0) return 0.0;
    return static_cast<double>(structure.number(*entry, 0)) / static_cast<double>(structure.number(*entry, 1));
  };
  using Unit = Resolution::Unit;
  constexpr std::uint64_t kNone = 1, kInch = 2, kCentimetre = 3;
  const DirectoryEntry* const given = directory.find(kResolutionUnit);
  const std::uint64_t unit = given == nullptr || given->value.empty() ? kInch : structure.number(*given);
  if (unit != kNone && unit != kInch && unit != kCentimetre) return std::nullopt;
  return find_resolution(rational(kXResolution), rational(kYResolution),
                         unit == kNone   ? Unit::none
                         : unit == kInch ? Unit::inch
                                         : Unit::centimetre);
}

std::optional<Resolution> resolution_in(std::span<const std::byte> exif) {
  if (exif.empty()) return std::nullopt;
  const TiffStructure block(exif);
  return resolution_in(block, block.directory(block.first()));
}

}  // namespace convtool
