// Remarks on what is lost from a picture: further pages, gammas, profiles of BMP.
#include <doctest/doctest.h>

#include <string>

#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/image_header.h"
#include "pictures/pixel_values.h"
#include "support/picture_bytes.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

/// The start of each remark, one per line. Checks that the picture decodes in spite of them.
std::string remarks(std::span<const std::byte> file) {
  decode_image(file, 1000);
  std::string text;
  for (const Remark& remark : remarks_on(read_picture_header(file)))
    text += remark.text.substr(0, 26) + (remark.once ? " once\n" : "\n");
  return text;
}

constexpr const char* kProfileLost = "its ICC profile is ignored once\n";
constexpr const char* kGammaLost = "its gamma is ignored: valu once\n";

Bytes png_with(std::initializer_list<std::span<const std::byte>> chunks) {
  ByteWriter header(true), file;
  header.u32(2).u32(1).u8(8).u8(0).u8(0).u8(0).u8(0);
  file.u8(0x89).text("PNG\r\n\x1a\n").append(png_chunk("IHDR", header.bytes()));
  for (const auto chunk : chunks) file.append(chunk);
  return file.append(png_chunk("IDAT", zlib_stored(ByteWriter().u8(0).u8(7).u8(8).bytes())))
      .append(png_chunk("IEND", {}))
      .bytes();
}

Bytes png_profile(const std::string& name) {
  return png_chunk("iCCP", ByteWriter().text(name).u8(0).u8(0).append(zlib_stored(to_bytes("?"))).bytes());
}

Bytes png_gamma(std::uint32_t value) { return png_chunk("gAMA", ByteWriter(true).u32(value).bytes()); }

/// A JPEG with these APP2 segments after its first marker.
Bytes jpeg_with(std::initializer_list<std::string> segments) {
  const Bytes plain = encode_image(Image(DType::u8, PixelFormat::grey, 8, 8), *find_picture_format("jpeg"));
  ByteWriter file(true);
  file.append(std::span(plain).first(2));
  for (const std::string& segment : segments) file.u8(0xff).u8(0xe2).u16(segment.size() + 2).text(segment);
  return file.append(std::span(plain).subspan(2)).bytes();
}

/// `pages` equal directories after one strip of two pixels.
Bytes tiff_with(int pages, bool big_endian) {
  constexpr std::uint32_t kStripAt = 8, kFirstAt = 10;
  ByteWriter file(big_endian);
  file.text(big_endian ? "MM" : "II").u16(42).u32(kFirstAt).u8(7).u8(8);
  for (int page = 0; page < pages; ++page) {
    file.u16(8);
    const auto entry = [&](std::uint64_t tag, std::uint64_t value) { file.u16(tag).u16(4).u32(1).u32(value); };
    entry(256, 2), entry(257, 1), entry(258, 8), entry(259, 1), entry(262, 1), entry(273, kStripAt), entry(277, 1);
    entry(279, 2);
    file.u32(page + 1 < pages ? file.size() + 4 : 0);
  }
  return file.bytes();
}

}  // namespace

TEST_CASE("PNG: a gamma, unless a chunk says sRGB or there is a profile") {
  CHECK(remarks(png_with({})) == "");
  CHECK(remarks(png_with({png_gamma(100000)})) == kGammaLost);
  CHECK(remarks(png_with({png_gamma(45455)})) == "");
  CHECK(remarks(png_with({png_gamma(100000), png_chunk("sRGB", ByteWriter().u8(0).bytes())})) == "");
  CHECK(remarks(png_with({png_gamma(100000), png_profile("Display P3")})) == "");
}

TEST_CASE("PNG: an animation") {
  const auto animation = [](std::uint32_t frames) {
    return png_with({png_chunk("acTL", ByteWriter(true).u32(frames).u32(0).bytes())});
  };
  CHECK(remarks(animation(1)) == "");
  CHECK(remarks(animation(0)) == "");
  CHECK(remarks_on(read_picture_header(animation(3))).at(0).text == "only the first of its 3 frames is read");
  CHECK(values(decode_image(animation(3), 10).all()) == std::vector<double>{7, 8});
}

TEST_CASE("a gamma changes no value") {
  CHECK(values(decode_image(png_with({png_gamma(100000)}), 10).all()) == std::vector<double>{7, 8});
}

TEST_CASE("JPEG: further pictures in the file, by the index of the Multi-Picture Format") {
  using namespace std::string_literals;
  const auto indexed = [](const std::string& start, std::uint32_t count) {
    ByteWriter index;
    index.text("MPF\0"s + start).u32(8).u16(1).u16(0xb001).u16(4).u32(1).u32(count).u32(0);
    const auto* const text = reinterpret_cast<const char*>(index.bytes().data());
    return std::string(text, index.size());
  };
  const auto remarks_for = [](const std::string& index) {
    const std::vector<Remark> all = remarks_on(read_picture_header(jpeg_with({index})));
    return all.empty() ? "" : all.front().text;
  };
  CHECK(remarks_for(indexed("II*\0"s, 2)) == "only the first of its 2 pictures is read");
  CHECK(remarks_for(indexed("II*\0"s, 1)) == "");
  CHECK(remarks_for(indexed("II*\0"s, 0)) == "");
  CHECK(remarks_for("MPF\0"s) == "");
  CHECK(remarks_for("MPF\0II*\0\x08\0\0\0"s) == "");
}

TEST_CASE("pictures right behind the first one are counted, and other bytes are not") {
  const Bytes png = png_with({}), jpeg = jpeg_with({}), pnm = to_bytes("P5 1 1 255\nx"),
              text = to_bytes("P2 1 1 255 7 \n");
  const Bytes bmp = encode_image(Image(DType::u8, PixelFormat::grey, 2, 2), *find_picture_format("bmp"));
  const Bytes webp = encode_image(Image(DType::u8, PixelFormat::rgb, 2, 2), *find_picture_format("webp"));
  const Bytes pfm = encode_image(Image(DType::f32, PixelFormat::grey, 2, 2), *find_picture_format("pfm"));
  const Bytes exr = encode_image(Image(DType::f32, PixelFormat::rgb, 2, 2), *find_picture_format("exr"));
  const Bytes tiff = tiff_with(1, false);
  const auto remark = [](std::initializer_list<std::span<const std::byte>> parts) {
    ByteWriter file;
    for (const auto part : parts) file.append(part);
    const std::vector<Remark> all = remarks_on_others(read_picture_header(file.bytes()));
    CHECK(all.size() <= 1);
    return all.empty() ? "" : all.front().text;
  };
  const std::string two = "only the first of its 2 pictures is read",
                    three = "only the first of its 3 pictures is read";
  for (const Bytes& picture : {png, jpeg, pnm, text, bmp, webp, pfm, exr, tiff}) {
    CHECK(remark({picture}) == "");
    CHECK(remark({picture, picture}) == two);
    CHECK(remark({picture, picture, picture}) == three);
    CHECK(remark({picture, png, jpeg}) == three);
    CHECK(remark({picture, tiff}) == two);
    CHECK(remark({picture, to_bytes("some notes")}) == "");
    CHECK(remark({picture, to_bytes("BM, P5 and PF are no pictures")}) == "");
    CHECK(remark({picture, to_bytes("P5 x")}) == "");
  }
  CHECK(remark({jpeg, std::span(jpeg).first(jpeg.size() - 2)}) == "");  // a trailer need not be whole
  CHECK(remark({jpeg, Bytes(16), jpeg}) == "");
}

TEST_CASE("TIFF: pictures right behind the last page are counted once, with the first page") {
  const Bytes tiff = tiff_with(2, false), more = png_with({});
  const Bytes file = ByteWriter().append(tiff).append(more).bytes();
  const std::vector<Remark> all = remarks_on_others(read_picture_header(file));
  REQUIRE(all.size() == 2);
  CHECK(all[0].text == "only the first of its 2 pages is read");
  CHECK(all[1].text == "only the first of its 2 pictures is read");
  const std::vector<std::uint64_t> pages = find_pages(file);
  CHECK(read_picture_header(file, pages.at(0)).pictures == 2);
  CHECK(read_picture_header(file, pages.at(1)).pictures == 1);
}

TEST_CASE("JPEG: a picture that the index lists is counted once") {
  const Bytes second = jpeg_with({});
  using namespace std::string_literals;
  const auto indexed = [&](std::uint32_t offset) {
    ByteWriter index;
    index.text("MPF\0II*\0"s).u32(8).u16(2).u16(0xb001).u16(4).u32(1).u32(2).u16(0xb002).u16(7).u32(32).u32(38).u32(0);
    index.u32(0).u32(0).u32(0).u32(0).u32(0).u32(second.size()).u32(offset).u32(0);
    const auto* const text = reinterpret_cast<const char*>(index.bytes().data());
    return jpeg_with({std::string(text, index.size())});
  };
  constexpr std::uint32_t kIndexAt = 10;  // after two markers, a length and "MPF"
  const auto size = static_cast<std::uint32_t>(indexed(0).size());
  const auto remark = [](const Bytes& first, std::initializer_list<std::span<const std::byte>> others) {
    ByteWriter file;
    file.append(first);
    for (const auto other : others) file.append(other);
    return remarks_on_others(read_picture_header(file.bytes())).at(0).text;
  };
  CHECK(remark(indexed(size - kIndexAt), {second}) == "only the first of its 2 pictures is read");
  CHECK(remark(indexed(size - kIndexAt + 16), {Bytes(16), second}) == "only the first of its 2 pictures is read");
  CHECK(remark(indexed(7), {second}) == "only the first of its 2 pictures is read");  // an index of another file
}

TEST_CASE("BMP: a profile in a header of version 5, or one that it names") {
  const auto bmp_with = [](const std::string& colour_space, const std::string& profile) {
    constexpr unsigned kHeader = 124;
    ByteWriter file;
    file.text("BM").u32(0).u32(0).u32(14 + kHeader).u32(kHeader).u32(2).u32(1).u16(1).u16(24);
    for (int i = 0; i < 10; ++i) file.u32(0);  // up to the masks
    file.text(colour_space);
    for (int i = 0; i < 13; ++i) file.u32(0);  // up to the profile
    file.u32(kHeader + 8).u32(profile.size()).u32(0);
    return file.append(Bytes(8)).text(profile).bytes();
  };
  CHECK(remarks(bmp_with("BGRs", "")) == "");
  CHECK(remarks(bmp_with("DEBM", "ProPhoto")) == kProfileLost);
  CHECK(remarks(bmp_with("DEBM", "like sRGB")) == "");
  CHECK(remarks(bmp_with("KNIL", "c:\\profile")) == kProfileLost);
}

TEST_CASE("TIFF: pages, in both byte orders") {
  for (const bool big_endian : {false, true}) {
    CAPTURE(big_endian);
    CHECK(remarks(tiff_with(1, big_endian)) == "");
    CHECK(remarks_on(read_picture_header(tiff_with(3, big_endian))).at(0).text ==
          "only the first of its 3 pages is read");
    CHECK_FALSE(remarks_on(read_picture_header(tiff_with(3, big_endian))).at(0).once);
  }
}

TEST_CASE("TIFF: a broken or circular chain of pages does not prevent reading the first") {
  Bytes file = tiff_with(1, false);
  for (const std::uint32_t next : {10u, 0xffffffu, 9u}) {
    const Bytes link = ByteWriter().u32(next).bytes();
    std::copy(link.begin(), link.end(), file.end() - 4);
    CHECK(values(decode_image(file, 10).all()) == std::vector<double>{7, 8});
    CHECK(remarks_on(read_picture_header(file)).size() <= 1);
  }
}
