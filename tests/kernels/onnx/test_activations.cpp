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
  CHECK(stop_reason({node("Clip", {"x", "six", "zero"}, "y")}, limits) == "its limits are 6 and 0");
  const float infinity = std::numeric_limits<float>::infinity();
  const Nodes infinities = {tensor("least", {}, {-infinity}), tensor("most", {}, {infinity}),
                            tensor("two", {2}, {0, 1})};
  CHECK(stop_reason({node("Max", {"x", "most"}, "y")}, infinities) == "its limits are inf and inf");
  CHECK(stop_reason({node("Min", {"x", "least"}, "y")}, infinities) == "its limits are -inf and -inf");
  CHECK(activated({node("Clip", {"c", "least", "most"}, "y")}, infinities).activation == Activation::none);
  CHECK(stop_reason({node("Clip", {"x", "two"}, "y")}, infinities) == "its min has 2 numbers (expected one)");
  CHECK(activated({node("Max", {"c", "zero"}, "y")}, limits).activation == Activation::relu);
  const Layer least = activated({node("Min", {"six", "c"}, "y")}, limits);
  CHECK(least.activation_numbers.max == 6);
  CHECK(least.activation_numbers.min == -std::numeric_limits<float>::infinity());
  const Layer both = activated({node("Max", {"c", "zero"}, "r"), node("Min", {"r", "six"}, "y")}, limits);
  CHECK(both.activation == Activation::clip);
  CHECK(both.activation_numbers == relu6.activation_numbers);
  CHECK(both.description == "Conv + Max + Min, to 'y'");
  const Layer within = activated({node("Clip", {"c", "zero"}, "r"), node("Max", {"r", "zero"}, "y")}, limits);
  CHECK(within.activation == Activation::relu);
  CHECK(within.activation_numbers == ActivationNumbers{});
  const Layer constant = activated({node("Max", {"c", "six"}, "r"), node("Min", {"r", "zero"}, "y")}, limits);
  CHECK(constant.activation_numbers.min == 0);
  CHECK(constant.activation_numbers.max == 0);
  // What is added later is not clipped by what reads it.
  const Imported kept = import({node("Conv", {"x", "w"}, "c"), node("Relu", {"c"}, "r"), node("Min", {"r", "six"}, "m"),
                                node("Add", {"m", "r"}, "y")},
                               {kWeights, limits[1]});
  REQUIRE(kept.layers.size() == 3);
  CHECK(kept.layers[0].activation == Activation::relu);
  CHECK(kept.layers[1].activation == Activation::clip);
  for (const char* type : {"Max", "Min"}) {
    CHECK(stop_reason({node(type, {"x", "each"}, "y")}, {tensor("each", {3, 1, 1}, {1, 2, 3})}) ==
          "it does not compare its input with one number");
    CHECK(stop_reason({node(type, {"x"}, "y")}) == "it does not compare its input with one number");
  }

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

TEST_CASE("x * clip(x + 3, 0, 6) / 6, in the orders that exporters write it") {
  const Nodes tensors = {kWeights,
                         tensor("3", {}, {3}),
                         tensor("0", {}, {0}),
                         tensor("6", {}, {6}),
                         tensor("sixth", {1}, {1.0F / 6}),
                         tensor("2", {}, {2}),
                         tensor("9", {}, {9}),
                         tensor("-1", {}, {-1}),
                         tensor("-3", {}, {-3}),
                         tensor("-6", {}, {-6}),
                         tensor("-sixth", {}, {-1.0F / 6})};
  const auto parts = [&](const Nodes& nodes) {
    Nodes all = {node("Conv", {"x", "w"}, "c")};
    all.insert(all.end(), nodes.begin(), nodes.end());
    const Imported imported = import(all, tensors);
    return imported.stop == "" && imported.layers.size() == 1 &&
                   imported.layers[0].activation == Activation::hardswish &&
                   imported.layers[0].weights == Floats{1, 2, 3, 4, 5, 6}
               ? imported.layers[0].description
               : "not recognised: " + imported.stop;
  };
  const std::string shifted = node("Add", {"c", "3"}, "a"), clipped = node("Clip", {"a", "0", "6"}, "b");
  CHECK(parts({shifted, clipped, node("Mul", {"c", "b"}, "m"), node("Div", {"m", "6"}, "y")}) ==
        "Conv + Add + Clip + Mul + Div, to 'y'");
  CHECK(parts({shifted, clipped, node("Mul", {"b", "c"}, "m"), node("Mul", {"sixth", "m"}, "y")}) ==
        "Conv + Add + Clip + Mul + Mul, to 'y'");
  CHECK(parts({shifted, clipped, node("Div", {"b", "6"}, "d"), node("Mul", {"c", "d"}, "y")}) ==
        "Conv + Add + Clip + Div + Mul, to 'y'");
  CHECK(parts({node("Add", {"3", "c"}, "a"), node("Max", {"a", "0"}, "e"), node("Min", {"e", "6"}, "b"),
               node("Mul", {"b", "sixth"}, "d"), node("Mul", {"d", "c"}, "y")}) ==
        "Conv + Add + Max + Min + Mul + Mul, to 'y'");
  // relu6 of PyTorch.
  CHECK(parts({shifted, node("Relu", {"a"}, "e"), node("Clip", {"e", "", "6"}, "b"), node("Mul", {"c", "b"}, "m"),
               node("Div", {"m", "6"}, "y")}) == "Conv + Add + Relu + Clip + Mul + Div, to 'y'");
  // Limits that the others make no difference to, a shift after the limits, and -clip(-x - 3, -6, 0).
  CHECK(parts({shifted, node("Min", {"a", "6"}, "e"), node("Clip", {"e", "0", "9"}, "b"), node("Mul", {"c", "b"}, "m"),
               node("Div", {"m", "6"}, "y")}) == "Conv + Add + Min + Clip + Mul + Div, to 'y'");
  CHECK(parts({node("Clip", {"c", "-3", "3"}, "a"), node("Add", {"a", "3"}, "b"), node("Div", {"b", "6"}, "d"),
               node("Mul", {"c", "d"}, "y")}) == "Conv + Clip + Add + Div + Mul, to 'y'");
  CHECK(parts({node("Mul", {"c", "-1"}, "a"), node("Add", {"a", "-3"}, "b"), node("Clip", {"b", "-6", "0"}, "d"),
               node("Mul", {"d", "-sixth"}, "e"), node("Mul", {"c", "e"}, "y")}) ==
        "Conv + Mul + Add + Clip + Mul + Mul, to 'y'");
  // Before opset 11, limits are attributes; and a layer after it.
  CHECK(parts({shifted, node("Clip", {"a"}, "b", {attribute("min", 0.0F), attribute("max", 6.0F)}),
               node("Mul", {"c", "b"}, "m"), node("Div", {"m", "6"}, "d"), node("Identity", {"d"}, "y")}) ==
        "Conv + Add + Clip + Mul + Div, to 'd'");

  // Another shift, limit or factor; a division of the wrong operand; x + clip; and a product with something else.
  const auto is_other = [&](const Nodes& nodes) {
    return parts(nodes).starts_with("not recognised: node 'c' (Conv): ");
  };
  const std::string product = node("Mul", {"c", "b"}, "m"), divided = node("Div", {"m", "6"}, "y");
  CHECK(is_other({node("Add", {"c", "2"}, "a"), clipped, product, divided}));
  CHECK(is_other({shifted, node("Clip", {"a", "0", "3"}, "b"), product, divided}));
  CHECK(is_other({shifted, node("Clip", {"a", "2", "6"}, "b"), product, divided}));
  CHECK(is_other({shifted, clipped, product, node("Div", {"m", "3"}, "y")}));
  CHECK(is_other({shifted, clipped, product, node("Div", {"6", "m"}, "y")}));
  CHECK(is_other({shifted, clipped, product, node("Add", {"m", "6"}, "y")}));
  CHECK(is_other({shifted, clipped, node("Mul", {"c", "b"}, "y")}));
  CHECK(is_other({shifted, clipped, product, node("Clip", {"m", "0", "6"}, "n"), node("Div", {"n", "6"}, "y")}));
  CHECK(is_other({shifted, node("Sigmoid", {"a"}, "b"), node("Mul", {"c", "b"}, "y")}));
  CHECK(is_other({node("HardSigmoid", {"c"}, "b", {attribute("alpha", 1.0F / 6), attribute("beta", 0.4F)}),
                  node("Mul", {"c", "b"}, "y")}));
  CHECK(is_other({shifted, node("Clip", {"a", "0", "6"}, "e"), node("Abs", {"e"}, "b"), product, divided}));
  CHECK(is_other({node("Sigmoid", {"c"}, "a"), clipped, product, divided}));
  // What the nodes between make is read elsewhere, too.
  CHECK(is_other({shifted, clipped, product, node("Div", {"m", "6"}, "d"), node("Add", {"d", "a"}, "y")}));
  CHECK(is_other({shifted, clipped, product, node("Div", {"m", "6"}, "d"), node("Sub", {"d", "m"}, "y")}));
}

TEST_CASE("a gate that cannot be read is refused where its nodes are") {
  const std::string strange = onnx::tensor_of("t", 17, {});
  const Imported imported = import({node("Conv", {"x", "w"}, "c"), node("Add", {"c", "t"}, "a"),
                                    node("Sigmoid", {"a"}, "b"), node("Mul", {"c", "b"}, "y")},
                                   {kWeights, strange});
  CHECK(imported.stop.find("node 'a' (Add): 't' has elements of type 17") != std::string::npos);
}

}  // namespace
}  // namespace convtool
