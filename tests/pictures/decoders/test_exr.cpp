// OpenEXR: which channels become which picture, luminance and chroma, several parts; headers that could mislead the
// library, and the memory that it takes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "pictures/compression.h"
#include "pictures/exr_file.h"
#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr int kExrWidth = 4, kExrHeight = 2;

Bytes exr_bytes(const std::vector<ExrChannel>& channels, int parts = 1) {
  return exr_file(channels, kExrWidth, kExrHeight, parts);
}

const std::vector<float> kRamp = {1, 2, 3, 4, 5, 6, 7, 8}, kHalf = std::vector<float>(8, 0.5f);

/// The values of a picture that has this type and channels.
std::vector<double> decoded(const Bytes& file, const std::string& start) {
  CHECK(outcome(file).starts_with(start));
  return values(decode_image(file, 100).all());
}

/// A file of `parts` parts, of which the last has `more` attributes.
Bytes with_attributes(std::span<const std::byte> more, int parts = 1) {
  return exr_file({{"Y", kRamp}}, kExrWidth, kExrHeight, parts, more);
}

Bytes box(int right, int bottom) {
  return ByteWriter().u32(0).u32(0).u32(static_cast<unsigned>(right)).u32(static_cast<unsigned>(bottom)).bytes();
}

/// The file with the first `from` replaced by `to`, of the same length.
Bytes replaced(Bytes file, const Bytes& from, const Bytes& to) {
  const auto at = std::search(file.begin(), file.end(), from.begin(), from.end());
  REQUIRE(at != file.end());
  REQUIRE(from.size() == to.size());
  std::ranges::copy(to, at);
  return file;
}

std::int64_t working_memory(const Bytes& file) { return read_picture_header(file).working_memory; }

}  // namespace

TEST_CASE("OpenEXR of half floats, with alpha") {
  const cv::Mat mat(1, 1, CV_32FC4, cv::Scalar(0.25, -2, 1024, 0.5));
  CHECK(outcome(opencv_file(".exr", mat, {cv::IMWRITE_EXR_TYPE, cv::IMWRITE_EXR_TYPE_HALF})) ==
        "f32 rgba 1024 -2 0.25 0.5");
}

TEST_CASE("the channels of an OpenEXR make it grey or colour, with or without alpha") {
  const std::string ramp = " 1 2 3 4 5 6 7 8";
  CHECK(outcome(exr_bytes({{"Y", kRamp}})) == "f32 grey" + ramp);
  CHECK(outcome(exr_bytes({{"Z", kRamp}})) == "f32 grey" + ramp);
  CHECK(outcome(exr_bytes({{"A", kHalf}, {"Y", kRamp}})) ==
        "f32 grey_alpha 1 0.5 2 0.5 3 0.5 4 0.5 5 0.5 6 0.5 7 0.5 8 0.5");
  CHECK(outcome(exr_bytes({{"R", kRamp}})) == "f32 rgb 1 0 0 2 0 0 3 0 0 4 0 0 5 0 0 6 0 0 7 0 0 8 0 0");
  CHECK(outcome(exr_bytes({{"B", kHalf}, {"G", kRamp}, {"R", kRamp}, {"Y", kHalf}})) ==
        "f32 rgb 1 1 0.5 2 2 0.5 3 3 0.5 4 4 0.5 5 5 0.5 6 6 0.5 7 7 0.5 8 8 0.5");
  CHECK(outcome(exr_bytes({{"A", kRamp}, {"G", kHalf}})) ==
        "f32 rgba 0 0.5 0 1 0 0.5 0 2 0 0.5 0 3 0 0.5 0 4 0 0.5 0 5 0 0.5 0 6 0 0.5 0 7 0 0.5 0 8");
  // Sampled at every second pixel and row: values are repeated.
  CHECK(outcome(exr_bytes({{"B", {7, 9}, 2}, {"R", kRamp}})) ==
        "f32 rgb 1 0 7 2 0 7 3 0 9 4 0 9 5 0 7 6 0 7 7 0 9 8 0 9");
  const std::string refused = "an OpenEXR without a channel R, G, B, Y or Z cannot be read; rename its channels";
  CHECK(outcome(exr_bytes({{"A", kRamp}})) == refused);
  CHECK(outcome(exr_bytes({{"left.B", kRamp}, {"left.G", kRamp}, {"left.R", kRamp}})) == refused);
}

TEST_CASE("luminance and chroma become RGB") {
  // R = (RY + 1) Y, B = (BY + 1) Y, and Y = 0.2126 R + 0.7152 G + 0.0722 B, the weights of the default primaries. Half
  // floats have 11 bits: each of R, G, B is off by at most 2^-11 of itself for each of about 4 roundings.
  const double y = 0.5, red = 1.25 * y, blue = 0.5 * y, green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152;
  for (const int step : {1, 2})
    for (const bool has_alpha : {false, true}) {
      CAPTURE(step);
      std::vector<ExrChannel> channels = {
          {"BY", std::vector<float>(8, -0.5f), step}, {"RY", std::vector<float>(8, 0.25f), step}, {"Y", kHalf}};
      if (has_alpha) channels.insert(channels.begin(), {"A", std::vector<float>(8, 0.75f)});
      const std::vector<double> got = decoded(exr_bytes(channels), has_alpha ? "f32 rgba" : "f32 rgb");
      const std::vector<double> expected = {red, green, blue, 0.75};
      const std::size_t count = has_alpha ? 4 : 3;
      REQUIRE(got.size() == 8 * count);
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::fabs(got[i] - expected[i % count]) <= 4 * 0x1p-11);
    }
  // Chroma without one of its halves is that of a grey.
  const std::vector<double> got = decoded(exr_bytes({{"RY", kHalf}, {"Y", kHalf}}), "f32 rgb");
  CHECK(got.at(0) == 0.75);
  CHECK(got.at(2) == 0.5);
  CHECK(decoded(exr_bytes({{"BY", kHalf}, {"Y", kHalf}}), "f32 rgb").at(2) == 0.75);
}

TEST_CASE("the first of several parts is read, and a remark gives their number") {
  const Bytes file = exr_bytes({{"Y", kRamp}}, 3);
  CHECK(outcome(file) == "f32 grey 1 2 3 4 5 6 7 8");
  const std::vector<Remark> remarks = remarks_on(read_picture_header(file));
  REQUIRE(remarks.size() == 1);
  CHECK(remarks[0].text == "only the first of its 3 parts is read");
  CHECK(remarks_on(read_picture_header(exr_bytes({{"Y", kRamp}}))).empty());

  const Bytes deep = replaced(file, to_bytes("scanlineimage"), to_bytes("deepscanlines"));
  CHECK(outcome(deep) == "an OpenEXR with deep pixels cannot be read; flatten it first");
}

TEST_CASE("an OpenEXR attribute of another size than its type has is refused") {
  // OpenEXR takes 16 bytes for a box2i whatever its size, and would find a larger data window behind them.
  const Bytes window = exr_attribute("dataWindow", "box2i", box(2999, 2999));
  const Bytes hiding = exr_attribute("shown", "box2i", ByteWriter().append(box(3, 1)).append(window).bytes());
  CHECK(outcome(with_attributes(hiding)) ==
        "damaged or truncated OpenEXR (an attribute of type box2i with 53 bytes, expected 16)");
  CHECK(outcome(with_attributes(window)) == "damaged or truncated OpenEXR (an attribute that is there twice)");

  const std::pair<std::string, std::size_t> sizes[] = {{"box2f", 16},
                                                       {"box2i", 16},
                                                       {"chromaticities", 32},
                                                       {"compression", 1},
                                                       {"deepImageState", 1},
                                                       {"double", 8},
                                                       {"envmap", 1},
                                                       {"float", 4},
                                                       {"int", 4},
                                                       {"keycode", 28},
                                                       {"lineOrder", 1},
                                                       {"m33d", 72},
                                                       {"m33f", 36},
                                                       {"m44d", 128},
                                                       {"m44f", 64},
                                                       {"rational", 8},
                                                       {"tiledesc", 9},
                                                       {"timecode", 8},
                                                       {"v2d", 16},
                                                       {"v2f", 8},
                                                       {"v2i", 8},
                                                       {"v3d", 24},
                                                       {"v3f", 12},
                                                       {"v3i", 12}};
  for (const auto& [of_type, size] : sizes) {
    const std::string type = of_type;
    CAPTURE(type);
    if (type != "keycode")  // whose content OpenEXR checks
      CHECK(outcome(with_attributes(exr_attribute("own", type, Bytes(size)))) == "f32 grey 1 2 3 4 5 6 7 8");
    for (const std::size_t wrong : {size - 1, size + 1})
      CHECK(outcome(with_attributes(exr_attribute("own", type, Bytes(wrong))))
                .starts_with("damaged or truncated OpenEXR (an attribute of type " + type + " with "));
  }
  for (const char* const type : {"string", "opaque"})
    CHECK(outcome(with_attributes(exr_attribute("own", type, Bytes(77)))) == "f32 grey 1 2 3 4 5 6 7 8");
}

TEST_CASE("lists and previews in an OpenEXR end with their attribute") {
  const auto own = [](const std::string& type, const ByteWriter& content) {
    return outcome(with_attributes(exr_attribute("own", type, content.bytes())));
  };
  const std::string sound = "f32 grey 1 2 3 4 5 6 7 8", damaged = "damaged or truncated OpenEXR (";
  CHECK(own("stringvector", ByteWriter().u32(2).text("ab").u32(0)) == sound);
  CHECK(own("stringvector", ByteWriter().u32(3).text("ab")) == damaged + "it ends too early)");
  CHECK(own("preview", ByteWriter().u32(1).u32(2).append(Bytes(8))) == sound);
  CHECK(own("preview", ByteWriter().u32(1).u32(2).append(Bytes(9))) ==
        damaged + "an attribute of type preview with 17 bytes, expected 16)");
  CHECK(own("preview", ByteWriter().u32(0xffff).u32(0xffff)) == damaged + "a preview larger than its attribute)");
  CHECK(own("chlist", ByteWriter().u8(0)) == sound);
  CHECK(own("chlist", ByteWriter()) == damaged + "a header without an end)");
  CHECK(own("chlist", ByteWriter().u8(0).u8(0)) == damaged + "an attribute of type chlist with 2 bytes, expected 1)");
}

TEST_CASE("damage in any part of an OpenEXR is refused before its library takes memory by it") {
  const Bytes huge = exr_attribute("own", "string", {}, 0x7fffff00);
  CHECK(outcome(with_attributes(huge)) == "damaged or truncated OpenEXR (it ends too early)");
  CHECK(outcome(with_attributes(huge, 2)) == "damaged or truncated OpenEXR (it ends too early)");
  Bytes tall = with_attributes({}, 2);
  const Bytes window = ByteWriter().text("dataWindow").u8(0).text("box2i").u8(0).u32(16).bytes();
  const auto of_second = std::find_end(tall.begin(), tall.end(), window.begin(), window.end());
  REQUIRE(of_second != tall.end());
  std::ranges::copy(box(kExrWidth - 1, 0x0fffffff), of_second + static_cast<std::ptrdiff_t>(window.size()));
  CHECK(outcome(tall) == "damaged or truncated OpenEXR (it ends before its table of rows or tiles does)");
  ByteWriter many;
  for (int i = 0; i < 65536; ++i) many.append(exr_attribute("n" + std::to_string(i), "opaque", {}));
  CHECK(outcome(with_attributes(many.bytes())) ==
        "an OpenEXR with more than 65536 attributes and channels cannot be read");
}

TEST_CASE("the memory of a block of an OpenEXR, in all channels, is known from the header") {
  // Rows of 4 floats: three copies of a block, whose rows depend on the compression. The table, of 8 bytes a block and
  // counted twice, shrinks from two blocks to one.
  const Bytes plain = with_attributes({});
  const Bytes none = ByteWriter().text("compression").u8(0).u32(1).u8(0).bytes();
  const std::int64_t rows[] = {1, 1, 1, 16, 32, 16, 32, 32, 32, 256};
  for (unsigned i = 0; i < 10; ++i) {
    CAPTURE(i);
    const Bytes file = replaced(plain, none, ByteWriter().text("compression").u8(0).u32(1).u8(i).bytes());
    CHECK(working_memory(file) - working_memory(plain) >= 3 * 16 * (rows[i] - 1) - 16);
    CHECK(working_memory(file) - working_memory(plain) <= 3 * 16 * (rows[i] - 1));
  }
  CHECK(outcome(replaced(plain, none, ByteWriter().text("compression").u8(0).u32(1).u8(10).bytes())) ==
        "an OpenEXR with compression 10 cannot be read (0 to 9 can)");

  const auto tiled = [](unsigned width, unsigned height) {
    return with_attributes(exr_attribute("tiles", "tiledesc", ByteWriter().u32(width).u32(height).u8(0).bytes()));
  };
  CHECK(working_memory(tiled(1000, 2000)) - working_memory(tiled(1, 1)) >= 3 * 4 * 1000 * 2000 - 3 * 16 - 16);
  CHECK(working_memory(tiled(0xffffffff, 0xffffffff)) > std::int64_t{1} << 61);
  CHECK(outcome(tiled(0, 1)) == "damaged or truncated OpenEXR (tiles without pixels)");

  std::vector<ExrChannel> channels = {{"Y", kRamp}};
  const std::int64_t one = working_memory(exr_bytes(channels));
  for (int i = 0; i < 99; ++i) channels.push_back({"Z" + std::to_string(i), kRamp});
  CHECK(working_memory(exr_bytes(channels)) - one >= 99 * 3 * 16);
}

TEST_CASE("the error of an OpenEXR that cannot be decoded has its library's words") {
  CHECK(outcome(with_attributes(exr_attribute("own", "keycode", Bytes(28)))) ==
        "the OpenEXR is damaged or truncated, or of a kind that cannot be read (Invalid key code number of "
        "perforations per frame (must be between 1 and 15))");
  Bytes row = exr_bytes({{"Y", kRamp}});
  row[row.size() - 2 * (8 + 16) + 4] = std::byte{15};  // the stored size of the first row
  CHECK(outcome(row) ==
        "the OpenEXR is damaged or truncated, or of a kind that cannot be read (a block that is damaged, or of another "
        "size than its pixels)");
}

TEST_CASE("a block of an OpenEXR that is empty, or becomes too few bytes, is refused") {
  // 16x16 floats in one block of rows, or one tile.
  const auto file = [](unsigned compression, bool has_tiles, const Bytes& block) {
    ByteWriter exr;
    exr.u32(20000630).u32(has_tiles ? 0x202 : 2);
    ByteWriter channel;
    channel.text("Y").u8(0).u32(2).u32(0).u32(1).u32(1).u8(0);
    exr.append(exr_attribute("channels", "chlist", channel.bytes()));
    exr.append(exr_attribute("compression", "compression", ByteWriter().u8(compression).bytes()));
    for (const char* const window : {"dataWindow", "displayWindow"})
      exr.append(exr_attribute(window, "box2i", box(15, 15)));
    exr.append(exr_attribute("lineOrder", "lineOrder", Bytes(1)));
    exr.append(exr_attribute("pixelAspectRatio", "float", ByteWriter().u32(0x3f800000).bytes()));
    exr.append(exr_attribute("screenWindowCenter", "v2f", Bytes(8)));
    exr.append(exr_attribute("screenWindowWidth", "float", ByteWriter().u32(0x3f800000).bytes()));
    if (has_tiles) exr.append(exr_attribute("tiles", "tiledesc", ByteWriter().u32(16).u32(16).u8(0).bytes()));
    exr.u8(0);
    exr.u32(exr.bytes().size() + 8).u32(0);  // where the block is
    for (int i = 0; i < (has_tiles ? 4 : 1); ++i) exr.u32(0);
    return exr.u32(block.size()).append(block).bytes();
  };
  const std::string refusal =
      "the OpenEXR is damaged or truncated, or of a kind that cannot be read (a block that is damaged, or "
      "of another size than its pixels)";
  constexpr unsigned kRle = 1, kZip = 3, kRowByRow = 2;
  for (unsigned compression = 1; compression <= 9; ++compression)
    CHECK(outcome(file(compression, true, {})) == refusal);
  for (const bool has_tiles : {false, true}) {
    CHECK(outcome(file(kZip, has_tiles, {})) == refusal);
    CHECK(outcome(file(kZip, has_tiles, deflate_fast(Bytes(1024)))).starts_with("f32 grey"));
    for (const std::size_t wrong : {8u, 1023u, 1025u})
      CHECK(outcome(file(kZip, has_tiles, deflate_fast(Bytes(wrong)))) == refusal);
  }
  CHECK(outcome(file(kRowByRow, true, deflate_fast(Bytes(1024)))).starts_with("f32 grey"));
  CHECK(outcome(file(kRowByRow, true, deflate_fast(Bytes(1000)))) == refusal);

  ByteWriter runs;  // 7 of 128 bytes, 127, and one as it is
  for (int i = 0; i < 7; ++i) runs.u8(127).u8(3);
  runs.u8(126).u8(4);
  Bytes short_by_one = runs.bytes();
  CHECK(outcome(file(kRle, true, runs.u8(255).u8(5).bytes())).starts_with("f32 grey"));
  CHECK(outcome(file(kRle, true, short_by_one)) == refusal);
  short_by_one.push_back(std::byte{255});  // whose byte is missing
  CHECK(outcome(file(kRle, true, short_by_one)) == refusal);
}
