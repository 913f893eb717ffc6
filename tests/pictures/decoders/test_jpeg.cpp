// JPEG of every colour space, against libjpeg's own values.
#include <doctest/doctest.h>

// clang-format off
#include <cstdio>  // before jpeglib.h, which uses FILE without declaring it
#include <jpeglib.h>
// clang-format on

#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "pictures/cmyk_jpeg.h"
#include "pictures/outcome.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr int kBlock = 16, kSide = 7;  // a picture of 7 x 7 flat blocks
constexpr int kInks[kSide] = {0, 1, 100, 127, 128, 254, 255};

/// The inks of a block: all pairs of cyan and black, and magenta and yellow that depend on cyan.
std::array<int, 4> inks_at(int x, int y) {
  const int ink = kInks[x / kBlock], black = kInks[y / kBlock];
  return {ink, (ink * 3 + 17) % 256, 255 - ink, black};
}

/// The four stored inks of each pixel, as libjpeg gives them.
std::vector<int> stored_inks(const Bytes& file) {
  jpeg_decompress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&codec, TRUE);
  codec.out_color_space = JCS_CMYK;
  jpeg_start_decompress(&codec);
  std::vector<int> inks;
  std::vector<JSAMPLE> row(4 * codec.output_width);
  while (codec.output_scanline < codec.output_height) {
    JSAMPROW to = row.data();
    jpeg_read_scanlines(&codec, &to, 1);
    inks.insert(inks.end(), row.begin(), row.end());
  }
  jpeg_finish_decompress(&codec);
  jpeg_destroy_decompress(&codec);
  return inks;
}

}  // namespace

TEST_CASE("CMYK and YCCK become the rounded product of the light that each ink and black leave") {
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK})
    for (const bool is_progressive : {false, true})
      for (const bool has_adobe_marker : {true, false}) {
        // Without Adobe's marker four components count as CMYK, and as inverted like Adobe's.
        if (stored == JCS_YCCK && !has_adobe_marker) continue;
        CAPTURE(stored);
        CAPTURE(is_progressive);
        CAPTURE(has_adobe_marker);
        const Bytes file = cmyk_jpeg({.width = kBlock * kSide,
                                      .height = kBlock * kSide,
                                      .inks = inks_at,
                                      .stored = stored,
                                      .has_adobe_marker = has_adobe_marker,
                                      .is_progressive = is_progressive});
        const std::vector<int> inks = stored_inks(file);
        const Image image = decode_image(file, 1 << 20);
        CHECK(image.format() == PixelFormat::rgb);
        CHECK(image.dtype() == DType::u8);
        const std::vector<double> got = values(image.all());
        REQUIRE(got.size() == inks.size() / 4 * 3);
        int wrong = 0;
        for (std::size_t i = 0; i < got.size(); ++i) {
          const std::size_t pixel = i / 3 * 4;
          if (got[i] != std::round(inks[pixel + i % 3] * inks[pixel + 3] / 255.0)) ++wrong;
        }
        CHECK(wrong == 0);
        // The corners: full inks and none, exactly.
        if (stored != JCS_CMYK) continue;
        const auto at = [&](int column, int row, int channel) {
          return got[static_cast<std::size_t>(3 * ((row * kBlock + 8) * kBlock * kSide + column * kBlock + 8) +
                                              channel)];
        };
        CHECK(at(0, 6, 0) == 0);
        CHECK(at(6, 6, 0) == 255);
        CHECK(at(6, 0, 0) == 0);
        CHECK(at(6, 4, 0) == 128);
        CHECK(at(2, 3, 0) == 50);  // 100 * 127 / 255 = 49.8
      }
}

TEST_CASE("a JPEG without the scan of one of its components is damaged") {
  // Three components in scans of their own.
  jpeg_compress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  for (const bool is_progressive : {false, true}) {
    CAPTURE(is_progressive);
    jpeg_create_compress(&codec);
    unsigned char* file = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&codec, &file, &size);
    codec.image_width = codec.image_height = 16;
    codec.input_components = 3;
    codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&codec);
    const int last = is_progressive ? 0 : 63;
    jpeg_scan_info scans[6] = {};
    for (int c = 0; c < 3; ++c) {
      scans[c] = {.comps_in_scan = 1, .component_index = {c}, .Ss = 0, .Se = last, .Ah = 0, .Al = 0};
      scans[3 + c] = {.comps_in_scan = 1, .component_index = {c}, .Ss = 1, .Se = 63, .Ah = 0, .Al = 0};
    }
    codec.scan_info = scans;
    codec.num_scans = is_progressive ? 6 : 3;
    jpeg_start_compress(&codec, TRUE);
    std::vector<JSAMPLE> row(3 * 16, 100);
    JSAMPROW from = row.data();
    while (codec.next_scanline < codec.image_height) jpeg_write_scanlines(&codec, &from, 1);
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    const auto* const first = reinterpret_cast<const std::byte*>(file);
    const Bytes whole(first, first + size);
    std::free(file);
    CHECK(outcome(whole).starts_with("u8 rgb"));

    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i + 1 < whole.size(); ++i)
      if (whole[i] == std::byte{0xff} && whole[i + 1] == std::byte{0xda}) starts.push_back(i);
    REQUIRE(starts.size() == static_cast<std::size_t>(is_progressive ? 6 : 3));
    // The first scan of the third component, after which a progressive file has others.
    Bytes cut = whole;
    const auto at = [&](std::size_t i) { return cut.begin() + static_cast<std::ptrdiff_t>(i); };
    cut.erase(at(starts[2]), is_progressive ? at(starts[3]) : cut.end() - 2);
    CHECK(outcome(cut) == "damaged or truncated JPEG (no data for some of its components)");
  }
}
