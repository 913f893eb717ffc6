// How damage is noticed, one case per codec: by checksums, by what the data leaves undecoded, or by warnings. An update
// of a codec that went on in silence would fail here. TIFF and the formats with decoders of our own have tests of their
// own.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

bool is_damaged(std::span<const std::byte> file) {
  const std::string text = outcome(file);
  return text.find("damaged") != std::string::npos;
}

/// The position of `text` in `file`.
std::size_t find(const Bytes& file, const std::string& text) {
  const Bytes wanted = to_bytes(text);
  const auto at = std::search(file.begin(), file.end(), wanted.begin(), wanted.end());
  REQUIRE(at != file.end());
  return static_cast<std::size_t>(at - file.begin());
}

void put_u32(Bytes& file, std::size_t at, std::size_t value) {
  for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::byte>(value >> 8 * i);
}

Bytes without(Bytes file, std::size_t first, std::size_t count) {
  const auto begin = file.begin() + static_cast<std::ptrdiff_t>(first);
  file.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  return file;
}

}  // namespace

TEST_CASE("PNG: the checksum of a chunk notices any changed byte") {
  const Bytes palette = bytes({1, 2, 3, 4, 5, 6}), rows = bytes({0, 1, 0, 0, 0, 1});
  const Bytes file = png_file({.width = 2, .height = 2, .colour_type = 3, .palette = palette, .rows = rows});
  REQUIRE(outcome(file) == "u8 rgb 4 5 6 1 2 3 1 2 3 4 5 6");
  for (const std::string type : {"PLTE", "IDAT"}) {
    const std::size_t data = find(file, type) + 4;
    const std::size_t size = std::to_integer<std::size_t>(file[data - 5]);
    for (std::size_t at = data; at < data + size + 4; ++at)
      for (const unsigned change : {0x01u, 0x80u}) {
        CAPTURE(at);
        Bytes damaged = file;
        damaged[at] ^= static_cast<std::byte>(change);
        REQUIRE(is_damaged(damaged));
      }
  }
}

TEST_CASE("PNG: rows that are missing in sound chunks are noticed by their number") {
  for (const bool interlaced : {false, true}) {
    const Bytes rows(interlaced ? 3 + 3 + 10 : 4 * 5);  // Adam7 of 4 x 4: 1x1, 1x1, 2x1, 2x2, 4x2 pixels
    const Bytes all(interlaced ? 2 + 2 + 3 + 6 + 10 : 20);
    CAPTURE(interlaced);
    CHECK_FALSE(is_damaged(png_file({.width = 4, .height = 4, .interlaced = interlaced, .rows = all})));
    for (std::size_t size = 0; size < all.size(); ++size)
      REQUIRE(is_damaged(png_file({.width = 4, .height = 4, .interlaced = interlaced, .rows = Bytes(size)})));
  }
}

TEST_CASE("JPEG: missing data between sound markers is noticed by libjpeg's warnings") {
  for (const bool progressive : {false, true})
    for (const int type : {CV_8UC1, CV_8UC3})
      for (const int restart : {0, 1}) {
        const Bytes file =
            opencv_file(".jpg", random_mat(24, 24, type),
                        {cv::IMWRITE_JPEG_PROGRESSIVE, progressive ? 1 : 0, cv::IMWRITE_JPEG_RST_INTERVAL, restart});
        CAPTURE(progressive);
        CAPTURE(type);
        CAPTURE(restart);
        CHECK_FALSE(is_damaged(file));
        const std::size_t scan = find(file, "\xff\xda");
        for (const std::size_t kept : {16u, 20u, 24u}) {  // of the first scan, with its header
          const std::size_t first = scan + kept;
          CHECK(is_damaged(without(file, first, file.size() - 2 - first)));  // up to the end marker
        }
      }
}

TEST_CASE("WebP: data that ends early in sound chunks is noticed by libwebp") {
  for (const int type : {CV_8UC3, CV_8UC4})
    for (const int quality : {80, 101}) {
      const Bytes file = opencv_file(".webp", random_mat(33, 33, type), {cv::IMWRITE_WEBP_QUALITY, quality});
      CAPTURE(type);
      CAPTURE(quality);
      CHECK(outcome(file).starts_with("33x33 is 1089 pixels"));  // more than outcome() decodes
      const auto values_or_error = [](std::span<const std::byte> some) {
        try {
          return values(decode_image(some, 2000).all());
        } catch (const Error& error) {
          CHECK(std::string(error.what()).find("damaged") != std::string::npos);
          return std::vector<double>();
        }
      };
      const std::vector<double> whole = values_or_error(file);
      REQUIRE(whole.size() == static_cast<std::size_t>(33 * 33 * CV_MAT_CN(type)));
      const std::size_t chunk = find(file, quality == 80 ? "VP8 " : "VP8L"), data = chunk + 8;
      const std::size_t size = file.size() - data;
      int noticed = 0;
      for (std::size_t cut = 2; cut < size; cut += 2) {
        Bytes damaged = without(file, file.size() - cut, cut);
        put_u32(damaged, chunk + 4, size - cut);
        put_u32(damaged, 4, damaged.size() - 8);
        const std::vector<double> got = values_or_error(damaged);
        if (got.empty())
          ++noticed;
        else
          REQUIRE(got == whole);  // padding, and bits that no pixel needs
      }
      CHECK(noticed >= static_cast<int>(size / 2) - 4);
    }
}

TEST_CASE("OpenEXR: a block that is shorter than its rows need is noticed, in every compression") {
  for (const int compression :
       {cv::IMWRITE_EXR_COMPRESSION_NO, cv::IMWRITE_EXR_COMPRESSION_RLE, cv::IMWRITE_EXR_COMPRESSION_ZIPS,
        cv::IMWRITE_EXR_COMPRESSION_ZIP, cv::IMWRITE_EXR_COMPRESSION_PIZ, cv::IMWRITE_EXR_COMPRESSION_PXR24,
        cv::IMWRITE_EXR_COMPRESSION_B44, cv::IMWRITE_EXR_COMPRESSION_B44A, cv::IMWRITE_EXR_COMPRESSION_DWAA,
        cv::IMWRITE_EXR_COMPRESSION_DWAB})
    for (const int type : {cv::IMWRITE_EXR_TYPE_FLOAT, cv::IMWRITE_EXR_TYPE_HALF}) {
      CAPTURE(compression);
      CAPTURE(type);
      cv::Mat smooth(20, 20, CV_32FC3);
      for (int y = 0; y < 20; ++y)
        for (int x = 0; x < 20; ++x) smooth.at<cv::Vec3f>(y, x) = cv::Vec3f(float(x), float(y / 4), 1);
      const Bytes file =
          opencv_file(".exr", smooth, {cv::IMWRITE_EXR_COMPRESSION, compression, cv::IMWRITE_EXR_TYPE, type});
      CHECK_FALSE(is_damaged(file));
      // Every block has its number of bytes before its data; the last one ends the file.
      std::size_t size = 1;
      const auto stored = [&](std::size_t at) {
        std::size_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::size_t>(file[at + i]) << 8 * i;
        return value;
      };
      while (stored(file.size() - size - 4) != size) REQUIRE(++size + 4 < file.size());
      for (const std::size_t cut : {std::size_t{1}, size / 2}) {
        CAPTURE(cut);
        Bytes damaged = without(file, file.size() - cut, cut);
        put_u32(damaged, file.size() - size - 4, size - cut);
        CHECK(is_damaged(damaged));
      }
    }
}

TEST_CASE("OpenEXR: ZIP's checksum notices any changed byte") {
  const Bytes file = opencv_file(".exr", random_mat(3, 3, CV_32FC1) * 0,
                                 {cv::IMWRITE_EXR_COMPRESSION, cv::IMWRITE_EXR_COMPRESSION_ZIP});
  REQUIRE_FALSE(is_damaged(file));
  const std::size_t stream = find(file, std::string("\x78\x5e"));  // zlib's header, at the default level
  for (std::size_t at = stream; at < file.size(); ++at)
    for (const unsigned change : {0x01u, 0x10u, 0xffu}) {
      CAPTURE(at);
      Bytes damaged = file;
      damaged[at] ^= static_cast<std::byte>(change);
      const std::string text = outcome(damaged);
      if (text != outcome(file)) CHECK(text.find("damaged") != std::string::npos);
    }
}

TEST_CASE("PFM and PNM: missing bytes are noticed by their number") {
  for (const std::string extension : {".pfm", ".pgm", ".ppm"}) {
    const int channels = extension == ".pgm" ? 1 : 3;
    const Bytes file =
        opencv_file(extension, random_mat(3, 3, CV_MAKETYPE(extension == ".pfm" ? CV_32F : CV_8U, channels)));
    CAPTURE(extension);
    CHECK_FALSE(is_damaged(file));
    CHECK(is_damaged(std::span(file).first(file.size() - 1)));
  }
}
