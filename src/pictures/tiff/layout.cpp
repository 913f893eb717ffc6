#include "pictures/tiff/layout.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "pictures/tiff/compressions.h"

namespace convtool {
namespace {

enum SampleFormat : std::uint64_t { kUnsigned = 1, kSigned = 2, kFloat = 3, kUndefined = 4 };
enum ExtraSample : std::uint64_t { kAssociatedAlpha = 1 };
constexpr std::uint64_t kCmykInks = 1;  // of the tag InkSet

/// Bytes that libtiff allocates for a file it reads: its tables for LZW take 120 KB, those for Deflate less.
constexpr double kDecoderMemory = 0x1p18;
constexpr double kMostDecodingThreads = 16;

/// The tags as stored.
struct StoredLayout {
  std::uint64_t photometric, bits, samples, format, compression;
  bool planar;
};

[[noreturn]] void refuse_layout(const StoredLayout& stored) {
  const char* const format = stored.format == kUnsigned ? "unsigned"
                             : stored.format == kSigned ? "signed"
                             : stored.format == kFloat  ? "float"
                                                        : "other";
  throw Error(ErrorKind::input, "",
              "a TIFF of " + std::to_string(stored.samples) + " sample(s) of " + std::to_string(stored.bits) +
                  " bits (" + format + "), photometric interpretation " + std::to_string(stored.photometric) +
                  (stored.planar ? ", one plane per sample" : "") +
                  " cannot be read; convert it, for example to 16-bit RGB");
}

bool is_any_of(std::uint64_t value, std::initializer_list<std::uint64_t> list) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// The samples of a pixel without alpha; 0 if the interpretation is not read.
std::uint64_t count_colours(std::uint64_t photometric) {
  switch (photometric) {
    case kWhiteIsZero:
    case kBlackIsZero:
    case kPalette:
    case kLogL: return 1;
    case kRgbSamples:
    case kYcbcr:
    case kCieLab:
    case kIccLab:
    case kLogLuv: return 3;
    case kCmyk: return 4;
    default: return 0;
  }
}

bool may_have_alpha(std::uint64_t photometric) {
  return is_any_of(photometric, {kWhiteIsZero, kBlackIsZero, kRgbSamples, kPalette, kCmyk});
}

bool has_readable_samples(const StoredLayout& stored) {
  const bool small = stored.format == kUnsigned && stored.bits >= 1 && stored.bits <= 16;
  switch (stored.photometric) {
    case kWhiteIsZero:
    case kBlackIsZero:
    case kRgbSamples:
      if (stored.format == kUnsigned) return small || is_any_of(stored.bits, {32, 64});
      if (stored.format == kFloat) return is_any_of(stored.bits, {16, 32, 64});
      // A signed value has no white to count from.
      return stored.format == kSigned && stored.photometric != kWhiteIsZero && is_any_of(stored.bits, {8, 16, 32, 64});
    case kPalette: return small && stored.bits <= 8;
    case kCmyk: return small;
    case kYcbcr: return small && stored.bits == 8;
    case kCieLab:
    case kIccLab: return small && is_any_of(stored.bits, {8, 16});
    case kLogL:
    case kLogLuv: return !stored.planar && is_any_of(stored.compression, {kSgiLog, kSgiLog24});
    default: return false;
  }
}

void check_compression(const StoredLayout& stored) {
  const std::string name = name_of_compression(stored.compression);
  if (!is_decodable(stored.compression))
    throw Error(ErrorKind::input, "",
                (name.starts_with("compression ") ? name + " of TIFF" : name + " in TIFF") +
                    " cannot be read; convert it, for example to Deflate or LZW");
  const std::uint64_t bits = only_bits_of(stored.compression);
  if (bits != 0 && bits != stored.bits)
    throw Error(ErrorKind::input, "",
                name + " of " + std::to_string(stored.bits) + "-bit samples in TIFF cannot be read (" +
                    std::to_string(bits) + " can); convert it, for example to Deflate or LZW");
  const bool is_log = is_any_of(stored.photometric, {kLogL, kLogLuv});
  if (is_any_of(stored.compression, {kSgiLog, kSgiLog24}) && !is_log) refuse_layout(stored);
  // libtiff takes a plane for an interleaved picture.
  if (stored.compression == kWebpInTiff && stored.planar)
    throw Error(ErrorKind::input, "",
                "WebP of one plane per sample in TIFF cannot be read; convert it, for example to Deflate or LZW");
}

void check_inks(std::uint64_t ink_set) {
  if (ink_set != kCmykInks)
    throw Error(ErrorKind::input, "",
                "a TIFF of other inks than cyan, magenta, yellow and black (InkSet " + std::to_string(ink_set) +
                    ") cannot be read; convert it, for example to RGB");
}

StoredLayout read_stored(TiffDirectory& directory) {
  StoredLayout stored{};
  stored.photometric = directory.required(kPhotometric, "photometric interpretation");
  stored.samples = directory.value(kSamplesPerPixel, 1);
  stored.compression = directory.value(kCompression, 1);
  stored.planar = directory.value(kPlanarConfiguration, 1) == 2 && stored.samples > 1;
  const auto same_for_all = [&](TiffTag tag, std::uint64_t otherwise) {
    constexpr std::uint64_t kMostSamples = 5;
    const std::vector<std::uint64_t> values = directory.values(tag, std::min(kMostSamples, stored.samples));
    if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end())
      throw Error(ErrorKind::input, "",
                  "a TIFF whose samples have different depths or types cannot be read; convert it");
    return values.empty() ? otherwise : values.front();
  };
  stored.bits = same_for_all(kBitsPerSample, 1);
  stored.format = same_for_all(kSampleFormat, kUnsigned);
  if (stored.format == kUndefined) stored.format = kUnsigned;  // TIFF 6.0, section 19: as if the tag were missing
  return stored;
}

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

void read_blocks(TiffDirectory& directory, std::uint64_t width, std::uint64_t height, TiffLayout& layout) {
  const auto lists = [&](TiffTag offsets, TiffTag sizes) {
    return directory.count(offsets) != 0 || directory.count(sizes) != 0;
  };
  // libtiff keeps one table of offsets and one of sizes, and the last tag in the file wins.
  if (lists(kStripOffsets, kStripByteCounts) && lists(kTileOffsets, kTileByteCounts))
    throw_damaged("TIFF", "it lists both strips and tiles");
  layout.tiled = directory.count(kTileOffsets) != 0;
  layout.block_width = layout.tiled ? directory.required(kTileWidth, "tile width") : width;
  layout.block_height = layout.tiled ? directory.required(kTileLength, "tile length")
                                     : std::min(height, directory.value(kRowsPerStrip, height));
  constexpr std::uint64_t kLargest = std::numeric_limits<std::uint32_t>::max();
  constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 31;  // in a tile; so no size in bytes exceeds 64 bits
  if (layout.block_width == 0 || layout.block_height == 0 || layout.block_width > kLargest ||
      layout.block_height > kLargest || (layout.tiled && layout.block_width > kMostPixels / layout.block_height))
    throw_damaged("TIFF", "strips or tiles of impossible size");
  layout.blocks_across = divide_up(width, layout.block_width);  // each below 2^32
  layout.blocks_down = divide_up(height, layout.block_height);
}

}  // namespace

bool TiffLayout::by_rgb_conversion() const {
  return compression == kOldJpeg || (photometric == kYcbcr && (compression != kJpegInTiff || planar));
}

DType TiffLayout::dtype() const {
  if (format != TiffSamples::unsigned_integer || bits > 16) return DType::f32;
  return bits > 8 && photometric != kPalette ? DType::u16 : DType::u8;
}

PixelFormat TiffLayout::pixels() const {
  const bool grey = photometric == kWhiteIsZero || photometric == kBlackIsZero || photometric == kLogL;
  if (alpha == TiffAlpha::none) return grey ? PixelFormat::grey : PixelFormat::rgb;
  return grey ? PixelFormat::grey_alpha : PixelFormat::rgba;
}

double TiffLayout::row_bytes() const { return static_cast<double>(block_width) * samples_in_block() * bits / 8 + 8; }

double TiffLayout::block_memory() const {
  // Uncompressed strips are read row by row.
  const bool by_rows = compression == kUncompressed && !tiled && !by_rgb_conversion();
  const double block = row_bytes() * (by_rows ? 1 : static_cast<double>(block_height));
  const double copies = 1 + copies_of_block(compression) + (by_rgb_conversion() ? 1 : 0);
  const double raster =
      by_rgb_conversion() ? 4 * static_cast<double>(block_width) * static_cast<double>(block_height) : 0;
  return copies * block + raster;
}

double TiffLayout::tables_memory() const { return 4 * sizeof(std::uint64_t) * static_cast<double>(blocks()); }

int TiffLayout::most_threads() const {
  if ((!is_deflate(compression) && compression != kLzw) || by_rgb_conversion()) return 1;
  // A megabyte is decoded in 10 ms at most, and a thread starts in 0.1 ms.
  constexpr double kWorthAThread = 0x1p19, kMostMemory = 0x1p22;
  const double decoded = static_cast<double>(blocks()) * row_bytes() * static_cast<double>(block_height);
  const double by_memory = 1 + kMostMemory / (block_memory() + tables_memory() + kDecoderMemory);
  return static_cast<int>(std::clamp(std::min({decoded / kWorthAThread, by_memory, static_cast<double>(blocks_down)}),
                                     1.0, kMostDecodingThreads));
}

double TiffLayout::working_memory() const {
  const double more = most_threads() - 1;
  return block_memory() + tables_memory() + more * (block_memory() + tables_memory() + kDecoderMemory);
}

TiffLayout read_tiff_layout(TiffDirectory& directory, std::uint64_t width, std::uint64_t height) {
  const StoredLayout stored = read_stored(directory);
  const std::uint64_t colours = count_colours(stored.photometric);
  const bool has_alpha = stored.samples == colours + 1 && may_have_alpha(stored.photometric);
  check_compression(stored);
  if (colours == 0 || (stored.samples != colours && !has_alpha) || !has_readable_samples(stored)) refuse_layout(stored);
  if (stored.photometric == kCmyk) check_inks(directory.value(kInkSet, kCmykInks));

  TiffLayout layout;
  layout.photometric = stored.photometric;
  layout.compression = stored.compression;
  layout.bits = layout.is_log() ? 32 : static_cast<int>(stored.bits);  // whatever a log file says: libtiff converts it
  layout.samples = static_cast<int>(stored.samples);
  layout.planar = stored.planar;
  layout.format = layout.is_log() || stored.format == kFloat ? TiffSamples::floating
                  : stored.format == kSigned                 ? TiffSamples::signed_integer
                                                             : TiffSamples::unsigned_integer;
  if (has_alpha)
    layout.alpha = directory.value(kExtraSamples, 0) == kAssociatedAlpha ? TiffAlpha::associated : TiffAlpha::straight;
  if (layout.by_rgb_conversion() && has_alpha) refuse_layout(stored);
  const std::vector<std::uint64_t> subsampling = directory.values(kYcbcrSubsampling, 2);
  if (stored.photometric == kYcbcr && stored.planar && subsampling != std::vector<std::uint64_t>{1, 1})
    refuse_layout(stored);  // the planes differ in size
  if (layout.photometric == kPalette && directory.count(kColourMap) < 3 * (layout.largest() + 1))
    throw_damaged("TIFF", "a palette with too few colours");
  read_blocks(directory, width, height, layout);
  if (layout.compression == kJbig && layout.blocks() != 1)
    throw Error(ErrorKind::input, "", "JBIG in TIFF can be read from a single strip only; convert it");
  return layout;
}

}  // namespace convtool
