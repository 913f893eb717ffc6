#include "fuzz/picture_seeds.h"

#include <initializer_list>
#include <string>

#include "pictures/encode_image.h"
#include "pictures/metadata/parts.h"
#include "pictures/pixel_values.h"
#include "pictures/sample_pictures.h"

namespace convtool::fuzz {
namespace {

using namespace convtool::testing;

/// Kinds that sample_pictures() lacks: metadata, palettes and transparency.
std::vector<Bytes> more_pictures() {
  std::vector<Bytes> files;
  // Rows of 9 pixels, each with filter 0, and the same of 4 and 2 bits.
  ByteWriter bytes, halves, quarters, pairs;
  for (unsigned row = 0; row < 7; ++row) {
    bytes.u8(0).append(counting_bytes(9));
    halves.u8(0).append(counting_bytes(5));
    quarters.u8(0).append(counting_bytes(3));
    pairs.u8(0).append(counting_bytes(18));
  }
  const PngParts grey = {.width = 9, .height = 7, .rows = bytes.bytes()};
  PngParts png = grey;
  png.transparency = to_bytes(std::string("\0\7", 2));
  files.push_back(png_file(png));
  png = grey;
  png.bit_depth = 4, png.rows = halves.bytes();
  files.push_back(png_file(png));
  png.colour_type = 3, png.palette = counting_bytes(48), png.transparency = counting_bytes(16);
  files.push_back(png_file(png));
  png.bit_depth = 2, png.rows = quarters.bytes(), png.palette = counting_bytes(12), png.transparency = {};
  files.push_back(png_file(png));
  png = grey;
  png.colour_type = 4, png.rows = pairs.bytes();
  files.push_back(png_file(png));

  const Bytes strip = counting_bytes(63);
  std::vector<std::uint32_t> colours;
  for (std::uint32_t i = 0; i < 768; ++i) colours.push_back(i * 85);
  TiffParts tiff = {.width = 9, .height = 7, .photometric = 3, .colour_map = colours, .blocks = {strip}};
  files.push_back(tiff_file(tiff));
  tiff.bits = 4, tiff.colour_map.resize(48), tiff.blocks = {counting_bytes(35)};
  files.push_back(tiff_file(tiff));
  files.push_back(tiff_file({.width = 9, .height = 7, .bits = 1, .photometric = 0, .blocks = {counting_bytes(14)}}));
  files.push_back(tiff_file({.width = 9, .height = 7, .orientation = 6, .blocks = {strip}}));
  for (const std::uint32_t alpha : {1u, 2u})
    files.push_back(tiff_file(
        {.width = 9, .height = 7, .samples = 4, .photometric = 2, .extra = {alpha}, .blocks = {counting_bytes(252)}}));
  files.push_back(
      tiff_file({.width = 9, .height = 7, .samples = 4, .photometric = 5, .blocks = {counting_bytes(252)}}));
  for (const auto& [bits, format] : {std::pair{16u, 3u}, {32u, 3u}, {64u, 3u}, {32u, 1u}, {16u, 2u}})
    files.push_back(tiff_file(
        {.width = 9, .height = 7, .bits = bits, .sample_format = format, .blocks = {counting_bytes(63 * bits / 8)}}));

  // EXIF with an orientation: in a PNG chunk, a JPEG segment and a WebP chunk.
  const Bytes exif = tiff_file({.width = 1, .height = 1, .orientation = 8, .directory_first = true, .blocks = {{}}});
  const cv::Mat rgb = random_mat(7, 9, CV_8UC3);
  const auto with = [](const Bytes& file, std::size_t at, const Bytes& part) {
    Bytes whole = file;
    whole.insert(whole.begin() + static_cast<std::ptrdiff_t>(at), part.begin(), part.end());
    return whole;
  };
  constexpr std::size_t kAfterHeader = 8 + 25;  // of a PNG: the signature and IHDR
  const Bytes small_png = png_file(grey);
  files.push_back(with(small_png, kAfterHeader, png_chunk("eXIf", exif)));
  files.push_back(with(small_png, kAfterHeader, png_chunk("gAMA", ByteWriter(true).u32(100000).bytes())));
  files.push_back(with(small_png, kAfterHeader,
                       png_chunk("iCCP", ByteWriter().text("p").u8(0).u8(0).append(zlib_stored(strip)).bytes())));
  ByteWriter segment(true);
  segment.u16(0xffe1).u16(8 + exif.size()).text("Exif").u16(0).append(exif);
  files.push_back(with(opencv_file(".jpg", rgb), 2, segment.bytes()));
  const Bytes webp = opencv_file(".webp", rgb, {cv::IMWRITE_WEBP_QUALITY, 101});
  ByteWriter extended;
  const std::span<const std::byte> chunks = std::span(webp).subspan(12);
  extended.text("RIFF").u32(4 + 18 + chunks.size() + 8 + exif.size()).text("WEBPVP8X").u32(10);
  extended.u32(8).u16(8).u8(0).u16(6).u8(0).append(chunks);  // 8: has EXIF; width and height, less 1
  files.push_back(extended.text("EXIF").u32(exif.size()).append(exif).bytes());

  for (const bool big_endian : {false, true})
    for (const char* const format : {"png", "jpeg", "webp", "tiff"}) {
      const Image picture(DType::u8, PixelFormat::rgb, 1, 2);
      set_values<std::uint8_t>(picture.all(), [](std::int64_t) { return std::uint8_t{7}; });
      files.push_back(encode_image(picture, *find_picture_format(format), {},
                                   {.profile = profile("RGB "),
                                    .exif = exif_block(big_endian),
                                    .xmp = to_bytes(xmp_packet(6)),
                                    .resolution = Resolution{300, 200, Resolution::Unit::inch}}));
    }
  return files;
}

}  // namespace

std::vector<Bytes> picture_seeds() {
  static const std::vector<Bytes> seeds = [] {
    std::vector<Bytes> files = more_pictures();
    for (Sample& sample : sample_pictures()) files.push_back(std::move(sample.file));
    return files;
  }();
  return seeds;
}

}  // namespace convtool::fuzz
