// What a report keeps of a picture: a small copy and a histogram.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "pictures/decode_image.h"
#include "pictures/image_header.h"
#include "show/survey.h"
#include "support/random.h"

using namespace convtool;

namespace {

double sum(const std::vector<double>& counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

Image copy_of(const SurveyResult& result) {
  REQUIRE(result.preview);
  return decode_image(result.preview->file, read_picture_header(result.preview->file), 1);
}

/// A picture whose values are value(c, y, x).
template <class T, class Value>
Tensor tensor_of(const Shape& shape, const Value& value) {
  Tensor tensor(dtype_of<T>(), shape);
  const auto view = tensor.ref().view<T>();
  for (std::int64_t c = 0; c < shape.c; ++c)
    for (std::int64_t y = 0; y < shape.h; ++y)
      for (std::int64_t x = 0; x < shape.w; ++x) view.at(0, c, y, x) = static_cast<T>(value(c, y, x));
  return tensor;
}

Tensor noise(const Shape& shape, float low, float high) {
  Random random(7);
  return tensor_of<float>(shape, [&](auto, auto, auto) { return low + (high - low) * (random.rough() + 1) / 2; });
}

}  // namespace

TEST_CASE("a picture that is small enough is copied exactly, in its colours") {
  const Tensor picture =
      tensor_of<std::uint8_t>({.c = 3, .h = 5, .w = 7}, [](auto c, auto y, auto x) { return 80 * c + 10 * y + x; });
  const SurveyResult result = survey(picture.ref(), PixelFormat::rgb, {});
  CHECK(result.preview->type == "image/png");
  const Image copy = copy_of(result);
  REQUIRE(copy.all().shape == picture.shape());
  const auto pixels = copy.all().view<std::uint8_t>();
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t y = 0; y < 5; ++y)
      for (std::int64_t x = 0; x < 7; ++x) CHECK(pixels.at(0, c, y, x) == 80 * c + 10 * y + x);
}

TEST_CASE("a larger picture is averaged") {
  const Tensor picture =
      tensor_of<std::uint16_t>({.c = 1, .h = 4, .w = 8}, [](auto, auto y, auto x) { return 257 * (20 * (y / 2) + x); });
  SurveyOptions options;
  options.side = 4;
  const Image copy = copy_of(survey(picture.ref(), PixelFormat::grey, options));
  REQUIRE(copy.all().shape == Shape{.c = 1, .h = 2, .w = 4});
  // The mean of columns 2x and 2x + 1 is 2x + 0.5, which is rounded away from 0.
  for (std::int64_t y = 0; y < 2; ++y)
    for (std::int64_t x = 0; x < 4; ++x) CHECK(copy.all().view<std::uint8_t>().at(0, 0, y, x) == 20 * y + 2 * x + 1);
}

TEST_CASE("each part of a copy is the mean of its pixels, where sizes are not multiples") {
  const Tensor picture = tensor_of<std::uint8_t>({.c = 1, .h = 7, .w = 11}, [](auto, auto, auto) { return 200; });
  for (const std::int64_t side : {1, 2, 3, 4, 6, 7, 10}) {
    CAPTURE(side);
    SurveyOptions options;
    options.side = side;
    const Image copy = copy_of(survey(picture.ref(), PixelFormat::grey, options));
    const auto pixels = copy.all().view<std::uint8_t>();
    CHECK(std::max(pixels.shape.h, pixels.shape.w) == side);
    for (std::int64_t y = 0; y < pixels.shape.h; ++y)
      for (std::int64_t x = 0; x < pixels.shape.w; ++x) CHECK(pixels.at(0, 0, y, x) == 200);
  }
}

TEST_CASE("transparent pixels are white in the copy, and counted as they are") {
  const Tensor picture = tensor_of<std::uint8_t>({.c = 2, .h = 1, .w = 3}, [](auto c, auto, auto x) {
    return c == 0 ? 40 : x == 0 ? 255 : 0;
  });
  const SurveyResult result = survey(picture.ref(), PixelFormat::grey_alpha, {});
  const Image copy = copy_of(result);
  const auto pixels = copy.all().view<std::uint8_t>();
  CHECK(pixels.at(0, 0, 0, 0) == 40);   // opaque
  CHECK(pixels.at(0, 0, 0, 1) == 255);  // alpha 0
  CHECK(pixels.at(0, 0, 0, 2) == 255);
  CHECK(result.histogram.counts.size() == 1);
  CHECK(result.histogram.counts[0][40 * 128 / 256] == 3);
}

TEST_CASE("floats are shown from the least to the most, or in a given range, or with signs") {
  const Tensor picture = tensor_of<float>({.c = 1, .h = 1, .w = 3}, [](auto, auto, auto x) { return x == 0 ? -1 : x; });
  const SurveyResult plain = survey(picture.ref(), std::nullopt, {});
  CHECK(plain.preview->black == -1);
  CHECK(plain.preview->white == 2);
  const auto pixels = [](const SurveyResult& result, std::int64_t c, std::int64_t x) {
    return static_cast<int>(copy_of(result).all().view<std::uint8_t>().at(0, c, 0, x));
  };
  CHECK(pixels(plain, 0, 0) == 0);
  CHECK(pixels(plain, 0, 1) == 170);
  CHECK(pixels(plain, 0, 2) == 255);

  SurveyOptions ranged;
  ranged.range = {0, 1};
  CHECK(pixels(survey(picture.ref(), std::nullopt, ranged), 0, 0) == 0);
  CHECK(pixels(survey(picture.ref(), std::nullopt, ranged), 0, 1) == 255);

  SurveyOptions options;
  options.is_signed = true;
  const SurveyResult with_signs = survey(picture.ref(), std::nullopt, options);
  CHECK(with_signs.preview->white == 2);
  CHECK(pixels(with_signs, 0, 2) > pixels(with_signs, 2, 2) + 200);  // positive: orange
  CHECK(pixels(with_signs, 2, 0) > pixels(with_signs, 0, 0) + 50);   // negative, half as large: light blue
}

TEST_CASE("few strong values do not pale the others where signs are shown") {
  // 997 of 1000 are 1 or -1, which is where full colour begins; a level is 1/128 wide.
  const Tensor picture = tensor_of<float>({.c = 1, .h = 10, .w = 100}, [](auto, auto y, auto x) {
    return y == 0 && x < 3 ? 1000 : x % 2 == 0 ? 1 : -1;
  });
  SurveyOptions options;
  options.is_signed = true;
  CHECK(survey(picture.ref(), std::nullopt, options).preview->white == doctest::Approx(1).epsilon(1.0 / 128));
}

TEST_CASE("a histogram of integers counts exactly, over the range of the type") {
  const Tensor picture = tensor_of<std::uint8_t>({.c = 3, .h = 16, .w = 16},
                                                 [](auto c, auto y, auto x) { return c == 0 ? 0 : 16 * y + x; });
  SurveyOptions options;
  options.bins = 64;
  const Histogram histogram = survey(picture.ref(), PixelFormat::rgb, options).histogram;
  REQUIRE(histogram.counts.size() == 3);
  CHECK(histogram.low == -0.5);
  CHECK(histogram.high == 255.5);
  CHECK(histogram.counts[0][0] == 256);
  CHECK(sum(histogram.counts[0]) == 256);
  CHECK(std::all_of(histogram.counts[1].begin(), histogram.counts[1].end(), [](double count) { return count == 4; }));
  CHECK(histogram.at_low == 256 + 2);
  CHECK(histogram.at_high == 2);
}

/// A float is counted by its upper 16 bits, so it may be counted anywhere between the first and the last float with
/// these bits. The count of all bins up to an edge can differ from the exact one only by the floats whose upper bits
/// are those of the edge.
TEST_CASE("a histogram of floats differs from the exact one only by floats at the edges of bins") {
  const Tensor picture = noise({.c = 1, .h = 100, .w = 100}, -3, 11);
  const Histogram histogram = survey(picture.ref(), std::nullopt, {}).histogram;
  const float* begin = picture.data<float>();
  const float* end = begin + picture.shape().count();
  CHECK(histogram.low == static_cast<double>(*std::min_element(begin, end)));
  CHECK(histogram.high == static_cast<double>(*std::max_element(begin, end)));
  CHECK(sum(histogram.counts[0]) == doctest::Approx(10000).epsilon(1e-9));

  const auto upper_half = [](float value) { return std::bit_cast<std::uint32_t>(value) >> 16; };
  const double width = (histogram.high - histogram.low) / static_cast<double>(histogram.counts[0].size());
  double counted = 0;
  for (std::size_t bin = 0; bin < histogram.counts[0].size(); ++bin) {
    counted += histogram.counts[0][bin];
    const auto edge = static_cast<float>(histogram.low + width * static_cast<double>(bin + 1));
    const auto exact = std::count_if(begin, end, [&](float value) { return value < edge; });
    const auto near = std::count_if(begin, end, [&](float value) { return upper_half(value) == upper_half(edge); });
    CHECK(std::fabs(counted - static_cast<double>(exact)) <= static_cast<double>(near) + 1e-6);
  }
}

TEST_CASE("whole numbers in floats are counted exactly where each has a bin, and evenly where several share one") {
  // 300 is beyond the numbers whose upper halves differ; -40 has its level below it.
  const std::pair<int, int> ranges[] = {{-40, 10}, {300, 400}, {-5, 3}};
  for (const auto& range : ranges) {
    const int least = range.first, most = range.second;
    const std::int64_t count = most - least + 1;
    const Tensor picture =
        tensor_of<float>({.c = 1, .h = count, .w = 6}, [&](auto, auto y, auto) { return least + static_cast<int>(y); });
    const Histogram histogram = survey(picture.ref(), std::nullopt, {}).histogram;
    CHECK(histogram.is_whole);
    CHECK(histogram.low == least - 0.5);
    CHECK(histogram.high == most + 0.5);
    CHECK(histogram.counts[0] == std::vector<double>(static_cast<std::size_t>(count), 6));
  }
  const Tensor wide =
      tensor_of<float>({.c = 1, .h = 1, .w = 250}, [](auto, auto, auto x) { return static_cast<int>(x) - 120; });
  const SurveyResult result = survey(wide.ref(), std::nullopt, {});
  for (const double count : result.histogram.counts[0]) CHECK(count == doctest::Approx(250.0 / 128));
}

TEST_CASE("numbers that are not finite are counted apart, and constant floats have one bin") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();
  const float values[] = {kNaN, kInfinity, -kInfinity, 5, 5, 5};
  const Tensor picture = tensor_of<float>({.c = 1, .h = 1, .w = 6}, [&](auto, auto, auto x) { return values[x]; });
  const SurveyResult result = survey(picture.ref(), std::nullopt, {});
  CHECK(result.histogram.not_finite == 3);
  CHECK(result.histogram.low == 4.5);
  CHECK(result.histogram.high == 5.5);
  CHECK(sum(result.histogram.counts[0]) == 3);
  CHECK(result.preview);

  const Tensor none = tensor_of<float>({.c = 1, .h = 1, .w = 2}, [&](auto, auto, auto) { return kNaN; });
  CHECK(survey(none.ref(), std::nullopt, {}).histogram.not_finite == 2);
}

TEST_CASE("large floats that are all the same have one bin, and a copy") {
  for (const float value : {0x1p54F, -0x1p54F, 0x1p70F, -0x1p127F, 3e38F}) {
    CAPTURE(value);
    const Tensor tensor = tensor_of<float>({.h = 3, .w = 5}, [=](auto, auto, auto) { return value; });
    const SurveyResult result = survey(tensor.ref(), std::nullopt, {});
    CHECK(result.histogram.low < static_cast<double>(value));
    CHECK(result.histogram.high > static_cast<double>(value));
    CHECK(sum(result.histogram.counts.front()) == 15);
    CHECK(copy_of(result).all().shape == Shape{.h = 3, .w = 5});
  }
}

TEST_CASE("a survey in rows, in any order, is that of the whole picture") {
  const Tensor picture = tensor_of<std::uint8_t>({.c = 3, .h = 50, .w = 33},
                                                 [](auto c, auto y, auto x) { return (y * x + 91 * c) % 256; });
  SurveyOptions options;
  options.side = 20;
  const SurveyResult whole = survey(picture.ref(), PixelFormat::rgb, options);
  Survey parts(DType::u8, picture.shape(), PixelFormat::rgb, options);
  for (const std::int64_t first : {30, 0, 10, 40, 20})
    parts.add(0, first, ConstTensorRef(picture.ref().rows(first, 10)));
  const SurveyResult joined = parts.finish();
  CHECK(joined.preview->file == whole.preview->file);
  CHECK(joined.histogram.counts == whole.histogram.counts);
}

TEST_CASE("a batch shows its first item and counts all") {
  Tensor batch(DType::f32, {.n = 2, .c = 4, .h = 1, .w = 2});
  std::iota(batch.data<float>(), batch.data<float>() + 16, 0.0F);
  const SurveyResult result = survey(batch.ref(), std::nullopt, {});
  CHECK(sum(result.histogram.counts[0]) == 16);
  CHECK(result.preview->shape == Shape{.c = 1, .h = 1, .w = 2});
  CHECK(copy_of(result).all().view<std::uint8_t>().at(0, 0, 0, 1) == 17);  // 1 of 15
}

TEST_CASE("a copy fits into the bytes that it may take, of noise too") {
  const Tensor picture = noise({.c = 1, .h = 700, .w = 900}, 0, 1);
  SurveyOptions options;
  options.bytes = 8000;
  const SurveyResult result = survey(picture.ref(), std::nullopt, options);
  CHECK(result.preview->file.size() <= 8000);
  CHECK(result.preview->type == "image/jpeg");
  CHECK(copy_of(result).all().shape == result.preview->shape);
}

TEST_CASE("the copies of up to 200 inputs fit into 4 MB of Base64") {
  for (const std::size_t count : {1u, 2u, 12u, 20u, 21u, 100u, 200u}) {
    CAPTURE(count);
    for (const std::size_t pictures : {2u, 3u}) {
      const SurveyOptions options = survey_options(count, pictures);
      CHECK(options.side > 0);
      CHECK(pictures * count * options.bytes * 4 / 3 <= 4'000'000);
    }
  }
  CHECK(survey_options(201, 2).side == 0);
}

TEST_CASE("so do the copies of inputs with any number of parts, of which none is too small to be seen") {
  for (const std::size_t inputs : {1u, 2u, 9u, 10u, 18u, 19u, 20u, 21u, 200u, 201u, 1000u})
    for (const std::size_t pictures : {2u, 3u}) {
      CAPTURE(inputs);
      CAPTURE(pictures);
      std::size_t surveys = 0, bytes = 0;
      for (std::size_t place = 1; place <= 1000; ++place)
        if (const std::optional<SurveyOptions> options = survey_options_of_part(inputs, pictures, place)) {
          surveys += inputs;
          CHECK((options->side > 0) == (inputs <= 200));
          if (options->side == 0) continue;
          bytes += pictures * inputs * options->bytes * 4 / 3;
          CHECK(options->side >= 100);
          CHECK(options->bytes > 2000);  // three times a JPEG without pixels
        }
      CHECK(surveys <= std::max<std::size_t>(inputs, 200));
      CHECK(surveys > std::max<std::size_t>(inputs, 200) / 2);
      CHECK(bytes <= 4'000'000);
    }
}

TEST_CASE("without a copy, colours are counted together") {
  const Tensor picture = tensor_of<std::uint8_t>({.c = 3, .h = 2, .w = 2}, [](auto, auto, auto) { return 9; });
  const SurveyResult result = survey(picture.ref(), PixelFormat::rgb, survey_options(201, 2));
  CHECK_FALSE(result.preview);
  REQUIRE(result.histogram.counts.size() == 1);
  CHECK(sum(result.histogram.counts[0]) == 12);
}

TEST_CASE("the memory of a survey does not grow with the picture") {
  const SurveyOptions options = survey_options(1, 2);
  CHECK(Survey::memory({.c = 3, .h = 2000, .w = 2000}, options) ==
        Survey::memory({.c = 3, .h = 90000, .w = 90000}, options));
  CHECK(Survey::memory({.c = 3, .h = 90000, .w = 90000}, options) < 64 << 20);
}
