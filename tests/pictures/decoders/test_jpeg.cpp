// JPEG of every colour space, against libjpeg's own values.
#include <doctest/doctest.h>

// clang-format off
#include <cstdio>  // before jpeglib.h, which uses FILE without declaring it
#include <jpeglib.h>
// clang-format on

#include <array>
#include <cmath>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "pictures/cmyk_jpeg.h"
#include "pictures/image_header.h"
#include "pictures/outcome.h"
#include "support/error_text.h"

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

/// A grey picture of 16 x 16 in YCbCr with a chroma of half width and height, its three components in scans of their
/// own. A progressive one has three more scans.
Bytes jpeg_of_scans(bool is_progressive) {
  jpeg_compress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
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
  const Bytes bytes(first, first + size);
  std::free(file);
  return bytes;
}

/// The positions of all markers of this number.
std::vector<std::size_t> find_markers(const Bytes& file, unsigned number) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i + 1 < file.size(); ++i)
    if (file[i] == std::byte{0xff} && file[i + 1] == static_cast<std::byte>(number)) found.push_back(i);
  return found;
}

Bytes part(const Bytes& file, std::size_t first, std::size_t end) {
  return Bytes(file.begin() + static_cast<std::ptrdiff_t>(first), file.begin() + static_cast<std::ptrdiff_t>(end));
}

Bytes joined(std::initializer_list<Bytes> parts) {
  ByteWriter all;
  for (const Bytes& bytes : parts) all.append(bytes);
  return all.bytes();
}

/// The same JPEG in a strip or tile of a TIFF.
Bytes in_tiff(const Bytes& jpeg, std::uint32_t tile) {
  return tiff_file({.width = 16,
                    .height = 16,
                    .samples = 3,
                    .photometric = 6,
                    .tile = tile,
                    .compression = 7,
                    .more = {{530, 3, {2, 2}}},
                    .blocks = {jpeg}});
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

TEST_CASE("a JPEG without the scan of one of its components is damaged, in TIFF too") {
  for (const bool is_progressive : {false, true}) {
    CAPTURE(is_progressive);
    const Bytes whole = jpeg_of_scans(is_progressive);
    const std::string picture = outcome(whole);
    CHECK(picture.starts_with("u8 rgb 100 100"));
    const std::vector<std::size_t> starts = find_markers(whole, 0xda);
    REQUIRE(starts.size() == static_cast<std::size_t>(is_progressive ? 6 : 3));
    const std::size_t end = is_progressive ? starts[3] : whole.size() - 2;  // of the first scan of each component
    const Bytes head = part(whole, 0, starts[0]), rest = part(whole, end, whole.size());
    const Bytes scans[] = {part(whole, starts[0], starts[1]), part(whole, starts[1], starts[2]),
                           part(whole, starts[2], end)};
    const Bytes cut[] = {joined({head, scans[0], scans[1], rest}),
                         joined({head, scans[0], scans[0], scans[0], rest}),  // three scans, but of one component
                         joined({head, scans[0], scans[2], scans[2], rest})};
    for (const Bytes& file : cut) {
      CHECK(outcome(file) == "damaged or truncated JPEG (no data for some of its components)");
      for (const std::uint32_t tile : {0u, 16u})
        CHECK(outcome(in_tiff(file, tile)) == "damaged or truncated TIFF (parts of its data are invalid)");
    }
    for (const std::uint32_t tile : {0u, 16u}) CHECK(outcome(in_tiff(whole, tile)) == picture);
    CHECK(outcome(joined({head, scans[0], scans[1], scans[2], scans[0], rest})) == picture);
  }
}

TEST_CASE("the header of a JPEG and libjpeg read the same chain of segments") {
  const Bytes whole = jpeg_of_scans(false);
  const Bytes start = part(whole, 0, 2), rest = part(whole, 2, whole.size());
  const std::string picture = outcome(whole);
  // TEM has no length. Read as a segment, it would lead into a comment, to the frame and scan of another picture.
  const Bytes grey = cmyk_jpeg({.width = 16, .height = 16, .inks = inks_at});
  const Bytes hidden = part(grey, find_markers(grey, 0xc0)[0], grey.size());
  const Bytes comment = joined({bytes({0xff, 0xfe, 0, 0}), hidden});
  Bytes tricked = joined({start, bytes({0xff, 0x01, 0, 6}), comment, rest});
  tricked[8] = static_cast<std::byte>((hidden.size() + 2) / 256);
  tricked[9] = static_cast<std::byte>((hidden.size() + 2) % 256);
  CHECK(outcome(tricked) == picture);

  CHECK(outcome(joined({start, start, rest})) == "damaged or truncated JPEG (more than one start of image)");
  CHECK(outcome(joined({start, bytes({0xff, 0x02, 0, 2}), rest})) ==
        "damaged or truncated JPEG (an unknown marker, number 2)");
  const std::size_t frame = find_markers(whole, 0xc0)[0], scan = find_markers(whole, 0xda)[0];
  const Bytes frame_segment = part(whole, frame, frame + 19);
  CHECK(outcome(joined({part(whole, 0, scan), frame_segment, part(whole, scan, whole.size())})) ==
        "damaged or truncated JPEG (more than one frame)");
  Bytes strange = whole;
  strange[scan + 5] = std::byte{77};  // the identifier of the scan's component
  CHECK(outcome(strange) == "damaged or truncated JPEG (a scan of a component that it does not have)");
  Bytes without_frame = whole;
  without_frame[frame + 1] = std::byte{0xfe};  // a comment
  CHECK(outcome(without_frame) == "damaged or truncated JPEG (a scan before the frame)");
}

TEST_CASE("kinds of JPEG that are not read are refused by name, in the header") {
  const Bytes whole = jpeg_of_scans(false);
  const std::size_t frame = find_markers(whole, 0xc0)[0];
  const auto with = [&](std::size_t distance, int value) {
    Bytes file = whole;
    file[frame + distance] = static_cast<std::byte>(value);
    try {
      read_picture_header(file);
      return std::string("read");
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  const std::string advice = "; convert it, for example to a baseline JPEG or PNG";
  CHECK(with(1, 0xc1) == "read");
  for (const int marker : {0xc3, 0xcb}) CHECK(with(1, marker) == "a lossless JPEG cannot be read" + advice);
  for (const int marker : {0xc5, 0xc6, 0xc7, 0xcd, 0xce, 0xcf, 0xde})
    CHECK(with(1, marker) == "a hierarchical JPEG cannot be read" + advice);
  CHECK(with(1, 0xf7) == "JPEG-LS cannot be read" + advice);
  CHECK(with(4, 12) == "a JPEG of 12 bits per sample cannot be read (8 can)" + advice);
  Bytes pair = joined({part(whole, 0, find_markers(whole, 0xda)[2]), bytes({0xff, 0xd9})});
  pair[frame + 3] = std::byte{14}, pair[frame + 9] = std::byte{2};
  pair.erase(pair.begin() + static_cast<std::ptrdiff_t>(frame) + 16,
             pair.begin() + static_cast<std::ptrdiff_t>(frame) + 19);
  CHECK(outcome(pair) == "a JPEG of 2 components cannot be read (1, 3 and 4 can)" + advice);
}

TEST_CASE("a JPEG of more than 500 scans is refused, in TIFF too") {
  const Bytes whole = jpeg_of_scans(true);
  const std::size_t last = find_markers(whole, 0xda)[5], end = whole.size() - 2;
  const auto with_scans = [&](int count) {
    ByteWriter file;
    file.append(part(whole, 0, end));
    for (int i = 6; i < count; ++i) file.append(part(whole, last, end));
    return file.append(bytes({0xff, 0xd9})).bytes();
  };
  CHECK(outcome(with_scans(500)) == outcome(whole));
  CHECK(outcome(with_scans(501)) ==
        "a JPEG of 501 scans cannot be read (at most 500 of this size can); convert it, for example to a baseline JPEG "
        "or PNG");
  // Of a large one fewer are.
  Bytes large = whole;
  const std::size_t frame = find_markers(whole, 0xc2).front(), height = frame + 5;
  for (std::size_t i = height; i < height + 4; ++i) large[i] = std::byte{0xff};
  CHECK(error_text(ErrorKind::input, [&] { read_picture_header(large); }) ==
        "a JPEG of 6 scans cannot be read (at most 4 of this size can); convert it, for example to a baseline JPEG or "
        "PNG");
  CHECK(outcome(in_tiff(with_scans(50), 0)) == outcome(whole));  // libtiff has a limit of its own, 100
  CHECK(outcome(in_tiff(with_scans(501), 0)).starts_with("damaged or truncated TIFF"));
}
