// Activations of ONNX models.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/onnx/imported.h"

namespace convtool {
namespace {

using namespace testing;

TEST_CASE("activations belong to the layer before them") {
  const auto activated = [](const Nodes& nodes, const Nodes& tensors = {}) {
    Nodes all = {node("Conv", {"x", "w"}, "c")}, constants = {kWeights};
    all.insert(all.end(), nodes.begin(), nodes.end());
    constants.insert(constants.end(), tensors.begin(), tensors.end());
    return imported_layer(all, constants);
  };
  const auto simple = [&](const std::string& type) { return activated({node(type, {"c"}, "y")}).activation; };
  CHECK(simple("Relu") == Activation::relu);
  CHECK(simple("Abs") == Activation::abs);
  CHECK(simple("Sigmoid") == Activation::sigmoid);
  CHECK(simple("Tanh") == Activation::tanh);
  CHECK(simple("HardSwish") == Activation::hardswish);
  CHECK(simple("Swish") == Activation::silu);
  CHECK(simple("LeakyRelu") == Activation::leaky_relu);
  CHECK(activated({node("LeakyRelu", {"c"}, "y")}).activation_numbers.slope == 0.01F);
  CHECK(activated({node("LeakyRelu", {"c"}, "y", {attribute("alpha", 0.3F)})}).activation_numbers.slope == 0.3F);
  const Layer prelu = activated({node("PRelu", {"c", "s"}, "y")}, {tensor("s", {2, 1, 1}, {0.5, 0.5})});
  CHECK(prelu.activation == Activation::leaky_relu);
  CHECK(prelu.activation_numbers.slope == 0.5F);
  CHECK(stop_reason({node("PRelu", {"x", "s"}, "y")}, {tensor("s", {2, 1, 1}, {0.5, 1})}) ==
        "its channels have different slopes");

  const Nodes limits = {tensor("zero", {}, {0}), tensor("six", {}, {6})};
  CHECK(activated({node("Clip", {"c", "zero"}, "y")}, limits).activation == Activation::relu);
  CHECK(activated({node("Clip", {"c"}, "y")}, limits).activation == Activation::none);
  const Layer relu6 = activated({node("Clip", {"c", "zero", "six"}, "y")}, limits);
  CHECK(relu6.activation == Activation::clip);
  CHECK(relu6.activation_numbers.min == 0);
  CHECK(relu6.activation_numbers.max == 6);
  const Layer below = activated({node("Clip", {"c"}, "y", {attribute("max", 6.0F)})});  // before opset 11
  CHECK(below.activation_numbers.min == -std::numeric_limits<float>::infinity());
  CHECK(below.activation_numbers.max == 6);
  CHECK(stop_reason({node("Clip", {"x", "six", "zero"}, "y")}, limits) == "it clips to 6 to 0");

  const Layer hard = activated({node("HardSigmoid", {"c"}, "y", {attribute("alpha", 0.5F)})});
  CHECK(hard.weights == Floats{0.5, 1, 1.5, 2, 2.5, 3});
  CHECK(hard.bias == Floats{0.5, 0.5});
  CHECK(hard.activation == Activation::clip);
  CHECK(hard.activation_numbers.max == 1);

  const Layer alone = imported_layer({node("Relu", {"x"}, "y")});
  CHECK(alone.rank == 2);
  CHECK(alone.weights == Floats{1});
  CHECK(alone.activation == Activation::relu);
  CHECK(import({node("Conv", {"x", "w"}, "c"), node("Abs", {"c"}, "a"), node("Relu", {"a"}, "y")}, {kWeights})
            .layers.size() == 2);
}

TEST_CASE("a product with a sigmoid is an activation") {
  const auto gated = [](const std::string& gate, const Nodes& operands) {
    return import({node("Conv", {"x", "w"}, "c"), gate, node("Mul", operands, "y")}, {kWeights});
  };
  const std::string sigmoid = node("Sigmoid", {"c"}, "s");
  for (const Nodes& operands : {Nodes{"c", "s"}, Nodes{"s", "c"}}) {
    const Imported silu = gated(sigmoid, operands);
    CHECK(silu.stop == "");
    REQUIRE(silu.layers.size() == 1);
    CHECK(silu.layers[0].activation == Activation::silu);
    CHECK(silu.layers[0].description == "Conv + Sigmoid + Mul, to 'y'");
  }
  const Imported hard = gated(node("HardSigmoid", {"c"}, "s", {attribute("alpha", 1.0F / 6)}), {"c", "s"});
  REQUIRE(hard.layers.size() == 1);
  CHECK(hard.layers[0].activation == Activation::hardswish);
  CHECK(gated(node("HardSigmoid", {"c"}, "s"), {"c", "s"}).stop.find("2 nodes read its output") != std::string::npos);
  CHECK(gated(node("Tanh", {"c"}, "s"), {"c", "s"}).stop.find("2 nodes read its output") != std::string::npos);
  CHECK(gated(sigmoid, {"s", "s"}).layers.front().activation == Activation::sigmoid);
}

}  // namespace
}  // namespace convtool
