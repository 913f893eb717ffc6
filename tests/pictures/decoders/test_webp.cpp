// WebP: files shorter than OpenCV accepts, and which of them have alpha.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

/// A lossless WebP of 16 by 16 red pixels, in 30 bytes.
Bytes shortest_webp() {
  return ByteWriter()
      .text("RIFF")
      .u32(22)
      .text("WEBPVP8L")
      .u32(10)
      .append(bytes({0x2f, 0x0f, 0xc0, 0x03, 0x00, 0x88, 0xfe, 0x47, 0xff, 0x03}))
      .bytes();
}

/// `file` without its 12 bytes of RIFF header, after a VP8X chunk with these flags.
Bytes extended(const Bytes& file, unsigned flags, unsigned width, unsigned height) {
  ByteWriter body;
  body.text("WEBP").text("VP8X").u32(10).u32(flags).u16(width - 1).u8(0).u16(height - 1).u8(0);
  body.append(std::span(file).subspan(12));
  return ByteWriter().text("RIFF").u32(body.size()).append(body.bytes()).bytes();
}

}  // namespace

TEST_CASE("a WebP of 30 bytes is read, and truncated at any length is an error") {
  const Bytes file = shortest_webp();
  REQUIRE(file.size() == 30);
  const std::vector<double> pixels = values(decode_image(file, 1000).all());
  CHECK(outcome(file).starts_with("u8 rgb 255 0 0 255 0 0 "));
  REQUIRE(pixels.size() == 3 * 256);
  for (std::size_t i = 0; i < pixels.size(); ++i) REQUIRE(pixels[i] == (i % 3 == 0 ? 255 : 0));
  for (std::size_t length = 12; length < file.size(); ++length)
    CHECK(outcome(std::span(file).first(length)) == "damaged or truncated WebP (it ends too early)");
}

TEST_CASE("WebP has the values that OpenCV reads") {
  for (const int type : {CV_8UC3, CV_8UC4})
    for (const int quality : {80, 101}) {
      const Bytes file = opencv_file(".webp", random_mat(21, 34, type), {cv::IMWRITE_WEBP_QUALITY, quality});
      const cv::Mat wrapped(1, static_cast<int>(file.size()), CV_8U, const_cast<std::byte*>(file.data()));
      const cv::Mat expected = cv::imdecode(wrapped, cv::IMREAD_UNCHANGED);
      const Image image = decode_image(file, 1000);
      const auto view = image.all().view<std::uint8_t>();
      REQUIRE(view.shape.c == expected.channels());
      for (int y = 0; y < expected.rows; ++y)
        for (int x = 0; x < expected.cols; ++x)
          for (int c = 0; c < expected.channels(); ++c)
            REQUIRE(view.at(0, c, y, x) == expected.ptr(y)[x * expected.channels() + (c == 3 ? 3 : 2 - c)]);
    }
}

TEST_CASE("a WebP with an invalid alpha chunk is damaged") {
  const std::string damaged = "damaged or truncated WebP (parts of its data are invalid)";
  Bytes file = opencv_file(".webp", random_mat(7, 9, CV_8UC4), {cv::IMWRITE_WEBP_QUALITY, 80});
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const std::size_t chunk = text.find("ALPH");
  REQUIRE(chunk != std::string_view::npos);
  file[chunk + 8] = std::byte{2};  // there are compression methods 0 and 1
  CHECK(outcome(file) == damaged);
  for (int flags = 0; flags < 256; ++flags) {
    CAPTURE(flags);
    file[chunk + 8] = static_cast<std::byte>(flags);
    const std::string result = outcome(file);
    CHECK((result.starts_with("u8 rgba ") || result == damaged));
  }
}

TEST_CASE("the pixels decide whether a WebP has alpha, not the flag in its header") {
  constexpr unsigned kAlpha = 0x10;
  CHECK(outcome(extended(shortest_webp(), kAlpha, 16, 16)).starts_with("u8 rgb 255"));
  CHECK(outcome(extended(shortest_webp(), 0, 16, 16)).starts_with("u8 rgb 255"));
  const Bytes with_alpha = opencv_file(".webp", random_mat(3, 4, CV_8UC4), {cv::IMWRITE_WEBP_QUALITY, 101});
  CHECK(outcome(extended(with_alpha, kAlpha, 4, 3)).starts_with("u8 rgba"));
  CHECK(outcome(extended(with_alpha, 0, 4, 3)).starts_with("u8 rgba"));
  CHECK(outcome(extended(shortest_webp(), 0, 17, 16)) == "damaged or truncated WebP (its first chunks are invalid)");
  CHECK(outcome(extended(shortest_webp(), 0x02, 16, 16)) ==
        "an animated WebP cannot be read; extract a frame of it first");
}
