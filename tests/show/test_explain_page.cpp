// The data of a page. What a browser makes of them is tested in browser/test_explain.mjs.
#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/layers.h"
#include "pictures/decode_image.h"
#include "show/explain/traces.h"
#include "show/explain_page.h"
#include "support/error_text.h"

namespace convtool {
namespace {

using testing::error_text;

nlohmann::json data_of(const std::string& page) {
  const std::string opening = R"(<script type="application/json" id="data">)";
  const std::size_t begin = page.find(opening) + opening.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

/// The bytes of a Base64 text without errors (RFC 4648).
Bytes decoded(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Bytes bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::byte>(bits >> count));
  }
  return bytes;
}

Tensor ramp(const Shape& shape) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < shape.count(); ++i) values.push_back(static_cast<float>(i % 1000));
  return tensor_of(shape, values);
}

Trace with_bounds(Trace trace, std::vector<double> bounds) {
  trace.numbers->error_bounds = std::move(bounds);
  return trace;
}

}  // namespace

TEST_CASE("a page holds the input, the layers, the result and the engine's bound") {
  ConvParams params;
  params.padding = {Padding::Rule::same, {}};
  params.padding_mode = PaddingMode::reflect;
  const TraceOf run(network_of({bank_of({plane(1, 2, {0.1F, -2}, params)})}), ramp({.c = 1, .h = 2, .w = 3}), true);
  const nlohmann::json data = data_of(explain_page(with_bounds(run.trace, {0.25}), {0, 1, 2}));
  CHECK(data["input"]["values"]["numbers"] == nlohmann::json({0, 1, 2, 3, 4, 5}));
  CHECK(data["input"]["region"] == nlohmann::json({0, 0, 2, 3}));
  CHECK_FALSE(data["input"].contains("overview"));
  CHECK(data["at"] == nlohmann::json({1, 2}));
  CHECK(data["flip"] == true);
  const nlohmann::json& layer = data["steps"][0]["layers"][0];
  CHECK(layer["weight"]["numbers"] == nlohmann::json({0.1, -2}));  // as the user wrote them: the page flips
  CHECK(layer["padding"]["rule"] == "same");
  CHECK(layer["padding_mode"] == "reflect");
  CHECK(data["result"]["stored"]["numbers"].size() == 6);
  CHECK(data["result"]["error_bound"] == 0.25);
}

TEST_CASE("errors of a layer grow by the weights of those after it") {
  const Network network = network_of({bank_of({plane(1, 1, {1})}), bank_of({plane(1, 2, {3, -4})})});
  const TraceOf run(network, ramp({.c = 1, .h = 1, .w = 5}));
  const nlohmann::json data = data_of(explain_page(with_bounds(run.trace, {0.5, 0.125}), {0, 0, 0}));
  CHECK(data["result"]["error_bound"] == 0.5 * 7 + 0.125);
  CHECK(data["steps"].size() == 2);
}

TEST_CASE("numbers that JSON has no words for are written as bytes") {
  const float inf = std::numeric_limits<float>::infinity();
  const TraceOf run(network_of({bank_of({plane(1, 1, {1})})}), tensor_of({.c = 1, .h = 1, .w = 2}, {1, inf}));
  const nlohmann::json data = data_of(explain_page(with_bounds(run.trace, {0}), {0, 0, 0}));
  CHECK(data["input"]["values"]["f32"] == "AACAPwAAgH8=");  // 1 and infinity, little-endian
}

TEST_CASE("of a large input the page has the part around the output") {
  const TraceOf run(network_of({bank_of({plane(3, 3, std::vector<float>(9, 1))})}), ramp({.c = 1, .h = 700, .w = 900}));
  const Trace trace = with_bounds(run.trace, {0});
  for (const auto& [at, region] :
       std::vector<std::pair<Pixel, std::vector<int>>>{{{0, 0, 0}, {0, 0, 384, 384}},
                                                       {{0, 697, 897}, {316, 516, 384, 384}},
                                                       {{0, 300, 400}, {109, 209, 384, 384}}}) {
    const std::string page = explain_page(trace, at);
    CHECK(page.size() < 3'000'000);
    const nlohmann::json data = data_of(page);
    CHECK(data["input"]["region"] == region);
    CHECK(data["result"]["region"] == nlohmann::json({region[0], region[1], 382, 382}));
    CHECK(data["input"]["overview"].get<std::string>().starts_with("data:image/png;base64,"));
  }
}

TEST_CASE("the overview of a float tensor goes from its least to its largest finite value") {
  Tensor values(DType::f32, {.c = 1, .h = 400, .w = 400});
  for (std::int64_t i = 0; i < 400 * 400; ++i)
    values.data<float>()[i] = i % 400 < 100 ? -2.0F : i % 400 < 200 ? 6.0F : 2.0F;
  values.data<float>()[0] = std::numeric_limits<float>::infinity();
  values.data<float>()[1] = std::numeric_limits<float>::quiet_NaN();
  const TraceOf run(network_of({bank_of({plane(1, 1, {1})})}), std::move(values));
  const std::string address = data_of(explain_page(with_bounds(run.trace, {0}), {0, 0, 0}))["input"]["overview"];
  const Bytes png = decoded(std::string_view(address).substr(address.find(',') + 1));
  const Image picture = decode_image(png, 1 << 20);
  const auto pixels = picture.all().view<std::uint8_t>();
  REQUIRE(pixels.shape == Shape{1, 1, 400, 400});
  CHECK(pixels.at(0, 0, 200, 50) == 0);
  CHECK(pixels.at(0, 0, 200, 150) == 255);
  CHECK(pixels.at(0, 0, 200, 300) == 128);  // 127.5 is rounded up
  CHECK(pixels.at(0, 0, 0, 0) == 255);      // infinity
  CHECK(pixels.at(0, 0, 0, 1) == 0);        // NaN
}

TEST_CASE("the page knows whether the map is automatic") {
  const TraceOf run(network_of({bank_of({plane(1, 2, {1, -1})})}), digits());
  Trace trace = with_bounds(run.trace, {0});
  CHECK(data_of(explain_page(trace, {}))["result"]["automatic"] == false);
  trace.numbers->map_is_automatic = true;
  const nlohmann::json data = data_of(explain_page(trace, {}));
  CHECK(data["result"]["automatic"] == true);
  CHECK(data["result"]["rescale"] == 1);
}

TEST_CASE("what is too large for a page is refused") {
  const Network many = network_of({bank_of({plane(700, 700, std::vector<float>(490'000, 1))})});
  CHECK(error_text(ErrorKind::shape, [&] { explain_page(shape_trace(many, {.c = 1, .h = 700, .w = 700}), {}); }) ==
        "shape: the kernels have 490000 weights, and a page holds at most 400000; see the text of one output (leave "
        "out -o)");

  // Layers without weights may be of any size.
  Layer outline = plane(700, 700, {});
  outline.outline = Outline::kernel;
  const Trace sizes = shape_trace(network_of({bank_of({outline})}), {.c = 1, .h = 700, .w = 700});
  CHECK(data_of(explain_page(sizes, {}))["steps"].size() == 1);

  ConvParams wide;
  wide.dilation = {700, 700};
  const TraceOf run(network_of({bank_of({plane(2, 2, {1, 1, 1, 1}, wide)})}), ramp({.c = 1, .h = 800, .w = 800}));
  CHECK(error_text(ErrorKind::shape,
                   [&] {
                     explain_page(with_bounds(run.trace, {0}), {0, 0, 0});
                   }) ==
        "x: an output depends on 701x701 positions of the input, too many for a page; see the text of one output "
        "(leave out "
        "-o)");
}

TEST_CASE("a shape has sizes alone") {
  const nlohmann::json data =
      data_of(explain_page(shape_trace(network_of({bank_of({plane(1, 2, {1, 2})})}), {.c = 1, .h = 5, .w = 5}), {}));
  CHECK(data["input"]["shape"] == nlohmann::json({1, 5, 5}));
  CHECK_FALSE(data["input"].contains("values"));
  CHECK_FALSE(data.contains("result"));
}

}  // namespace convtool
