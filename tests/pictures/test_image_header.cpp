// Headers of every kind of file, true and false.
#include <doctest/doctest.h>

#include <random>

#include "core/error.h"
#include "pictures/decode_image.h"
#include "pictures/image_header.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

std::string size_of_picture(std::span<const std::byte> file) {
  const PictureHeader header = read_picture_header(file);
  return std::string(to_string(header.type)) + " " + std::to_string(header.width) + "x" + std::to_string(header.height);
}

std::string complaint(std::span<const std::byte> file, std::int64_t max_pixels = std::int64_t{1} << 30) {
  try {
    decode_image(file, max_pixels);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(error.where() == "");
    return error.what();
  }
  return "none";
}

Bytes png_of_size(std::uint32_t width, std::uint32_t height) {
  return png_file({.width = width, .height = height, .bit_depth = 8, .colour_type = 2, .rows = Bytes(4)});
}

}  // namespace

TEST_CASE("the header gives the type and the size") {
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    const std::string size = size_of_picture(sample.file);
    CHECK(size.substr(size.find(' ') + 1) == (sample.name.find("tiles") == std::string::npos ? "9x7" : "20x20"));
    std::string type = size.substr(0, size.find(' '));
    for (char& c : type) c = static_cast<char>(std::tolower(c));
    if (type == "openexr") type = "exr";
    if (type == "pnm") type = "p";
    CHECK(sample.name.starts_with(type));
  }
  CHECK(size_of_picture(opencv_file(".jpg", random_mat(300, 2, CV_8UC1))) == "JPEG 2x300");
  CHECK(size_of_picture(opencv_file(".webp", random_mat(3, 260, CV_8UC4), {cv::IMWRITE_WEBP_QUALITY, 80})) ==
        "WebP 260x3");  // VP8X
  CHECK(size_of_picture(opencv_file(".webp", random_mat(3, 260, CV_8UC3), {cv::IMWRITE_WEBP_QUALITY, 80})) ==
        "WebP 260x3");  // VP8
  CHECK(size_of_picture(bmp_file({.width = 5, .height = -2, .pixels = Bytes(32)})) == "BMP 5x2");
  CHECK(size_of_picture(to_bytes("P5 # one\n#two\n 12\t# three\r34\n255\n")) == "PNM 12x34");
}

TEST_CASE("BigTIFF, in both byte orders") {
  for (const bool big : {false, true}) {
    ByteWriter file(big);
    const auto u64 = [&](std::uint64_t value) {
      big ? file.u32(0).u32(value) : file.u32(value).u32(0);
      return 0;
    };
    const auto entry = [&](unsigned tag, unsigned type, std::uint32_t value) {
      file.u16(tag).u16(type);
      u64(1);
      type == 3 ? file.u16(value).u16(0).u32(0) : file.u32(value).u32(0);
    };
    file.text(big ? "MM" : "II").u16(43).u16(8).u16(0);
    u64(16);
    u64(8);
    entry(256, 4, 2);
    entry(257, 4, 1);
    entry(258, 3, 8);
    entry(259, 3, 1);
    entry(262, 3, 1);
    entry(273, 4, 16 + 8 + 8 * 20 + 8);
    entry(278, 4, 1);
    entry(279, 4, 2);
    u64(0);
    file.u8(7).u8(9);
    CHECK(size_of_picture(file.bytes()) == "TIFF 2x1");
    const Image image = decode_image(file.bytes(), 2);
    CHECK(image.all().view<std::uint8_t>().at(0, 0, 0, 0) == 7);
    CHECK(image.all().view<std::uint8_t>().at(0, 0, 0, 1) == 9);
    CHECK(complaint(std::span(file.bytes()).first(file.size() - 1)).starts_with("damaged or truncated TIFF"));
  }
}

TEST_CASE("too many pixels are refused before decoding, with both numbers") {
  CHECK(complaint(png_of_size(50000, 50000)) ==
        "50000x50000 is 2500000000 pixels (at most 1073741824); crop or shrink it first");
  CHECK(complaint(png_of_size(1000, 1000), 999999) ==
        "1000x1000 is 1000000 pixels (at most 999999); raise --max-pixels");
  CHECK(complaint(png_of_size(1000, 1000), 1000000)
            .starts_with("the PNG is damaged"));  // the file does not have that many
  CHECK(complaint(png_of_size(2000000, 2)) ==
        "2000000x2 has a side of more than 1048576 pixels; crop or shrink it first");
  CHECK(complaint(png_of_size(0xffffffff, 0xffffffff)).starts_with("4294967295x4294967295 is 18446744065119617025"));
  CHECK(complaint(to_bytes("P5 2147483647 2147483647 255\n"))
            .starts_with("2147483647x2147483647 is 4611686014132420609"));
  CHECK(complaint(to_bytes("P5 1 1 255\n1"), 0) == "1x1 is 1 pixels (at most 0); raise --max-pixels");
}

TEST_CASE("no pixels at all") {
  CHECK(complaint(png_of_size(0, 5)) == "a picture without pixels (0x5)");
  CHECK(complaint(to_bytes("P6\n3 0\n255\n")) == "a picture without pixels (3x0)");
  CHECK(complaint(bmp_file({.width = 0, .height = 4, .pixels = {}})) == "a picture without pixels (0x4)");
  CHECK(complaint(tiff_file({.width = 4, .height = 0, .blocks = {Bytes(4)}})) == "a picture without pixels (4x0)");
}

TEST_CASE("files that are not pictures are refused") {
  CHECK(complaint({}) == "the file is empty");
  const std::string unknown = "not a picture that can be read (PNG, JPEG, TIFF, BMP, WebP, PNM, PFM, OpenEXR)";
  for (const char* const text : {"x", "[[1,2]]", "P", "P5", "P7\nWIDTH 2\n", "GIF89a", "RIFF....WAVE", "\xff\xd8"})
    CHECK(complaint(to_bytes(text)) == unknown);
}

TEST_CASE("headers that contradict themselves") {
  CHECK(complaint(to_bytes("P5 1 1 65536\n11")) ==
        "damaged or truncated PNM (a largest value of 65536, expected 1 to 65535)");
  CHECK(complaint(to_bytes("P5 1 1 0\n1")) == "damaged or truncated PNM (a largest value of 0, expected 1 to 65535)");
  CHECK(complaint(to_bytes("P5 -1 1 255\n1")) == "damaged or truncated PNM (something other than a number)");
  CHECK(complaint(to_bytes("P5 99999999999999999999 1 255\n1")) ==
        "damaged or truncated PNM (an impossibly large number)");
  CHECK(complaint(to_bytes("P5 # a comment without end")) == "damaged or truncated PNM (it ends too early)");
  CHECK(complaint(to_bytes("PF\nx 1\n-1\n")) == "damaged or truncated PFM (a header without width and height)");
  CHECK(complaint(to_bytes("RIFF\x10\1\1\1WEBPVP8 ....")) == "damaged or truncated WebP (it ends too early)");
  CHECK(complaint(to_bytes("\xff\xd8\xff\xe0")) == "damaged or truncated JPEG (it ends too early)");
  CHECK(complaint(to_bytes("\xff\xd8\xff\xd9")) ==
        "damaged or truncated JPEG (no picture before its end-of-image marker)");
  CHECK(complaint(to_bytes("\x76\x2f\x31\x01\x02....")) == "damaged or truncated OpenEXR (a header without an end)");
  CHECK(complaint(png_file({.width = 1, .height = 1, .bit_depth = 200, .colour_type = 0, .rows = Bytes(2)})) ==
        "damaged or truncated PNG (a depth of 200 bits)");
}

TEST_CASE("a TIFF with false strip offsets or sizes is refused") {
  const auto strips = [](std::uint32_t rows_per_strip, std::vector<Bytes> blocks) {
    return complaint(tiff_file({.width = 4,
                                .height = 4,
                                .rows_per_strip = rows_per_strip,
                                .directory_first = true,
                                .blocks = std::move(blocks)}));
  };
  CHECK(strips(2, {Bytes(8), Bytes(8)}) == "none");
  CHECK(strips(2, {Bytes(8), Bytes(7)}) == "damaged or truncated TIFF (strips or tiles that are too short)");
  CHECK(strips(3, {Bytes(12), Bytes(4)}) == "none");  // the last one has only one row
  CHECK(strips(2, {Bytes(16)}) == "damaged or truncated TIFF (some of its strips or tiles are missing)");
  CHECK(strips(1, {}) == "damaged or truncated TIFF (some of its strips or tiles are missing)");
  CHECK(strips(2, {Bytes(16), Bytes()}) == "damaged or truncated TIFF (pixels that the file does not contain)");

  Bytes far_away = tiff_file({.width = 4, .height = 4, .directory_first = true, .blocks = {Bytes(16)}});
  const Bytes entry = ByteWriter().u16(273).u16(4).u32(1).bytes();
  const auto at = std::search(far_away.begin(), far_away.end(), entry.begin(), entry.end());
  REQUIRE(at != far_away.end());
  std::fill_n(at + 8, 4, std::byte{0xff});
  CHECK(complaint(far_away) == "damaged or truncated TIFF (pixels that the file does not contain)");

  Bytes wide_tile = tiff_file({.width = 4, .height = 4, .tile = 16, .compression = 8, .blocks = {Bytes(16)}});
  for (const std::uint64_t tag : {322u, 323u}) {
    const Bytes side = ByteWriter().u16(tag).u16(4).u32(1).bytes();
    const auto found = std::search(wide_tile.begin(), wide_tile.end(), side.begin(), side.end());
    REQUIRE(found != wide_tile.end());
    std::fill_n(found + 8, 4, std::byte{0xf0});
  }
  CHECK(complaint(wide_tile) == "damaged or truncated TIFF (strips or tiles of impossible size)");

  CHECK(complaint(ByteWriter().text("II").u16(42).u32(0xfffffff0).bytes()) ==
        "damaged or truncated TIFF (it ends too early)");
  CHECK(complaint(ByteWriter().text("II").u16(42).u32(8).u16(0xffff).bytes()) ==
        "damaged or truncated TIFF (its directory does not fit into the file)");
  CHECK(complaint(ByteWriter().text("II").u16(42).u32(8).u16(1).u16(256).u16(4).u32(0x7fffffff).u32(8).bytes()) ==
        "damaged or truncated TIFF (a table does not fit into the file)");
}

TEST_CASE("read_picture_header() returns or throws Error(input), whatever the bytes") {
  std::mt19937 random(7);
  const std::vector<Sample> samples = sample_pictures();
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    const Sample& sample = samples[random() % samples.size()];
    Bytes file(sample.file.begin(), sample.file.begin() + static_cast<std::ptrdiff_t>(random() % sample.file.size()));
    for (std::size_t changes = random() % 6; changes > 0 && file.size() > 4; --changes)
      file[4 + random() % (file.size() - 4)] = static_cast<std::byte>(random() % 2 == 0 ? 0xff : random());
    CAPTURE(sample.name);
    CAPTURE(round);
    try {
      const PictureHeader header = read_picture_header(file);
      CHECK(header.width >= 0);
      CHECK(header.height >= 0);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::input);
      ++refused;
    }
  }
  CHECK(refused > 1000);  // a lower number means that the changes are too small
}
