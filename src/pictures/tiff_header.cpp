// TIFF: size and sample layout, and whether every strip or tile is there.
//
// A TIFF is a directory of tagged values, somewhere in the file, that point to blocks of pixels (TIFF 6.0, section 2;
// in BigTIFF counts and offsets have 8 bytes). libtiff reads on where blocks are missing, and OpenCV 4.6 takes some
// layouts for others: what it gets wrong is refused here, by a list of what it gets right
// (tests/pictures/test_image_io.cpp holds it to that).
#include <algorithm>
#include <limits>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/image_header.h"

namespace convtool {
namespace {

using Values = std::vector<std::uint64_t>;

enum Tag : std::uint32_t {
  kImageWidth = 256,
  kImageLength = 257,
  kBitsPerSample = 258,
  kCompression = 259,
  kPhotometric = 262,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kRowsPerStrip = 278,
  kStripByteCounts = 279,
  kPlanarConfiguration = 284,
  kTileWidth = 322,
  kTileLength = 323,
  kTileOffsets = 324,
  kTileByteCounts = 325,
  kExtraSamples = 338,
  kSampleFormat = 339,
  kIccProfile = 34675,
};

enum Photometric : std::uint64_t { kWhiteIsZero, kBlackIsZero, kRgb, kPalette, kCmyk = 5, kYcbcr = 6, kLogLuv = 32845 };
enum SampleFormat : std::uint64_t { kUnsigned = 1, kSigned = 2, kFloat = 3 };

/// The first directory of a file.
class Directory {
 public:
  explicit Directory(std::span<const std::byte> bytes)
      : file_("TIFF", bytes, bytes[0] == std::byte{'M'} ? ByteReader::Order::big : ByteReader::Order::little, 2) {
    big_ = file_.u16() == 43;
    if (big_) file_.skip(4);  // the size of an offset, always 8, and a zero
    file_.seek(file_.number(offset_size()));
    entries_at_ = skip_entries();
  }

  std::uint64_t file_size() const { return file_.size(); }

  /// How many directories there are, each with a page (or a thumbnail or mask of one). What lies about them after the
  /// first is as good as not there.
  std::int64_t count_pages() {
    constexpr std::int64_t kMost = 65536;  // a chain may lead back to itself
    std::int64_t pages = 1;
    try {
      file_.seek(entries_at_ + entry_count_ * entry_size());
      std::uint64_t next = file_.number(offset_size());
      for (; next != 0 && pages < kMost; ++pages) {
        file_.seek(next);
        const std::uint64_t count = file_.number(big_ ? 8 : 2);
        if (count > file_.size() / entry_size()) return pages;
        file_.skip(count * entry_size());
        next = file_.number(offset_size());
      }
    } catch (const Error&) {
    }
    return pages;
  }

  /// The bytes of a tag that has no say in the pixels; none when it is missing, or makes no sense.
  std::string_view text(Tag tag) {
    try {
      const std::optional<Entry> entry = find(tag);
      if (!entry) return {};
      file_.seek(entry->values_at);
      return file_.text(entry->count * static_cast<std::uint64_t>(entry->value_size));
    } catch (const Error&) {
      return {};
    }
  }

  /// Every value of a tag; none when the tag is missing.
  Values values(Tag tag) {
    const std::optional<Entry> entry = find(tag);
    if (!entry) return {};
    file_.seek(entry->values_at);
    Values values(entry->count);
    for (std::uint64_t& value : values) value = file_.number(entry->value_size);
    return values;
  }

  std::uint64_t value(Tag tag, std::uint64_t otherwise) {
    const Values all = values(tag);
    return all.empty() ? otherwise : all.front();
  }

  /// The same of a tag for which no picture is refused.
  std::uint64_t value_if_sound(Tag tag, std::uint64_t otherwise) {
    try {
      return value(tag, otherwise);
    } catch (const Error&) {
      return otherwise;
    }
  }

  std::uint64_t required(Tag tag, const char* name) {
    const Values all = values(tag);
    if (all.empty()) throw_damaged("TIFF", std::string("no ") + name);
    return all.front();
  }

  /// Where the first value of a tag lies in the file, when it is a 16-bit one.
  std::optional<std::size_t> position_of_u16(Tag tag) {
    const std::optional<Entry> entry = find(tag);
    if (!entry || entry->count == 0 || entry->value_size != 2) return std::nullopt;
    return entry->values_at;
  }

 private:
  struct Entry {
    int value_size;
    std::uint64_t count, values_at;
  };

  /// Steps over the entries at the present position, and returns where they begin.
  std::uint64_t skip_entries() {
    entry_count_ = file_.number(big_ ? 8 : 2);
    const std::uint64_t first = file_.position();
    if (entry_count_ > file_.size() / entry_size()) throw_damaged("TIFF", "its directory does not fit into the file");
    file_.skip(entry_count_ * entry_size());
    return first;
  }

  int offset_size() const { return big_ ? 8 : 4; }
  std::uint64_t entry_size() const { return big_ ? 20 : 12; }

  std::optional<Entry> find(Tag tag) {
    for (std::uint64_t i = 0; i < entry_count_; ++i) {
      file_.seek(entries_at_ + i * entry_size());
      if (file_.u16() != tag) continue;
      const int value_size = size_of_type(file_.u16());
      const std::uint64_t count = file_.number(offset_size());
      const auto size = static_cast<std::uint64_t>(value_size);
      if (count > file_.size() / size) throw_damaged("TIFF", "a table does not fit into the file");
      // Values that fit into the space for the offset stand there themselves.
      if (count * size > static_cast<std::uint64_t>(offset_size())) file_.seek(file_.number(offset_size()));
      const std::uint64_t values_at = file_.position();
      file_.skip(count * size);
      return Entry{value_size, count, values_at};
    }
    return std::nullopt;
  }

  /// Of the integer types and of bytes without a type; the tags that are read here have no others.
  static int size_of_type(std::uint32_t type) {
    switch (type) {
      case 1:
      case 7: return 1;
      case 3: return 2;
      case 4:
      case 13: return 4;
      case 16:
      case 18: return 8;
      default: throw_damaged("TIFF", "a value of type " + std::to_string(type) + " where an integer belongs");
    }
  }

  ByteReader file_;
  bool big_ = false;
  std::uint64_t entry_count_ = 0, entries_at_ = 0;
};

/// How pixels are stored.
struct Layout {
  std::uint64_t photometric, bits, samples, format, compression;
  bool planar;
};

Layout read_layout(Directory& directory) {
  Layout layout;
  layout.photometric = directory.required(kPhotometric, "photometric interpretation");
  layout.samples = directory.value(kSamplesPerPixel, 1);
  layout.compression = directory.value(kCompression, 1);
  layout.planar = directory.value(kPlanarConfiguration, 1) == 2 && layout.samples > 1;
  const auto same_for_all = [&](Tag tag, std::uint64_t otherwise) {
    const Values values = directory.values(tag);
    if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end())
      throw Error(ErrorKind::input, "",
                  "a TIFF whose samples have different depths or types cannot be read; convert it");
    return values.empty() ? otherwise : values.front();
  };
  layout.bits = same_for_all(kBitsPerSample, 1);
  layout.format = same_for_all(kSampleFormat, kUnsigned);
  return layout;
}

/// Whether OpenCV 4.6 returns every sample of such pixels, each in its place.
bool is_decoded_rightly(const Layout& layout) {
  const auto any_of = [](std::uint64_t value, std::initializer_list<std::uint64_t> list) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  const bool unsigned8 = layout.bits == 8 && layout.format == kUnsigned;
  switch (layout.photometric) {
    case kWhiteIsZero:
    case kBlackIsZero:
      if (layout.samples != 1) return false;
      if (layout.format == kUnsigned) return any_of(layout.bits, {1, 8, 10, 12, 14, 16});
      if (layout.format == kFloat) return any_of(layout.bits, {32, 64});
      return layout.format == kSigned && layout.photometric == kBlackIsZero && any_of(layout.bits, {8, 16, 32});
    case kRgb:
      if (layout.samples != 3 && layout.samples != 4) return false;
      if (layout.planar) return unsigned8;
      if (layout.format == kUnsigned) return any_of(layout.bits, {8, 10, 12, 14, 16});
      if (layout.format == kFloat) return layout.bits == 32;
      return layout.format == kSigned && any_of(layout.bits, {8, 16});
    case kPalette: return layout.samples == 1 && unsigned8;
    case kCmyk: return layout.samples == 4 && unsigned8;
    case kYcbcr: return layout.samples == 3 && unsigned8;
    case kLogLuv: return layout.samples == 3 && !layout.planar;
    default: return false;
  }
}

std::string describe(const Layout& layout) {
  const char* const format = layout.format == kUnsigned ? "unsigned"
                             : layout.format == kSigned ? "signed"
                             : layout.format == kFloat  ? "float"
                                                        : "other";
  return std::to_string(layout.samples) + " sample(s) of " + std::to_string(layout.bits) + " bits (" + format +
         "), photometric interpretation " + std::to_string(layout.photometric) +
         (layout.planar ? ", one plane per sample" : "");
}

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

/// That all the strips or tiles that the size calls for are inside the file and, uncompressed, long enough.
void check_blocks(Directory& directory, const PictureHeader& header, const Layout& layout) {
  const auto width = static_cast<std::uint64_t>(header.width), height = static_cast<std::uint64_t>(header.height);
  const bool tiled = !directory.values(kTileOffsets).empty();
  const std::uint64_t block_width = tiled ? directory.required(kTileWidth, "tile width") : width;
  const std::uint64_t block_height =
      tiled ? directory.required(kTileLength, "tile length") : std::min(height, directory.value(kRowsPerStrip, height));
  const std::uint64_t largest = std::numeric_limits<std::uint32_t>::max();
  if (block_width == 0 || block_height == 0 || block_width > largest || block_height > largest)
    throw_damaged("TIFF", "strips or tiles of impossible size");

  const std::uint64_t rows_of_blocks = divide_up(height, block_height);
  const std::uint64_t planes = layout.planar ? layout.samples : 1;
  const std::uint64_t blocks = divide_up(width, block_width) * rows_of_blocks;  // each below 2^32
  const Values offsets = directory.values(tiled ? kTileOffsets : kStripOffsets);
  const Values counts = directory.values(tiled ? kTileByteCounts : kStripByteCounts);
  if (std::min(offsets.size(), counts.size()) / planes < blocks)
    throw_damaged("TIFF", "some of its strips or tiles are missing");

  const std::uint64_t samples_in_row = block_width * (layout.planar ? 1 : layout.samples);
  const std::uint64_t row_bytes = divide_up(samples_in_row * layout.bits, 8);
  const bool length_is_known = layout.compression == 1 && layout.photometric != kYcbcr;  // subsampled otherwise
  for (std::uint64_t i = 0; i < blocks * planes; ++i) {
    const std::uint64_t row_of_blocks = i % blocks / (blocks / rows_of_blocks);
    const std::uint64_t rows = tiled ? block_height : std::min(block_height, height - row_of_blocks * block_height);
    if (offsets[i] == 0 || counts[i] == 0 || offsets[i] > directory.file_size() ||
        counts[i] > directory.file_size() - offsets[i])
      throw_damaged("TIFF", "pixels that the file does not contain");
    if (length_is_known && counts[i] / row_bytes < rows) throw_damaged("TIFF", "strips or tiles that are too short");
  }
}

}  // namespace

PictureHeader read_tiff_header(std::span<const std::byte> bytes) {
  Directory directory(bytes);
  PictureHeader header{.type = PictureType::tiff};
  const auto side = [&](Tag tag, const char* name) {
    const std::uint64_t value = directory.required(tag, name);
    if (value > std::numeric_limits<std::uint32_t>::max()) throw_damaged("TIFF", std::string("impossible ") + name);
    return static_cast<std::int64_t>(value);
  };
  header.width = side(kImageWidth, "width");
  header.height = side(kImageLength, "height");
  if (header.width == 0 || header.height == 0) return header;

  const Layout layout = read_layout(directory);
  if (!is_decoded_rightly(layout))
    throw Error(ErrorKind::input, "",
                "a TIFF of " + describe(layout) + " cannot be read; convert it, to 16-bit RGB for example");
  check_blocks(directory, header, layout);

  const bool is_cmyk = layout.photometric == kCmyk, has_palette = layout.photometric == kPalette;
  header.channels = is_cmyk || has_palette ? 3 : static_cast<std::int64_t>(layout.samples);
  if (layout.format != kUnsigned || layout.photometric == kLogLuv)
    header.dtype = DType::f32;
  else
    header.dtype = layout.bits > 8 ? DType::u16 : DType::u8;

  constexpr std::uint64_t kUnassociatedAlpha = 2;
  const std::string_view profile = directory.text(kIccProfile);
  const std::uint64_t orientation = directory.value_if_sound(kOrientation, 1);
  header.decoded_on_its_side = orientation >= 5 && orientation <= 8;
  header.pages = directory.count_pages();
  header.has_profile = !profile.empty() && !names_srgb(profile);
  header.opaque = is_cmyk;
  header.white_is_zero = layout.photometric == kWhiteIsZero && layout.bits > 8 && layout.format == kUnsigned;
  // Of 10, 12 and 14 bits the decoder fills the low bits of 16 with zeros.
  if (layout.bits > 8 && layout.bits < 16) header.full_value = ((1 << layout.bits) - 1) << (16 - layout.bits);
  if (layout.samples == 4 && layout.photometric == kRgb && directory.value(kExtraSamples, 0) == kUnassociatedAlpha)
    header.extra_sample_at = directory.position_of_u16(kExtraSamples);
  return header;
}

}  // namespace convtool
