// The activations of kernel files.
#include <doctest/doctest.h>

#include <string>

#include "kernels/files/kernel_json.h"
#include "kernels/files/kernel_writer.h"

namespace convtool {
namespace {

Layer layer_with(const std::string& activation) {
  const std::string text = R"({"weight": [[1]], "activation": )" + activation + "}";
  return parse_kernel_json(text, "k.json", "k").banks.at(0).layers.at(0);
}

std::string activation_refusal(const std::string& activation) {
  try {
    layer_with(activation);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kernel);
    return error.what();
  }
  return "";
}

TEST_CASE("an activation is a name, or an object with its numbers") {
  for (std::size_t i = 0; i < std::size(kActivations); ++i)
    if (static_cast<Activation>(i) != Activation::clip)
      CHECK(layer_with('"' + std::string(kActivations[i]) + '"').activation == static_cast<Activation>(i));
  CHECK(layer_with(R"("leaky_relu")").activation_numbers.slope == 0.01F);
  CHECK(layer_with(R"({"leaky_relu": {"slope": 0.2}})").activation_numbers.slope == 0.2F);
  CHECK(layer_with(R"({"tanh": {}})").activation == Activation::tanh);
  const Layer both = layer_with(R"({"clip": {"min": -1, "max": 2.5}})");
  CHECK(both.activation == Activation::clip);
  CHECK(both.activation_numbers.min == -1);
  CHECK(both.activation_numbers.max == 2.5F);
  CHECK(layer_with(R"({"clip": {"min": 3}})").activation_numbers.max == ActivationNumbers{}.max);
  CHECK((layer_with(R"("relu6")") == layer_with(R"({"clip": {"min": 0, "max": 6}})")));
}

TEST_CASE("activations that are refused") {
  CHECK(activation_refusal(R"("clip")").find("k.json: /activation: clip without an end") == 0);
  CHECK(activation_refusal(R"({"clip": {}})").find("k.json: /activation: clip without an end") == 0);
  CHECK(activation_refusal(R"({"clip": {"min": 2, "max": 1}})").find("k.json: /activation/clip: min is above max") ==
        0);
  CHECK(activation_refusal(R"({"clip": {"low": 2}})").find("k.json: /activation/clip/low: unknown key") == 0);
  CHECK(activation_refusal(R"({"tanh": {"slope": 2}})").find("k.json: /activation/tanh: has no numbers") == 0);
  CHECK(activation_refusal(R"({"leaky_relu": 0.2})")
            .find("k.json: /activation/leaky_relu: the number 0.2 (expected an object") == 0);
  CHECK(activation_refusal(R"({"relu": {}, "abs": {}})").find("k.json: /activation: an object with 2 keys") == 0);
  CHECK(activation_refusal(R"({})").find("k.json: /activation: an object with 0 keys") == 0);
  CHECK(activation_refusal(R"({"leaky": {}})")
            .find("k.json: /activation: the string 'leaky' (expected one of none, relu") == 0);
  CHECK(activation_refusal("3").find("k.json: /activation: the number 3 (expected one of none, relu") == 0);
  CHECK(activation_refusal(R"("ReLU")").ends_with("; did you mean 'relu'?"));
  CHECK(activation_refusal(R"("swish")").ends_with("; did you mean 'silu'?"));
  CHECK(activation_refusal(R"({"lrelu": {"slope": 0.2}})").ends_with("; did you mean 'leaky_relu'?"));
  for (const char* foreign : {R"("gelu")", R"("PReLU")", R"("elu")", R"("softplus")"})
    CHECK(activation_refusal(foreign).ends_with(
        "(expected one of none, relu, abs, leaky_relu, clip, sigmoid, tanh, silu, hardswish, relu6); convtool does not "
        "compute it"));
  CHECK(activation_refusal(R"({"clip": {"min": null}})").find("k.json: /activation/clip/min:") == 0);
}

TEST_CASE("activations are written as they are read") {
  for (const char* activation : {R"("silu")", R"({"leaky_relu": {"slope": 0.2}})", R"({"clip": {"min": 0, "max": 6}})",
                                 R"({"clip": {"min": -0.1}})", R"({"clip": {"max": 1e+30}})"}) {
    CAPTURE(activation);
    const Network network =
        parse_kernel_json(R"({"weight": [[1]], "activation": )" + std::string(activation) + "}", "k.json", "k");
    const std::string written = format_kernel_json(network);
    CHECK(written.find("\"activation\": " + std::string(activation)) != std::string::npos);
    CHECK((parse_kernel_json(written, "again.json", "again") == network));
  }
}

}  // namespace
}  // namespace convtool
