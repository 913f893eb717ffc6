// OpenEXR: which channels become which picture, luminance and chroma, several parts.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

struct Channel {
  std::string name;
  std::vector<float> values;  ///< row by row
  int step = 1;               ///< sampled at every step-th pixel and row
};

/// An uncompressed file of `parts` equal parts, 4 by 2 pixels each.
Bytes exr_bytes(const std::vector<Channel>& channels, int parts = 1) {
  constexpr int kWidth = 4, kHeight = 2;
  const bool several = parts > 1;
  ByteWriter file;
  file.u32(20000630).u32(several ? 0x1002 : 2);
  const auto attribute = [&](const std::string& name, const std::string& type, std::size_t size) {
    file.text(name).u8(0).text(type).u8(0).u32(size);
  };
  const auto window = [&](const std::string& name) {
    attribute(name, "box2i", 16);
    file.u32(0).u32(0).u32(kWidth - 1).u32(kHeight - 1);
  };
  const auto f32 = [&](float value) { file.u32(std::bit_cast<std::uint32_t>(value)); };
  for (int part = 0; part < parts; ++part) {
    std::size_t size = 1;
    for (const Channel& channel : channels) size += channel.name.size() + 17;
    attribute("channels", "chlist", size);
    for (const Channel& channel : channels) {
      const auto step = static_cast<unsigned>(channel.step);
      file.text(channel.name).u8(0).u32(2).u32(0).u32(step).u32(step);  // 2: floats
    }
    file.u8(0);
    attribute("compression", "compression", 1);
    file.u8(0);
    window("dataWindow");
    window("displayWindow");
    attribute("lineOrder", "lineOrder", 1);
    file.u8(0);
    attribute("pixelAspectRatio", "float", 4);
    f32(1);
    attribute("screenWindowCenter", "v2f", 8);
    f32(0), f32(0);
    attribute("screenWindowWidth", "float", 4);
    f32(1);
    if (several) {
      attribute("name", "string", 1);
      file.u8(static_cast<unsigned>('a' + part));
      attribute("type", "string", 13);
      file.text("scanlineimage");
      attribute("chunkCount", "int", 4);
      file.u32(kHeight);
    }
    file.u8(0);
  }
  if (several) file.u8(0);

  std::vector<Bytes> rows;
  for (int part = 0; part < parts; ++part)
    for (int y = 0; y < kHeight; ++y) {
      ByteWriter values, row;
      for (const Channel& channel : channels)
        for (int x = 0; x < kWidth / channel.step && y % channel.step == 0; ++x)
          values.u32(std::bit_cast<std::uint32_t>(
              channel.values[static_cast<std::size_t>(y / channel.step * (kWidth / channel.step) + x)]));
      if (several) row.u32(static_cast<unsigned>(part));
      rows.push_back(row.u32(static_cast<unsigned>(y)).u32(values.size()).append(values.bytes()).bytes());
    }
  std::size_t at = file.size() + 8 * rows.size();
  for (const Bytes& row : rows) {
    file.u32(at).u32(0);
    at += row.size();
  }
  for (const Bytes& row : rows) file.append(row);
  return file.bytes();
}

const std::vector<float> kRamp = {1, 2, 3, 4, 5, 6, 7, 8}, kHalf = std::vector<float>(8, 0.5f);

/// The values of a picture that has this type and channels.
std::vector<double> decoded(const Bytes& file, const std::string& start) {
  CHECK(outcome(file).starts_with(start));
  return values(decode_image(file, 100).all());
}

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
      std::vector<Channel> channels = {
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
}

TEST_CASE("the first of several parts is read, and a remark gives their number") {
  const Bytes file = exr_bytes({{"Y", kRamp}}, 3);
  CHECK(outcome(file) == "f32 grey 1 2 3 4 5 6 7 8");
  const std::vector<Remark> remarks = remarks_on(read_picture_header(file));
  REQUIRE(remarks.size() == 1);
  CHECK(remarks[0].text == "only the first of its 3 parts is read");
  CHECK(remarks_on(read_picture_header(exr_bytes({{"Y", kRamp}}))).empty());
}
