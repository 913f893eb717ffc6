// The results of PyTorch's layers that are not convolutions, on random cases (written by tests/make_golden_layers.py),
// as kernel files run them.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/files/kernel_json.h"
#include "network/network_plan.h"
#include "support/convolve.h"

namespace convtool {
namespace {

using Json = nlohmann::json;

Shape shape_of(const Json& sizes) { return {sizes.at(0), sizes.at(1), sizes.at(2), sizes.at(3)}; }

/// pixels() of the script.
Tensor pixels_of(std::uint64_t seed, const Shape& shape) {
  return filled(DType::f32, shape, [state = seed]() mutable {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (static_cast<double>((state >> 33) % 129) - 64) / 16;
  });
}

std::vector<float> decoded(const std::string& base64, std::int64_t count) {
  const auto value_of = [](char letter) -> std::uint32_t {
    if (letter >= 'A' && letter <= 'Z') return static_cast<std::uint32_t>(letter - 'A');
    if (letter >= 'a' && letter <= 'z') return static_cast<std::uint32_t>(letter - 'a' + 26);
    if (letter >= '0' && letter <= '9') return static_cast<std::uint32_t>(letter - '0' + 52);
    return letter == '+' ? 62 : letter == '/' ? 63 : 0;
  };
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 4 <= base64.size(); i += 4) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 4; ++k) bits = bits << 6 | value_of(base64[i + k]);
    for (const int shift : {16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(bits >> shift));
  }
  std::vector<float> values(static_cast<std::size_t>(count));
  REQUIRE(bytes.size() >= values.size() * sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

/// The most by which a value of each kind may differ from PyTorch's, in units of 2^-24.
struct Bound {
  double of_value = 0;      ///< times the absolute value
  double of_magnitude = 0;  ///< times the magnitude of the case
};

Bound bound_of(const std::string& kind) {
  static const std::map<std::string, Bound> kBounds = {
      // The argument is exact, and the activation within 2^-50 of PyTorch's (conv/activation.h). Rounding both to float
      // may separate them by one float: 2^-23 of the value.
      {"leaky_relu", {2, 0}},
      {"clip", {0, 0}},
      {"relu6", {0, 0}},
      {"sigmoid", {2, 0}},
      {"tanh", {2, 0}},
      {"silu", {2, 0}},
      {"hardswish", {2, 0}},
      // Factor, offset, product and sum are each rounded, the last twice (here and in the file).
      {"batch_norm", {2, 3}},
      // No arithmetic.
      {"max_pool", {0, 0}},
      {"unequal_max_pool", {0, 0}},
      {"global_max_pool", {0, 0}},
      {"nearest", {0, 0}},
      // Exact sums of multiples of 1/16, divided once in double.
      {"mean_pool", {2, 0}},
      {"unequal_mean_pool", {2, 0}},
      {"uncounted_mean_pool", {2, 0}},
      {"global_mean_pool", {2, 0}},
      // Exact sums of whole weights, divided once; PyTorch's double rounds four times, by 2^-53 of the largest pixel,
      // which
      // is at most the magnitude.
      {"bilinear", {2, 0x1p-26}},
      // Products of multiples of 1/16 below 2^24 of 1/256: exact.
      {"transposed", {0, 0}},
      // Sums of the first layer are exact: below 2^24 / 256. The two layers after it sum at most 45 products each in
      // float, and two additions follow; each step errs by 2^-24 of what it adds up.
      {"sum", {0, 45 + 45 + 2}},
  };
  return kBounds.at(kind);
}

void check_case(const Json& c) {
  const Tensor input = pixels_of(c.at("seed"), shape_of(c.at("x_shape")));
  const Network network = parse_kernel_json(c.at("kernel").dump(), "golden", "golden");
  const NetworkPlan plan(network, DType::f32, input.shape(), false, {});
  REQUIRE(plan.output_shape() == shape_of(c.at("y_shape")));
  const std::vector<float> expected = decoded(c.at("y"), plan.output_shape().count());
  const Bound bound = bound_of(c.at("kind"));
  for (const bool interleaved : {false, true}) {
    CAPTURE(interleaved);
    Tensor copy(DType::f32, input.shape()), output(DType::f32, plan.output_shape());
    const TensorRef in = interleaved ? channels_last(copy) : copy.ref();
    const TensorRef out = interleaved ? channels_last(output) : output.ref();
    identity_plan(DType::f32, input.shape(), {}).run(input.ref(), in, {});
    plan.run(in, out, OutputMap::clip);
    const std::vector<double> got = values_of(out);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const auto value = static_cast<double>(expected[i]);
      const double slack =
          0x1p-24 * (bound.of_value * std::fabs(value) + bound.of_magnitude * c.at("magnitude").get<double>());
      if (got[i] == value || std::fabs(got[i] - value) <= slack) continue;
      if (wrong++ > 0) continue;
      CAPTURE(i);
      CAPTURE(slack);
      CHECK(got[i] == value);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("PyTorch's layers") {
  std::ifstream file(std::string(TEST_DATA_DIR) + "/golden-layers.json");
  REQUIRE(file.good());
  std::map<std::string, int> counts;
  const Json cases = Json::parse(file).at("cases");
  for (const Json& c : cases) {
    const std::string line = c.at("kernel").dump() + " on " + c.at("x_shape").dump();
    CAPTURE(line);
    ++counts[c.at("kind").get<std::string>()];
    check_case(c);
  }
  for (const auto& kind : counts) {
    CAPTURE(kind.first);
    CHECK(kind.second == 50);
  }
  CHECK(counts.size() == 19);
}

}  // namespace
}  // namespace convtool
