// TIFF files of one page joined to one of several: pixels, metadata and offsets of every page.
#include <doctest/doctest.h>

#include "files/byte_reader.h"
#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/image_header.h"
#include "pictures/metadata/exif_block.h"
#include "pictures/metadata/metadata.h"
#include "pictures/sample_pictures.h"
#include "pictures/tiff/join_pages.h"
#include "support/convolve.h"
#include "support/error_text.h"

namespace convtool {
namespace {

using namespace testing;

/// An EXIF block with a directory of the camera, whose exposure time is seconds / 1000, and one of the place.
Bytes exif_block(std::uint32_t seconds) {
  ByteWriter block;
  block.text("II").u16(42).u32(8);
  block.u16(2).u16(34665).u16(4).u32(1).u32(38).u16(34853).u16(4).u32(1).u32(64).u32(0);
  block.u16(1).u16(33434).u16(5).u32(1).u32(56).u32(0).u32(seconds).u32(1000);
  block.u16(1).u16(0).u16(1).u32(4).u32(0x00000302).u32(0);
  return clean_exif(block.bytes());
}

Image image_of(const cv::Mat& mat) { return decode_image(opencv_file(".tif", mat), std::int64_t{1} << 20); }

}  // namespace

TEST_CASE("joined pages keep their pixels and their metadata") {
  const TiffCompression kCompressions[] = {TiffCompression::none, TiffCompression::lzw, TiffCompression::deflate};
  for (const bool big : {false, true})
    for (const TiffCompression compression : kCompressions) {
      CAPTURE(big);
      CAPTURE(static_cast<int>(compression));
      const std::vector<cv::Mat> pages = {random_mat(7, 9, CV_8UC3), random_mat(3000, 9, CV_8UC3, 2),
                                          random_mat(5, 3, CV_16UC1, 3), random_mat(1, 1, CV_32FC1, 4)};
      Bytes joined;
      TiffJoiner joiner(
          [&](std::span<const std::byte> bytes) { joined.insert(joined.end(), bytes.begin(), bytes.end()); });
      for (std::size_t i = 0; i < pages.size(); ++i) {
        PictureMetadata metadata;
        if (i != 2) metadata.exif = exif_block(static_cast<std::uint32_t>(i));
        metadata.xmp = to_bytes("<x:xmpmeta>" + std::string(i, 'x') + "</x:xmpmeta>");
        metadata.resolution = Resolution{.x = 100.0 + static_cast<double>(i), .y = 72, .unit = Resolution::Unit::inch};
        joiner.add(encode_image(image_of(pages[i]), *find_picture_format("tiff"),
                                {.tiff_compression = compression, .big_tiff = big}, metadata));
      }
      joiner.finish();

      CHECK(joined[2] == std::byte(big ? 43 : 42));
      const std::vector<std::uint64_t> places = find_pages(joined);
      REQUIRE(places.size() == pages.size());
      for (std::size_t i = 0; i < pages.size(); ++i) {
        CAPTURE(i);
        const PictureHeader header = read_small_header(joined, 1 << 20, places[i]);
        const Image expected = image_of(pages[i]), page = decode_image(joined, header);
        REQUIRE(page.all().shape == expected.all().shape);
        REQUIRE(page.dtype() == expected.dtype());
        CHECK(values_of(page.all()) == values_of(expected.all()));
        const PictureMetadata metadata = read_metadata(joined, header);
        CHECK(metadata.remarks.empty());
        CHECK(metadata.xmp.size() == 23 + i);
        CHECK(metadata.exif.empty() == (i == 2));
        REQUIRE(metadata.resolution);
        CHECK(metadata.resolution->x == 100 + i);
        if (i != 2) {
          const TiffStructure exif(metadata.exif);
          const Directory camera = exif.directory(*exif.directory(exif.first()).find(34665));
          CHECK(exif.number(*camera.find(33434), 0) == i);
        }
      }
    }
}

TEST_CASE("a damaged chain of pages is an error, whatever its first page says") {
  Bytes joined;
  TiffJoiner joiner([&](std::span<const std::byte> bytes) { joined.insert(joined.end(), bytes.begin(), bytes.end()); });
  for (int i = 0; i < 3; ++i)
    joiner.add(encode_image(image_of(random_mat(7, 9, CV_8UC1)), *find_picture_format("tiff")));
  joiner.finish();
  const std::vector<std::uint64_t> places = find_pages(joined);
  REQUIRE(places.size() == 3);
  const auto with_link = [&](std::uint64_t page, std::uint32_t link) {
    Bytes changed = joined;
    const TiffStructure tiff(joined);
    store_number(&changed[tiff.directory(places[page]).end], link, std::endian::little);
    return changed;
  };
  CHECK(find_pages(with_link(1, 0)).size() == 2);
  CHECK(error_text(ErrorKind::input, [&] { find_pages(with_link(1, 0xfffffff0)); }) ==
        "damaged or truncated TIFF (it ends too early)");
  CHECK(error_text(ErrorKind::input, [&] { find_pages(with_link(2, static_cast<std::uint32_t>(places[1]))); }) ==
        "damaged or truncated TIFF (more than 65536 pages, or a chain of pages without an end)");
  CHECK(read_picture_header(with_link(1, 0xfffffff0)).pages >= 2);  // the first page can be read nevertheless
}

}  // namespace convtool
