#include "pictures/stream/tiff_end.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/metadata/directory.h"
#include "pictures/tiff/compressions.h"
#include "pictures/tiff/directory.h"
#include "pictures/tiff/layout.h"
#include "pictures/tiff/samples.h"

namespace convtool {
namespace {

enum OffsetTag : std::uint32_t {
  kFreeOffsets = 288,
  kFreeByteCounts = 289,
  kSubDirectories = 330,
  kJpegStream = 513,
  kJpegStreamBytes = 514,
  kJpegFactors = 519,
  kJpegDcCodes = 520,
  kJpegAcCodes = 521,
  kExifDirectory = 34665,
  kGpsDirectory = 34853,
  kInteropDirectory = 40965,
};

/// Tags of offsets, and those of the sizes of what begins there.
constexpr std::pair<std::uint32_t, std::uint32_t> kBlocks[] = {{kStripOffsets, kStripByteCounts},
                                                               {kTileOffsets, kTileByteCounts},
                                                               {kFreeOffsets, kFreeByteCounts},
                                                               {kJpegStream, kJpegStreamBytes}};

/// Whether the values of an entry are the offsets of directories.
bool has_directories(const DirectoryEntry& entry) {
  constexpr std::uint32_t kDirectoryType = 13, kDirectoryOfBigType = 18;
  switch (entry.tag) {
    case kSubDirectories:
    case kExifDirectory:
    case kGpsDirectory:
    case kInteropDirectory: return true;
    default: return entry.type == kDirectoryType || entry.type == kDirectoryOfBigType;
  }
}

class TiffSearch {
 public:
  explicit TiffSearch(std::span<const std::byte> bytes) : bytes_(bytes), file_(bytes), steps_left_(bytes.size()) {}

  std::uint64_t operator()() {
    if (file_.first() == 0) throw_damaged("TIFF", "no directory");
    wait_for(file_.first());
    while (!waiting_.empty()) {
      const std::uint64_t at = waiting_.back();
      waiting_.pop_back();
      if (seen_.insert(at).second) add_directory(file_.directory(at));
    }
    if (repeats_last_bytes()) end_ += kRepeated;
    return end_;
  }

 private:
  static constexpr std::uint64_t kRepeated = 4;

  /// Parts may share directories and lists, so that a small file could keep the search busy for hours. Where they share
  /// nothing, there is less than a step for each byte.
  void count_steps(std::uint64_t steps) {
    if (steps > steps_left_) throw_damaged("TIFF", "directories that share too much data");
    steps_left_ -= steps;
  }

  void wait_for(std::uint64_t directory) {
    if (directory != 0) waiting_.push_back(directory);
  }

  void add(std::uint64_t at, std::uint64_t size) {
    if (at > bytes_.size() || size > bytes_.size() - at) throw_damaged("TIFF", "a part outside of the file");
    end_ = std::max(end_, at + size);
  }

  void add_directory(const Directory& directory) {
    count_steps(1 + directory.entries.size());
    const auto link = static_cast<std::uint64_t>(file_.offset_size());
    add(directory.end, std::min(link, bytes_.size() - directory.end));
    for (const DirectoryEntry& entry : directory.entries) {
      if (!entry.is_sound) throw_damaged("TIFF", "a value outside of the file");
      add(static_cast<std::uint64_t>(entry.value.data() - bytes_.data()), entry.value.size());
      if (!has_directories(entry)) continue;
      count_steps(entry.count);
      for (std::uint64_t i = 0; i < entry.count; ++i) wait_for(file_.number(entry, i));
    }
    for (const auto& [offsets, sizes] : kBlocks)
      if (const DirectoryEntry* const found = directory.find(offsets))
        add_blocks(directory, *found, directory.find(sizes));
    for (const std::uint32_t tag : {kJpegFactors, kJpegDcCodes, kJpegAcCodes})
      if (const DirectoryEntry* const found = directory.find(tag)) add_jpeg_tables(*found);
    // Some programs leave random bytes in the link of a directory that is not a page.
    if (directory.find(kImageWidth) != nullptr) wait_for(file_.next(directory));
  }

  void add_blocks(const Directory& directory, const DirectoryEntry& offsets, const DirectoryEntry* sizes) {
    if (sizes == nullptr && offsets.tag == kStripOffsets && offsets.count == 1)
      return add(file_.number(offsets), bytes_of_only_strip(directory.begin));
    if (sizes == nullptr || sizes->count < offsets.count) throw_damaged("TIFF", "strips or tiles without a size");
    count_steps(offsets.count);
    for (std::uint64_t i = 0; i < offsets.count; ++i) add(file_.number(offsets, i), file_.number(*sizes, i));
  }

  /// TIFF 5 allows to leave out the size of a single strip.
  std::uint64_t bytes_of_only_strip(std::uint64_t at) const {
    TiffDirectory directory(bytes_, at);
    const std::uint64_t width = directory.required(kImageWidth, "width");
    const std::uint64_t height = directory.required(kImageLength, "height");
    const TiffLayout layout = read_tiff_layout(directory, width, height);
    if (layout.blocks() != 1 || layout.compression != kUncompressed || layout.photometric == kYcbcr)
      throw_damaged("TIFF", "a strip without a size");
    return height * size_of_row(layout, width * static_cast<std::uint64_t>(layout.samples));
  }

  /// Tables of old-style JPEG (TIFF 6.0, section 22): 64 factors, or how many codes there are of each length from 1 to
  /// 16 and a byte for each code.
  void add_jpeg_tables(const DirectoryEntry& tables) {
    constexpr std::uint64_t kFactors = 64, kLengths = 16;
    count_steps(kLengths * tables.count);
    for (std::uint64_t i = 0; i < tables.count; ++i) {
      const std::uint64_t at = file_.number(tables, i);
      std::uint64_t size = tables.tag == kJpegFactors ? kFactors : kLengths;
      add(at, size);
      if (tables.tag == kJpegFactors) continue;
      for (std::uint64_t length = 0; length < kLengths; ++length)
        size += static_cast<std::uint64_t>(bytes_[at + length]);
      add(at, size);
    }
  }

  /// Whether the bytes at the end are those by which a Cloud Optimized GeoTIFF of GDAL repeats the last ones of a tile.
  /// Such a file says so in a note after its first bytes.
  bool repeats_last_bytes() const {
    constexpr std::size_t kLongestNote = 512;
    const std::string_view file(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    const std::string_view note = file.substr(0, kLongestNote);
    const bool is_optimized = note.find("GDAL_STRUCTURAL_METADATA_SIZE=") != std::string_view::npos &&
                              note.find("BLOCK_TRAILER=LAST_4_BYTES_REPEATED") != std::string_view::npos;
    return is_optimized && file.substr(end_, kRepeated) == file.substr(end_ - kRepeated, kRepeated);
  }

  const std::span<const std::byte> bytes_;
  const TiffStructure file_;
  std::uint64_t end_ = 0, steps_left_;
  std::vector<std::uint64_t> waiting_;
  std::set<std::uint64_t> seen_;
};

}  // namespace

std::uint64_t find_tiff_end(std::span<const std::byte> bytes) { return TiffSearch(bytes)(); }

}  // namespace convtool
