// The results of PyTorch's nn.Conv2d and SciPy's ndimage.correlate on cases that are exact in float32 (written by
// tests/make_golden.py). Every algorithm must give exactly these values.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "support/convolve.h"

namespace convtool {
namespace {

using Json = nlohmann::json;

Json read_cases(const std::string& name) {
  std::ifstream file(std::string(TEST_DATA_DIR) + "/" + name);
  REQUIRE_MESSAGE(file.good(), name << " is missing");
  return Json::parse(file).at("cases");
}

Shape shape_of(const Json& sizes) { return {sizes.at(0), sizes.at(1), sizes.at(2), sizes.at(3)}; }

std::vector<double> divided(const Json& integers, double by) {
  std::vector<double> values;
  for (const Json& integer : integers) values.push_back(integer.get<double>() / by);
  return values;
}

DType dtype_named(const std::string& name) {
  return name == "u8" ? DType::u8 : name == "u16" ? DType::u16 : DType::f32;
}

Padding padding_of(const Json& padding) {
  if (padding == "same") return {Padding::Rule::same, {}};
  if (padding == "valid") return {};
  return {Padding::Rule::fixed, {padding.at(0), padding.at(1), padding.at(2), padding.at(3)}};
}

ConvParams params_of(const Json& c) {
  const auto mode = std::find(std::begin(kPaddingModes), std::end(kPaddingModes), c.at("mode").get<std::string>());
  REQUIRE(mode != std::end(kPaddingModes));
  return {.stride = {c.at("stride").at(0), c.at("stride").at(1)},
          .dilation = {c.at("dilation").at(0), c.at("dilation").at(1)},
          .padding = padding_of(c.at("padding")),
          .padding_mode = static_cast<PaddingMode>(mode - std::begin(kPaddingModes)),
          .padding_value = c.at("value"),
          .groups = c.at("groups")};
}

Kernel kernel_of_case(const Json& c, double over) {
  const Shape w = shape_of(c.at("w_shape"));
  const std::vector<double> weights = divided(c.at("w"), over);
  Kernel kernel = kernel_of({w.n, w.c, w.h, w.w}, std::vector<float>(weights.begin(), weights.end()));
  if (!c.at("bias").is_null()) {
    const std::vector<double> bias = divided(c.at("bias"), over * over);
    kernel.bias.assign(bias.begin(), bias.end());
  }
  return kernel;
}

/// How many cases each algorithm solved.
std::map<std::string, int> check_file(const std::string& name) {
  std::map<std::string, int> solved;
  int index = 0;
  for (const Json& c : read_cases(name)) {
    const double over = c.at("over");
    const Tensor input = tensor_of(dtype_named(c.at("dtype")), shape_of(c.at("x_shape")), divided(c.at("x"), over));
    const Kernel kernel = kernel_of_case(c, over);
    const ConvProblem problem = make_problem(input.dtype(), input.shape(), kernel.shape, params_of(c));
    const std::vector<double> expected = divided(c.at("y"), over * over);

    const std::string line =
        name + " case " + std::to_string(index++) + ", " + c.at("tool").get<std::string>() + ": " + to_string(problem);
    CAPTURE(line);
    REQUIRE(output_shape(problem) == shape_of(c.at("y_shape")));
    for (const std::string_view algorithm : algorithm_names()) {
      CAPTURE(std::string(algorithm));
      std::vector<double> got;
      try {
        got = values_of(convolve_exactly(input.ref(), kernel, params_of(c), algorithm, 1 / (over * over)).ref());
      } catch (const Error& error) {
        CHECK(std::string(error.what()).find("does not apply here") != std::string::npos);
        continue;
      }
      ++solved[std::string(algorithm)];
      if (got == expected) continue;
      const auto [a, b] = std::mismatch(got.begin(), got.end(), expected.begin());
      FAIL_CHECK("value " << a - got.begin() << " of " << got.size() << ": expected " << *b << ", got " << *a);
    }
  }
  for (const auto& [algorithm, count] : solved)
    MESSAGE(name << ": " << algorithm << " solved " << count << " of " << index);
  return solved;
}

TEST_CASE("PyTorch's nn.Conv2d") {
  auto solved = check_file("golden-conv2d.json");
  // All 198 cases. The file's cases at stride 1 are 131, and more than half are depthwise or of one channel; 4 are u8
  // at stride and dilation 1.
  CHECK(solved["reference"] == 198);
  for (const char* algorithm : {"direct", "rows", "packed"}) CHECK(solved[algorithm] == 198);
  CHECK(solved["fft"] >= 130);
  CHECK(solved["depthwise"] >= 100);
  CHECK(solved["integer"] >= 4);
}

TEST_CASE("SciPy's ndimage.correlate at every border") {
  auto solved = check_file("golden-borders.json");
  // All 99 cases, which have one channel and stride 1; 5 are u8.
  for (const char* algorithm : {"reference", "direct", "rows", "packed", "depthwise", "fft"}) {
    CAPTURE(algorithm);
    CHECK(solved[algorithm] == 99);
  }
  CHECK(solved["integer"] >= 5);
}

}  // namespace
}  // namespace convtool
