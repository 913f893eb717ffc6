// Binary PNM and PFM as rasters: the values of decode_image(), and the bytes of encode_image().
#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "files/raster_values.h"
#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/image_header.h"
#include "pictures/pixel_values.h"
#include "pictures/raw_pictures.h"
#include "pictures/sample_pictures.h"
#include "support/error_text.h"
#include "support/program.h"
#include "support/random.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

std::optional<RawPicture> read_raw(const std::string& path) {
  return read_raw_picture(RandomAccessFile(path, ErrorKind::input));
}

/// A random picture of "P4", "P5", "P6", "Pf" or "PF".
std::string random_file(const std::string& kind, Random& random) {
  const std::int64_t width = random.between(1, 40), height = random.between(1, 20);
  const bool is_pfm = kind[1] == 'f' || kind[1] == 'F';
  const char* const spaces[] = {" ", "\n", "\n\n", "\t"};
  const char* const pnm_spaces[] = {" ", "\n", "#c\n", " # two\n#\n"};
  const auto space = [&] { return std::string(is_pfm ? random.pick(spaces) : random.pick(pnm_spaces)); };
  std::string file = kind + space() + std::to_string(width) + space() + std::to_string(height);
  std::int64_t largest = 255;
  if (is_pfm) {
    const char* const scales[] = {"1", "-1", "-1.0", "2.5", "-0.3"};
    file += space() + random.pick(scales);
  } else if (kind != "P4") {
    const std::int64_t values[] = {1, 15, 100, 254, 255, 256, 1023, 65534, 65535, random.between(1, 65535)};
    largest = random.pick(values);
    file += space() + std::to_string(largest);
  }
  file += '\n';
  const std::int64_t channels = kind == "P6" || kind == "PF" ? 3 : 1;
  const std::int64_t row = kind == "P4" ? (width + 7) / 8 : width * channels * (is_pfm ? 4 : largest > 255 ? 2 : 1);
  for (std::int64_t i = 0; i < row * height; ++i) {
    const bool is_exponent = is_pfm && (i % 4 == 0 || i % 4 == 3);  // no NaN, which equals nothing
    file += static_cast<char>(is_exponent ? random.between(0x30, 0x4f) : random.between(0, 255));
  }
  return file;
}

/// The bands of a picture, read into memory of R, G, B.
std::vector<double> values_in_bands(const std::string& path, const RasterLayout& layout, Random& random) {
  const RasterReader reader(RandomAccessFile(path, ErrorKind::input), layout);
  Tensor tensor(layout.dtype, layout.shape);
  const TensorRef all = channels_last(tensor);
  for (std::int64_t y = 0; y < layout.shape.h;) {
    const std::int64_t rows = random.between(1, layout.shape.h - y);
    reader.read({.row = y}, all.rows(y, rows));
    y += rows;
  }
  return values(all);
}

}  // namespace

TEST_CASE("random PNM and PFM have the same values in bands as decoded whole") {
  const TempFolder folder;
  Random random(1);
  for (const std::string kind : {"P4", "P5", "P6", "Pf", "PF"})
    for (int i = 0; i < 100; ++i) {
      CAPTURE(kind);
      CAPTURE(i);
      const std::string file = random_file(kind, random), path = folder.write("picture", file);
      const Image image = decode_image(to_bytes(file), 1000);
      const std::optional<RawPicture> raw = read_raw(path);
      REQUIRE(raw);
      CHECK(raw->layout.shape == image.all().shape);
      CHECK(raw->layout.dtype == image.dtype());
      CHECK(raw->header.channels == image.all().shape.c);
      CHECK((values_in_bands(path, raw->layout, random) == values(image.all())));

      const std::size_t missing = static_cast<std::size_t>(random.between(1, 3));
      CHECK(!read_raw(folder.write("shorter", file.substr(0, file.size() - missing))));
      CHECK(read_raw(folder.write("longer", file + "more")));
    }
}

TEST_CASE("other files are no rasters") {
  const TempFolder folder;
  for (const char* const text : {"P1\n1 1\n0\n", "P2\n1 1\n255\n7\n", "P3\n1 1\n255\n1 2 3\n", "P5\n0 1\n255\n",
                                 "P5\n1 0\n255\n", "Pf\n0 1\n-1\n", "P5\n1 1\n0\n1", "P5\n1 1\n70000\n12", "P5\nx",
                                 "P5", "", "P7\nWIDTH 1\n", "Pf\n1 1\n0\n1234", "BM", "[[1]]"}) {
    CAPTURE(text);
    CHECK(!read_raw(folder.write("file", text)));
  }
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    const std::string text(reinterpret_cast<const char*>(sample.file.data()), sample.file.size());
    const bool is_raw = sample.name.starts_with("p") && sample.name[1] != 'n' && !sample.name.ends_with("text");
    CHECK(read_raw(folder.write("file", text)).has_value() == is_raw);
  }
}

TEST_CASE("the header is read without the pixels, of a picture larger than memory") {
  const TempFolder folder;
  const std::string path = folder.write("large.ppm", "P6\n100000 100000\n255\n");
  const std::int64_t size = 21 + std::int64_t{3} * 100'000 * 100'000;
  REQUIRE(truncate(path.c_str(), size) == 0);
  const std::optional<RawPicture> raw = read_raw(path);
  REQUIRE(raw);
  CHECK(raw->layout.shape == Shape{.n = 1, .c = 3, .h = 100'000, .w = 100'000});
  CHECK(raw->header.pictures == 1);
  REQUIRE(truncate(path.c_str(), size - 1) == 0);
  CHECK(!read_raw(path));
}

TEST_CASE("pictures that follow the first are counted as in the whole file") {
  const TempFolder folder;
  Random random(2);
  const char* const kinds[] = {"P4", "P5", "P6"};
  for (int i = 0; i < 100; ++i) {
    std::string file;
    const std::int64_t count = random.between(1, 5);
    for (std::int64_t p = 0; p < count; ++p) file += random_file(random.pick(kinds), random);
    if (random.chance(4)) file += "P5\n#" + std::string(9000, 'c') + "\n1 1\n255\nx";
    if (random.chance(4)) file += "P5\n1 1\n2";
    if (random.chance(4)) file += "P2 1 1 255 7";
    CAPTURE(i);
    const std::optional<RawPicture> raw = read_raw(folder.write("pictures", file));
    REQUIRE(raw);
    CHECK(raw->header.pictures >= count);
    CHECK(raw->header.pictures == read_picture_header(to_bytes(file)).pictures);
  }
}

TEST_CASE("PNM is written as OpenCV does") {
  for (const int depth : {CV_8U, CV_16U})
    for (const int channels : {1, 3})
      for (const char* const name : {"pnm", "pgm", "ppm"}) {
        const PictureFormat& format = *find_picture_format(name);
        const PixelFormat pixels = channels == 1 ? PixelFormat::grey : PixelFormat::rgb;
        if (!holds(format, depth == CV_8U ? DType::u8 : DType::u16, pixels)) continue;
        CAPTURE(name);
        CAPTURE(depth);
        const cv::Mat mat = random_mat(11, 13, CV_MAKETYPE(depth, channels));
        const Bytes expected = opencv_file("." + std::string(name), mat);
        const Image image = decode_image(expected, 1000);
        CHECK((encode_image(image, format) == expected));
      }
}

TEST_CASE("PFM is written from the bottom up, little-endian") {
  const Image image(DType::f32, PixelFormat::rgb, 2, 1);
  for (std::int64_t y = 0; y < 2; ++y)
    for (std::int64_t c = 0; c < 3; ++c) image.all().view<float>().at(0, c, y, 0) = static_cast<float>(3 * y + c + 1);
  const Bytes expected = ByteWriter()
                             .text("PF\n1 2\n-1.0\n")
                             .u32(0x40800000)
                             .u32(0x40a00000)
                             .u32(0x40c00000)
                             .u32(0x3f800000)
                             .u32(0x40000000)
                             .u32(0x40400000)
                             .bytes();
  CHECK((encode_image(image, *find_picture_format("pfm")) == expected));
}

TEST_CASE("the formats of rasters are PNM and PFM, with the limits of encode_image()") {
  for (const PictureFormat& format : picture_formats()) {
    CAPTURE(format.name);
    const DType dtype = format.dtypes[0];
    const bool is_raw = format.name == "pnm" || format.name == "pgm" || format.name == "ppm" || format.name == "pfm";
    CHECK(raw_picture_format(format, dtype, format.pixels[0], 3, 4).has_value() == is_raw);
    if (!is_raw) continue;
    CHECK(error_text(ErrorKind::output, [&] {
            raw_picture_format(format, dtype, PixelFormat::rgba, 3, 4);
          }).find("cannot store RGB and alpha") != std::string::npos);
    CHECK(error_text(ErrorKind::output, [&] { raw_picture_format(format, dtype, format.pixels[0], 0, 4); }) ==
          "a picture without pixels (4x0) cannot be written");
  }
}
