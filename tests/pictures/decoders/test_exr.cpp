// OpenEXR: which channels become which picture, luminance and chroma, several parts.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "pictures/exr_file.h"
#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr int kWidth = 4, kHeight = 2;

Bytes exr_bytes(const std::vector<ExrChannel>& channels, int parts = 1) {
  return exr_file(channels, kWidth, kHeight, parts);
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

  Bytes deep = file;
  const Bytes flat = to_bytes("scanlineimage");
  const auto at = std::search(deep.begin(), deep.end(), flat.begin(), flat.end());
  REQUIRE(at != deep.end());
  std::ranges::copy(to_bytes("deepscanline\0"), at);
  CHECK(outcome(deep) == "an OpenEXR with deep pixels cannot be read; flatten it first");
}
