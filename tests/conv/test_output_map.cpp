// The scale and offset of each output map, for every pair of input and output types.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "conv/output_map.h"
#include "support/values.h"

namespace convtool {
namespace {

/// The value that is stored for a response, before rounding.
double mapped(const ValueMap& map, double response) {
  return ((map.absolute && response < 0 ? -response : response) - map.shift) * map.scale + map.offset;
}

/// The factor between the units of two types. It is 1 unless both are integers: 65535 / 255 = 257.
double rescale(DType input, DType output) {
  if (input == DType::u8 && output == DType::u16) return 257;
  if (input == DType::u16 && output == DType::u8) return 1.0 / 257;
  return 1;
}

TEST_CASE("clip and abs keep the response, except for a change of units") {
  for (const DType input : kTypes)
    for (const DType output : kTypes) {
      CAPTURE(std::string(to_string(input)));
      CAPTURE(std::string(to_string(output)));
      const ValueMap clip = make_value_map(OutputMap::clip, input, output);
      const ValueMap abs = make_value_map(OutputMap::abs, input, output);
      for (const double response : {-300.0, -1.0, 0.0, 0.25, 255.0, 65535.0}) {
        CHECK(mapped(clip, response) == response * rescale(input, output));
        CHECK(mapped(abs, response) == (response < 0 ? -response : response) * rescale(input, output));
      }
    }
}

TEST_CASE("the full range maps to the full range") {
  CHECK(mapped(make_value_map(OutputMap::clip, DType::u8, DType::u16), 255) == 65535);
  CHECK(mapped(make_value_map(OutputMap::clip, DType::u16, DType::u8), 65535) == doctest::Approx(255).epsilon(0x1p-50));
}

TEST_CASE("offset puts 0 at mid-grey and halves the response") {
  struct Row {
    DType input, output;
    double middle, scale;
  };
  // From f32 the units are those of the output, to f32 those of the input. Between integer types mid-grey is rescaled
  // like any value: 128 * 257 = 32896, and 32768 / 257 = 127.5.
  const Row rows[] = {{DType::u8, DType::u8, 128, 0.5},
                      {DType::u16, DType::u16, 32768, 0.5},
                      {DType::f32, DType::f32, 0.5, 0.5},
                      {DType::u8, DType::f32, 128, 0.5},
                      {DType::u16, DType::f32, 32768, 0.5},
                      {DType::f32, DType::u8, 128, 0.5},
                      {DType::f32, DType::u16, 32768, 0.5},
                      {DType::u8, DType::u16, 32896, 128.5},
                      {DType::u16, DType::u8, 32768.0 / 257, 0.5 / 257}};
  for (const Row& row : rows) {
    CAPTURE(std::string(to_string(row.input)));
    CAPTURE(std::string(to_string(row.output)));
    const ValueMap map = make_value_map(OutputMap::offset, row.input, row.output);
    CHECK_FALSE(map.absolute);
    // The ratio 1/257 and its product are each rounded by 2^-53. The test's own arithmetic adds some roundings.
    CHECK(mapped(map, 0) == doctest::Approx(row.middle).epsilon(0x1p-50));
    CHECK(mapped(map, 100) - mapped(map, 0) == doctest::Approx(100 * row.scale).epsilon(0x1p-44));
    CHECK(mapped(map, 0) - mapped(map, -100) == doctest::Approx(100 * row.scale).epsilon(0x1p-44));
  }
  const ValueMap map = make_value_map(OutputMap::offset, DType::u8, DType::u8);
  CHECK(mapped(map, -255) == 0.5);
  CHECK(mapped(map, 254) == 255);
}

TEST_CASE("signed: from the colour of 0 to orange for positive responses and blue for negative ones") {
  for (const auto& [min, max] : {std::pair(-1020.0, 1020.0), {-1020.0, 3.0}, {0.5, 1020.0}}) {
    const auto colour = [&, low = min, high = max](SignedZero zero, double response) {
      std::vector<double> channels;
      for (const ValueMap& map : make_sign_maps(DType::u8, {.min = low, .max = high}, zero))
        channels.push_back(std::clamp(mapped(map, response), 0.0, 255.0));
      return channels;
    };
    for (const auto& [zero, level] :
         {std::pair(SignedZero::white, 255.0), {SignedZero::black, 0.0}, {SignedZero::grey, 127.5}}) {
      CHECK(colour(zero, 1020) == std::vector{255.0, 127.5, 0.0});
      CHECK(colour(zero, -1020) == std::vector{0.0, 127.5, 255.0});
      CHECK(colour(zero, 0) == std::vector{level, level, level});
      CHECK(colour(zero, 510) == std::vector{(255 + level) / 2, (127.5 + level) / 2, level / 2});
      CHECK(colour(zero, -510) == std::vector{level / 2, (127.5 + level) / 2, (255 + level) / 2});
      for (std::size_t c = 0; c < 3; ++c) {
        CHECK(std::nearbyint(colour(zero, 1020)[c]) == kPositiveColour[c]);
        CHECK(std::nearbyint(colour(zero, -1020)[c]) == kNegativeColour[c]);
      }
    }
  }
  constexpr SignedZero kBlack = SignedZero::black;
  CHECK(make_sign_maps(DType::u16, {.min = -2, .max = 1}, kBlack)[2].scale == -65535.0 / 2);
  CHECK(make_sign_maps(DType::u8, {.min = 0, .max = 0}, kBlack)[0].scale == 1);
  CHECK(make_sign_maps(DType::u8, {}, kBlack)[0].scale == 1);  // all responses are NaN
  CHECK_THROWS_AS(make_sign_maps(DType::u8, {.min = 0, .max = std::numeric_limits<double>::infinity()}, kBlack), Error);
}

TEST_CASE("normalize takes the smallest response to 0 and the largest to the full range") {
  ResponseStats measured;
  measured.min = -12;
  measured.max = 52;  // a spread of 64, so that the scale is exact
  const auto top = [](DType input, DType output) {
    if (is_integer(output)) return full_range(output);
    return is_integer(input) ? full_range(input) : 1.0;
  };
  for (const DType input : kTypes)
    for (const DType output : kTypes) {
      CAPTURE(std::string(to_string(input)));
      CAPTURE(std::string(to_string(output)));
      const ValueMap map = make_value_map(OutputMap::normalize, input, output, measured);
      CHECK(mapped(map, -12) == 0);
      CHECK(mapped(map, 52) == doctest::Approx(top(input, output)).epsilon(0x1p-50));  // three roundings
      CHECK(mapped(map, 20) == doctest::Approx(top(input, output) / 2).epsilon(0x1p-50));
      CHECK_FALSE(map.absolute);
    }
}

TEST_CASE("normalize of any spread ends exactly at the full range after rounding") {
  for (const DType output : {DType::u8, DType::u16})
    for (int spread = 1; spread <= 1000; ++spread) {
      ResponseStats measured;
      measured.min = 0.1;
      measured.max = 0.1 + spread * 0.37;
      const ValueMap map = make_value_map(OutputMap::normalize, DType::f32, output, measured);
      REQUIRE(mapped(map, measured.min) == 0);
      REQUIRE(mapped(map, measured.max) > full_range(output) - 0.5);
      REQUIRE(mapped(map, measured.max) < full_range(output) + 0.5);
    }
}

TEST_CASE("normalize of a constant response is 0") {
  ResponseStats measured;
  measured.min = measured.max = 7;
  CHECK(mapped(make_value_map(OutputMap::normalize, DType::u8, DType::u8, measured), 7) == 0);
  CHECK(mapped(make_value_map(OutputMap::normalize, DType::f32, DType::f32, measured), 7) == 0);
}

TEST_CASE("normalize is the identity if all responses are NaN, so that NaN stays NaN") {
  const ValueMap map = make_value_map(OutputMap::normalize, DType::f32, DType::f32, {});
  CHECK(map.shift == 0);
  CHECK(map.scale == 1);
  CHECK(map.offset == 0);
}

TEST_CASE("normalize refuses infinities") {
  ResponseStats measured;
  measured.min = 0;
  measured.max = std::numeric_limits<double>::infinity();
  for (int side = 0; side < 2; ++side) {
    try {
      make_value_map(OutputMap::normalize, DType::f32, DType::u8, measured);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::shape);
      CHECK(std::string(error.what()).find("infinit") != std::string::npos);
      CHECK(std::string(error.what()).find("--map") != std::string::npos);
    }
    measured.min = -std::numeric_limits<double>::infinity();
    measured.max = 1;
  }
}

TEST_CASE("responses above a threshold become the full range, in any units") {
  for (const DType input : kTypes)
    for (const DType output : kTypes) {
      Mapping mapping(OutputMap::abs);
      mapping.threshold = 100.5;
      const ValueMap map = make_value_map(mapping, input, output);
      CHECK(map.absolute);
      CHECK(map.threshold == 100.5);
      CHECK(map.scale == (is_integer(output) ? full_range(output) : 1.0));
    }
  Mapping mapping(OutputMap::offset);
  mapping.threshold = 1;
  CHECK_THROWS_AS(make_value_map(mapping, DType::u8, DType::u8), Error);
}

TEST_CASE("an unresolved map is a bug") {
  CHECK_THROWS_AS(make_value_map(OutputMap::automatic, DType::u8, DType::u8), Error);
}

TEST_CASE("names") {
  CHECK(to_string(OutputMap::automatic) == "auto");
  CHECK(to_string(OutputMap::clip) == "clip");
  CHECK(to_string(OutputMap::abs) == "abs");
  CHECK(to_string(OutputMap::normalize) == "normalize");
  CHECK(to_string(OutputMap::offset) == "offset");
}

}  // namespace
}  // namespace convtool
