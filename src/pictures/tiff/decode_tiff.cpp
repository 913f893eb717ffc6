#include "pictures/tiff/decode_tiff.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "core/parallel.h"
#include "files/byte_reader.h"
#include "pictures/opencv/opencv_support.h"
#include "pictures/tiff/block_reader.h"
#include "pictures/tiff/colours.h"
#include "pictures/tiff/compressions.h"
#include "pictures/tiff/samples.h"

namespace convtool {
namespace {

/// How many bytes libtiff may allocate at a time.
std::uint64_t allocation_limit(std::span<const std::byte> bytes, const PictureHeader& header) {
  constexpr std::uint64_t kCodecs = std::uint64_t{1} << 26;  // what compressions keep: tables, windows, dictionaries
  return static_cast<std::uint64_t>(header.working_memory) + bytes.size() + kCodecs;
}

/// Sets the forms in which libtiff is to return pixels. They do not change the file.
void choose_forms(TIFF* tiff, const TiffLayout& layout) {
  if (layout.photometric == kYcbcr && layout.compression == kJpegInTiff && !layout.planar)
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (layout.is_log()) TIFFSetField(tiff, TIFFTAG_SGILOGDATAFMT, SGILOGDATAFMT_FLOAT);
  // Pictures are turned when they are complete. libtiff would mirror each tile by itself.
  if (layout.by_rgb_conversion()) TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
}

/// Whether libtiff has read the meaning of samples as `layout` has it.
bool samples_agree(TIFF* tiff, const TiffLayout& layout) {
  std::uint16_t photometric = 0, format = 0, extra_count = 0;
  std::uint16_t* extra = nullptr;
  // libtiff replaces RGB by YCbCr in old-style JPEG.
  if (layout.compression != kOldJpeg &&
      (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric) != 1 || photometric != layout.photometric))
    return false;
  if (layout.is_log()) return true;  // the samples are those that choose_forms() asks for
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
  const TiffSamples read = format == SAMPLEFORMAT_INT      ? TiffSamples::signed_integer
                           : format == SAMPLEFORMAT_IEEEFP ? TiffSamples::floating
                                                           : TiffSamples::unsigned_integer;
  if (read != layout.format) return false;
  if (layout.alpha == TiffAlpha::none) return true;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra_count, &extra);
  const bool is_associated = extra_count > 0 && extra[0] == EXTRASAMPLE_ASSOCALPHA;
  return is_associated == (layout.alpha == TiffAlpha::associated);
}

/// Whether libtiff has found the strips or tiles where the header, which has checked them, has.
bool blocks_agree(TIFF* tiff, TiffDirectory& directory, const TiffLayout& layout) {
  TiffDirectory::Table offsets = directory.table(layout.tiled ? kTileOffsets : kStripOffsets);
  TiffDirectory::Table counts = directory.table(layout.tiled ? kTileByteCounts : kStripByteCounts);
  // libtiff computes sizes of uncompressed strips that seem wrong to it.
  const bool has_sizes = layout.compression != kUncompressed;
  const auto blocks = static_cast<std::uint32_t>(layout.blocks());
  if ((layout.tiled ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff)) != blocks) return false;
  for (std::uint32_t i = 0; i < blocks; ++i)
    if (TIFFGetStrileOffset(tiff, i) != offsets[i] || (has_sizes && TIFFGetStrileByteCount(tiff, i) != counts[i]))
      return false;
  return true;
}

/// Throws Error(input) if libtiff has read other values from the tags, as it does where a tag occurs twice.
void check_agreement(TIFF* tiff, TiffDirectory& directory, const TiffLayout& layout, const PictureHeader& header) {
  const auto agrees = [&](std::uint32_t tag, auto type, std::uint64_t expected) {
    return TIFFGetFieldDefaulted(tiff, tag, &type) == 1 && type == expected;
  };
  constexpr std::uint16_t k16 = 0;
  constexpr std::uint32_t k32 = 0;
  bool good = agrees(TIFFTAG_IMAGEWIDTH, k32, static_cast<std::uint64_t>(header.width)) &&
              agrees(TIFFTAG_IMAGELENGTH, k32, static_cast<std::uint64_t>(header.height)) &&
              agrees(TIFFTAG_COMPRESSION, k16, layout.compression) &&
              agrees(TIFFTAG_SAMPLESPERPIXEL, k16, static_cast<std::uint64_t>(layout.samples)) &&
              (TIFFIsTiled(tiff) != 0) == layout.tiled;
  if (!layout.is_log()) good = good && agrees(TIFFTAG_BITSPERSAMPLE, k16, static_cast<std::uint64_t>(layout.bits));
  if (layout.samples > 1)
    good = good && agrees(TIFFTAG_PLANARCONFIG, k16, layout.planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (layout.tiled)
    good = good && agrees(TIFFTAG_TILEWIDTH, k32, layout.block_width) &&
           agrees(TIFFTAG_TILELENGTH, k32, layout.block_height);
  std::uint32_t strip_rows = 0;
  if (!layout.tiled)
    good = good && TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &strip_rows) == 1 &&
           std::min<std::uint64_t>(strip_rows, static_cast<std::uint64_t>(header.height)) == layout.block_height;
  if (!good || !samples_agree(tiff, layout) || !blocks_agree(tiff, directory, layout))
    throw_damaged("TIFF", "its tags contradict each other");
}

/// Puts the decoded samples of all planes in their places, from row `begin` to row `end`, where blocks begin and end.
template <class T>
void read_planes(TiffInput& file, const TiffLayout& layout, SpareBytes& spare, std::int64_t begin, std::int64_t end,
                 cv::Mat& samples) {
  TiffBlockReader reader(file, layout, samples.cols, spare);
  const std::int64_t width = samples.cols;
  std::vector<T> plane_row(layout.planar ? static_cast<std::size_t>(std::min(width, reader.part_width())) : 0);
  for (int plane = 0; plane < layout.planes(); ++plane)
    for (std::int64_t y = begin; y < end; y += reader.part_height())
      for (std::int64_t x = 0; x < width; x += reader.part_width()) {
        const std::int64_t columns = std::min(width - x, reader.part_width());
        const std::int64_t rows = std::min(end - y, reader.part_height());
        const std::byte* from = reader.read(plane, x, y, rows);
        for (std::int64_t row = y; row < y + rows; ++row, from += reader.row_bytes()) {
          T* const to = samples.ptr<T>(static_cast<int>(row)) + x * layout.samples;
          if (!layout.planar) {
            read_samples(layout, from, columns * layout.samples, to);
            continue;
          }
          read_samples(layout, from, columns, plane_row.data());
          for (std::int64_t i = 0; i < columns; ++i)
            to[i * layout.samples + plane] = plane_row[static_cast<std::size_t>(i)];
        }
      }
}

/// The same for all rows, on `threads` threads. Each opens the file for itself.
template <class T>
void read_rows(TiffInput& file, const TiffLayout& layout, const PictureHeader& header, int threads, cv::Mat& samples) {
  const std::int64_t height = samples.rows, block_height = static_cast<std::int64_t>(layout.block_height);
  SpareBytes spare = kSpareBytes;
  parallel_for(static_cast<std::int64_t>(layout.blocks_down), threads, [&](std::int64_t begin, std::int64_t end) {
    std::optional<TiffInput> own;
    if (begin > 0) {
      own.emplace(file.bytes(), allocation_limit(file.bytes(), header), header.page_at);
      choose_forms(own->get(), layout);
    }
    read_planes<T>(own ? *own : file, layout, spare, begin * block_height, std::min(height, end * block_height),
                   samples);
  });
}

/// Decodes by libtiff's conversion to RGB, with the first channels in the order of ImagePixels::mat. The rows of a
/// raster are from the bottom up, those of a tile at the bottom of its full height.
void read_rgb(TiffInput& file, const TiffLayout& layout, cv::Mat& pixels) {
  const std::int64_t width = pixels.cols, height = pixels.rows, channels = pixels.channels();
  const auto block_width = static_cast<std::int64_t>(layout.block_width);
  const auto block_height = static_cast<std::int64_t>(layout.block_height);
  const auto area = static_cast<std::size_t>(block_width * block_height);
  const auto raster = std::make_unique_for_overwrite<std::uint32_t[]>(area);
  constexpr int kStopAtErrors = 1;
  for (std::int64_t y = 0; y < height; y += block_height)
    for (std::int64_t x = 0; x < width; x += block_width) {
      const std::int64_t columns = std::min(width - x, block_width), rows = std::min(height - y, block_height);
      std::fill_n(raster.get(), area, 0);
      const auto column = static_cast<std::uint32_t>(x), row = static_cast<std::uint32_t>(y);
      bool good = (layout.tiled ? TIFFReadRGBATileExt(file.get(), column, row, raster.get(), kStopAtErrors)
                                : TIFFReadRGBAStripExt(file.get(), row, raster.get(), kStopAtErrors)) == 1;
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t last = (layout.tiled ? block_height : rows) - 1;
        const std::uint32_t* from = raster.get() + (last - i) * block_width;
        std::uint8_t* to = pixels.ptr(static_cast<int>(y + i)) + x * channels;
        for (std::int64_t j = 0; j < columns; ++j, to += channels) {
          const std::uint32_t pixel = from[j];
          good &= TIFFGetA(pixel) == 255;  // decoded pixels are opaque, others still 0
          to[0] = static_cast<std::uint8_t>(channels == 1 ? TIFFGetR(pixel) : TIFFGetB(pixel));
          if (channels == 1) continue;
          to[1] = static_cast<std::uint8_t>(TIFFGetG(pixel));
          to[2] = static_cast<std::uint8_t>(TIFFGetR(pixel));
        }
      }
      if (!good || file.has_complaints()) throw_damaged("TIFF", "parts of its data are invalid");
    }
}

}  // namespace

DecodedTiff decode_tiff(std::span<const std::byte> bytes, const PictureHeader& header, int threads) {
  TiffDirectory directory(bytes, header.page_at);
  const TiffLayout layout =
      read_tiff_layout(directory, static_cast<std::uint64_t>(header.width), static_cast<std::uint64_t>(header.height));
  TiffInput file(bytes, allocation_limit(bytes, header), header.page_at);
  choose_forms(file.get(), layout);
  check_agreement(file.get(), directory, layout, header);
  file.forget_complaints();

  DecodedTiff result{.pixels = {}, .format = layout.pixels()};
  const int width = static_cast<int>(header.width), height = static_cast<int>(header.height);
  call_opencv([&] {
    if (layout.by_rgb_conversion()) {
      result.pixels.create(height, width, CV_MAKETYPE(CV_8U, static_cast<int>(channel_count(result.format))));
      read_rgb(file, layout, result.pixels);
      return;
    }
    const std::vector<std::uint64_t> colour_map = layout.photometric == kPalette
                                                      ? directory.values(kColourMap, 3 * (layout.largest() + 1))
                                                      : std::vector<std::uint64_t>();
    visit_dtype(layout.dtype(), [&](auto zero) {
      using T = decltype(zero);
      result.pixels.create(height, width, CV_MAKETYPE(depth_of_dtype(layout.dtype()), layout.samples));
      const int wanted = threads == 0 ? available_cores() : threads;
      read_rows<T>(file, layout, header, std::min(wanted, header.most_threads), result.pixels);
    });
    settle_colours(result.pixels, layout, colour_map);
  });
  return result;
}

}  // namespace convtool
