// TIFF: size and sample layout, and whether every strip or tile lies in the file.
//
// libtiff continues where blocks of pixels are missing, and OpenCV 4.6 decodes some layouts incorrectly. The layouts
// that it decodes correctly are listed here, and all others are refused (tests/pictures/test_decode_image.cpp checks
// the list).
#include <algorithm>
#include <limits>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"
#include "pictures/headers/icc_profile.h"
#include "pictures/headers/tiff_directory.h"

namespace convtool {
namespace {

using Values = std::vector<std::uint64_t>;

enum Photometric : std::uint64_t { kWhiteIsZero, kBlackIsZero, kRgb, kPalette, kCmyk = 5, kYcbcr = 6, kLogLuv = 32845 };
enum SampleFormat : std::uint64_t { kUnsigned = 1, kSigned = 2, kFloat = 3 };

/// How pixels are stored.
struct Layout {
  std::uint64_t photometric, bits, samples, format, compression;
  bool planar;
};

Layout read_layout(TiffDirectory& directory) {
  Layout layout;
  layout.photometric = directory.required(kPhotometric, "photometric interpretation");
  layout.samples = directory.value(kSamplesPerPixel, 1);
  layout.compression = directory.value(kCompression, 1);
  layout.planar = directory.value(kPlanarConfiguration, 1) == 2 && layout.samples > 1;
  const auto same_for_all = [&](TiffTag tag, std::uint64_t otherwise) {
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

/// Whether OpenCV 4.6 decodes such pixels correctly.
bool is_decoded_correctly(const Layout& layout) {
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

/// Throws Error(input) unless all strips or tiles of the picture lie inside the file and, if they are uncompressed, are
/// long enough.
void check_blocks(TiffDirectory& directory, const PictureHeader& header, const Layout& layout) {
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
  const bool length_is_known = layout.compression == 1 && layout.photometric != kYcbcr;  // YCbCr may be subsampled
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
  TiffDirectory directory(bytes);
  PictureHeader header{.type = PictureType::tiff};
  const auto side = [&](TiffTag tag, const char* name) {
    const std::uint64_t value = directory.required(tag, name);
    if (value > std::numeric_limits<std::uint32_t>::max()) throw_damaged("TIFF", std::string("impossible ") + name);
    return static_cast<std::int64_t>(value);
  };
  header.width = side(kImageWidth, "width");
  header.height = side(kImageLength, "height");
  if (header.width == 0 || header.height == 0) return header;

  const Layout layout = read_layout(directory);
  if (!is_decoded_correctly(layout))
    throw Error(ErrorKind::input, "",
                "a TIFF of " + describe(layout) + " cannot be read; convert it, for example to 16-bit RGB");
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
  // The decoder shifts 10, 12 and 14 bits to the top of 16 and fills the low bits with zeros.
  if (layout.bits > 8 && layout.bits < 16) header.full_value = ((1 << layout.bits) - 1) << (16 - layout.bits);
  if (layout.samples == 4 && layout.photometric == kRgb && directory.value(kExtraSamples, 0) == kUnassociatedAlpha)
    header.extra_sample_at = directory.position_of_u16(kExtraSamples);
  return header;
}

}  // namespace convtool
