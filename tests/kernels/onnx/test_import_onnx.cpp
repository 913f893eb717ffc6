// ONNX models as networks: every operator that is imported, and the reasons of those that are not.
#include <doctest/doctest.h>

#include <cmath>

#include "core/error.h"
#include "kernels/onnx/import_onnx.h"
#include "support/onnx.h"
#include "support/program.h"

namespace convtool {
namespace {

using onnx::attribute;
using onnx::integers;
using onnx::node;
using onnx::Sizes;
using onnx::tensor;
using Nodes = std::vector<std::string>;
using Floats = std::vector<float>;

/// Weights of 2 outputs and 3 inputs of 1x1, called w.
const std::string kWeights = tensor("w", {2, 3, 1, 1}, {1, 2, 3, 4, 5, 6});

struct Imported {
  std::vector<Layer> layers;
  std::string stop;  ///< "" at the end of the model
  std::int64_t channels = 0;
};

Imported import(const std::string& model, const std::optional<std::string>& until = {}) {
  const TempFolder folder;
  const OnnxFile file(folder.write("m.onnx", model));
  const OnnxImport result = import_onnx(file, until);
  Imported imported{.layers = {}, .stop = result.stop.value_or(""), .channels = result.channels};
  for (const Bank& bank : result.network.banks) {
    REQUIRE(bank.layers.size() == 1);
    imported.layers.push_back(bank.layers.front());
  }
  return imported;
}

Imported import(const Nodes& nodes, const Nodes& tensors = {}, const Sizes& dims = {-1, 3, -1, -1}) {
  return import(onnx::model(nodes, tensors, dims));
}

/// The layer of a model that is imported as one, to its end.
Layer only_layer(const Nodes& nodes, const Nodes& tensors = {}, const Sizes& dims = {-1, 3, -1, -1}) {
  const Imported imported = import(nodes, tensors, dims);
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 1);
  return imported.layers.front();
}

/// Why the last of the nodes is not imported.
std::string reason(const Nodes& nodes, const Nodes& tensors = {}) {
  const std::string stop = import(nodes, tensors).stop;
  const std::size_t colon = stop.find("): ");
  return colon == std::string::npos ? stop : stop.substr(colon + 3);
}

TEST_CASE("a convolution with all its attributes") {
  const Layer layer = only_layer(
      {node("Conv", {"x", "conv1.weight", "b"}, "y",
            {attribute("kernel_shape", Sizes{1, 2}), attribute("strides", Sizes{2, 3}),
             attribute("dilations", Sizes{4, 5}), attribute("pads", Sizes{1, 2, 3, 4}),
             attribute("group", std::int64_t{2})})},
      {tensor("conv1.weight", {2, 2, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), tensor("b", {2}, {9, 10})}, {-1, 4, -1, -1});
  CHECK(layer.name == "conv1");
  CHECK(layer.description == "Conv, to 'y'");
  CHECK(layer.rank == 4);
  CHECK(layer.shape == KernelShape{2, 2, 1, 2});
  CHECK(layer.weights == Floats{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(layer.bias == Floats{9, 10});
  CHECK(layer.params.stride == Extent{2, 3});
  CHECK(layer.params.dilation == Extent{4, 5});
  CHECK(layer.params.padding.pads == Pads{1, 2, 3, 4});
  CHECK(layer.params.groups == 2);
}

TEST_CASE("auto_pad") {
  const auto padding = [](const std::string& word) {
    return only_layer(
               {node("Conv", {"x", "w"}, "y", {attribute("auto_pad", word), attribute("pads", Sizes{1, 1, 1, 1})})},
               {kWeights})
        .params.padding;
  };
  CHECK(padding("NOTSET").pads == Pads{1, 1, 1, 1});
  CHECK(padding("VALID") == Padding{});
  CHECK(padding("SAME_UPPER").rule == Padding::Rule::same);
  CHECK(padding("SAME_LOWER").rule == Padding::Rule::same_lower);
  CHECK(reason({node("Conv", {"x", "w"}, "y", {attribute("auto_pad", "SAME")})}, {kWeights}) ==
        "its auto_pad is 'SAME'");
}

TEST_CASE("batch normalisation becomes a part of the convolution before it, in double") {
  const Floats gamma{0.3F, -2}, beta{0.1F, 7}, mean{0.7F, -3}, variance{0.9F, 0.01F}, bias{0.2F, 5};
  const float epsilon = 0.001F;
  const Nodes statistics = {tensor("g", {2}, gamma), tensor("b", {2}, beta), tensor("m", {2}, mean),
                            tensor("v", {2}, variance)};
  const std::string norm = node("BatchNormalization", {"c", "g", "b", "m", "v"}, "y", {attribute("epsilon", epsilon)});
  for (const bool has_bias : {false, true}) {
    Nodes tensors = statistics;
    tensors.insert(tensors.end(), {kWeights, tensor("bias", {2}, bias)});
    const Layer layer =
        only_layer({node("Conv", has_bias ? Nodes{"x", "w", "bias"} : Nodes{"x", "w"}, "c"), norm}, tensors);
    CHECK(layer.description == "Conv + BatchNormalization, to 'y'");
    for (std::size_t o = 0; o < 2; ++o) {
      const double scale = gamma[o] / std::sqrt(static_cast<double>(variance[o]) + static_cast<double>(epsilon));
      for (std::size_t i = 0; i < 3; ++i)
        CHECK(layer.weights[o * 3 + i] == static_cast<float>(static_cast<double>(o * 3 + i + 1) * scale));
      const double shift = beta[o] - static_cast<double>(mean[o]) * scale;
      CHECK(layer.bias[o] == static_cast<float>((has_bias ? static_cast<double>(bias[o]) : 0.0) * scale + shift));
    }
  }
  // Alone, it is a depthwise convolution of 1x1.
  const Layer alone =
      only_layer({node("BatchNormalization", {"x", "g", "b", "m", "v"}, "y")}, statistics, {-1, 2, -1, -1});
  CHECK(alone.params.groups == 2);
  CHECK(alone.shape == KernelShape{2, 1, 1, 1});
  CHECK(alone.weights[1] ==
        static_cast<float>(-2 / std::sqrt(static_cast<double>(0.01F) + static_cast<double>(1e-5F))));
  // After an activation it is no part of the convolution.
  Nodes tensors = statistics;
  tensors.push_back(kWeights);
  const Imported after = import({node("Conv", {"x", "w"}, "r"), node("Relu", {"r"}, "c"), norm}, tensors);
  REQUIRE(after.layers.size() == 2);
  CHECK(after.layers[0].activation == Activation::relu);
  CHECK(after.layers[0].weights == Floats{1, 2, 3, 4, 5, 6});

  CHECK(reason({node("BatchNormalization", {"x", "g", "b", "m", "v"}, "y")}, statistics) ==
        "it takes 2 channels, and its input has 3");
  CHECK(reason({node("BatchNormalization", {"x", "g", "b", "m"}, "y")}, statistics) == "it has no variance");
  CHECK(reason(
            {node("BatchNormalization", {"x", "g", "b", "m", "v"}, "y", {attribute("training_mode", std::int64_t{1})})},
            statistics)
            .find("training mode") != std::string::npos);
  CHECK(reason({node("Conv", {"x", "w"}, "c"), node("BatchNormalization", {"c", "g", "b", "m", "n"}, "y")},
               {kWeights, statistics[0], statistics[1], statistics[2], tensor("n", {2}, {-1, 1})}) ==
        "the weights that it scales contain NaN, infinity or a number beyond float32");
}

TEST_CASE("scaling by constants, on either side") {
  const Nodes tensors = {kWeights, tensor("two", {}, {2}), tensor("each", {1, 2, 1, 1}, {2, 4}),
                         tensor("rows", {1, 1, 2, 1}, {1, 2})};
  const auto scaled = [&](const std::string& type, const Nodes& operands) {
    return only_layer({node("Conv", {"x", "w"}, "c"), node(type, operands, "y")}, tensors);
  };
  CHECK(scaled("Mul", {"c", "two"}).weights == Floats{2, 4, 6, 8, 10, 12});
  CHECK(scaled("Mul", {"each", "c"}).weights == Floats{2, 4, 6, 16, 20, 24});
  CHECK(scaled("Div", {"c", "each"}).weights == Floats{0.5, 1, 1.5, 1, 1.25, 1.5});
  CHECK(scaled("Add", {"c", "each"}).bias == Floats{2, 4});
  CHECK(scaled("Sub", {"c", "two"}).bias == Floats{-2, -2});
  CHECK(scaled("Sub", {"each", "c"}).bias == Floats{2, 4});
  CHECK(scaled("Sub", {"each", "c"}).weights == Floats{-1, -2, -3, -4, -5, -6});
  const auto refused = [&](const std::string& type, const Nodes& operands) {
    return reason({node("Conv", {"x", "w"}, "c"), node(type, operands, "y")}, tensors);
  };
  CHECK(refused("Div", {"two", "c"}) == "it divides by the input of the model");
  CHECK(refused("Add", {"c", "rows"}).find("its constant has the shape [1, 1, 2, 1]") == 0);
  CHECK(refused("Add", {"c"}).find("1 operand") != std::string::npos);

  // Before a convolution the scale is a layer of its own: the border of the convolution is not scaled.
  const Imported before = import({node("Sub", {"x", "half"}, "s"), node("Div", {"s", "two"}, "d"),
                                  node("Conv", {"d", "w"}, "y", {attribute("pads", Sizes{1, 1, 1, 1})})},
                                 {kWeights, tensors[1], tensor("half", {3, 1, 1}, {0.5, 1, 2})});
  CHECK(before.stop == "");
  REQUIRE(before.layers.size() == 2);
  CHECK(before.layers[0].weights == Floats{0.5, 0.5, 0.5});
  CHECK(before.layers[0].bias == Floats{-0.25, -0.5, -1});
  CHECK(before.layers[0].params.groups == 3);
  CHECK(before.layers[1].weights == Floats{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a border becomes that of the convolution after it, where it has none") {
  const auto padded = [](const std::string& mode, const Sizes& own) {
    return import(
        {node("Pad", {"x", "pads", "value"}, "p", {attribute("mode", mode)}),
         node("Conv", {"p", "w"}, "y", {attribute("pads", own)})},
        {kWeights, integers("pads", {0, 0, 1, 2, 0, 0, 3, 4}), tensor("value", {}, {mode == "constant" ? 5.0F : 0})});
  };
  const std::pair<const char*, PaddingMode> modes[] = {{"constant", PaddingMode::constant},
                                                       {"reflect", PaddingMode::reflect},
                                                       {"edge", PaddingMode::replicate},
                                                       {"wrap", PaddingMode::circular}};
  for (const auto& [word, mode] : modes) {
    CAPTURE(word);
    const Imported one = padded(word, {0, 0, 0, 0});
    REQUIRE(one.layers.size() == 1);
    CHECK(one.layers[0].description == "Pad + Conv, to 'y'");
    CHECK(one.layers[0].params.padding.pads == Pads{1, 2, 3, 4});
    CHECK(one.layers[0].params.padding_mode == mode);
    CHECK(one.layers[0].params.padding_value == (mode == PaddingMode::constant ? 5 : 0));
    const Imported two = padded(word, {1, 1, 1, 1});
    REQUIRE(two.layers.size() == 2);
    CHECK(two.layers[0].rank == 2);
    CHECK(two.layers[0].weights == Floats{1});
    CHECK(two.layers[0].params.padding_mode == mode);
    CHECK(two.layers[1].params.padding.pads == Pads{1, 1, 1, 1});
  }
  const std::string by_axes = node("Pad", {"x", "pads", "", "axes"}, "y");
  CHECK(only_layer({by_axes}, {integers("pads", {1, 2, 3, 4}), integers("axes", {-1, 2})}).params.padding.pads ==
        Pads{2, 1, 4, 3});
  CHECK(only_layer({node("Pad", {"x"}, "y", {attribute("pads", Sizes{0, 0, 1, 1, 0, 0, 1, 1})})}).params.padding_mode ==
        PaddingMode::zeros);
  CHECK(reason({node("Pad", {"x", "pads"}, "y")}, {integers("pads", {0, 1, 0, 0, 0, 0, 0, 0})})
            .find("rows and columns") != std::string::npos);
  CHECK(
      reason({node("Pad", {"x", "pads"}, "y")}, {integers("pads", {0, 0, -1, 0, 0, 0, 0, 0})}).find("[-1, 0, 0, 0]") !=
      std::string::npos);
  CHECK(reason({node("Pad", {"x", "pads"}, "y")}, {integers("pads", {1, 1})}).find("expected two per axis") !=
        std::string::npos);
}

TEST_CASE("activations belong to the layer before them") {
  CHECK(only_layer({node("Conv", {"x", "w"}, "c"), node("Relu", {"c"}, "y")}, {kWeights}).activation ==
        Activation::relu);
  CHECK(only_layer({node("Conv", {"x", "w"}, "c"), node("Abs", {"c"}, "y")}, {kWeights}).activation == Activation::abs);
  CHECK(
      only_layer({node("Conv", {"x", "w"}, "c"), node("Clip", {"c", "zero"}, "y")}, {kWeights, tensor("zero", {}, {0})})
          .activation == Activation::relu);
  const Layer alone = only_layer({node("Relu", {"x"}, "y")});
  CHECK(alone.rank == 2);
  CHECK(alone.weights == Floats{1});
  CHECK(alone.activation == Activation::relu);
  CHECK(import({node("Conv", {"x", "w"}, "c"), node("Abs", {"c"}, "a"), node("Relu", {"a"}, "y")}, {kWeights})
            .layers.size() == 2);
}

TEST_CASE("pools") {
  const Layer max = only_layer({node("MaxPool", {"x"}, "y",
                                     {attribute("kernel_shape", Sizes{3, 2}), attribute("strides", Sizes{2, 1}),
                                      attribute("pads", Sizes{1, 0, 1, 0})})});
  CHECK(max.pooling == Pooling::max);
  CHECK(max.shape.kh == 3);
  CHECK(max.shape.kw == 2);
  CHECK(max.params.stride == Extent{2, 1});
  CHECK(max.params.padding.pads == Pads{1, 0, 1, 0});
  const Layer mean = only_layer({node("AveragePool", {"x"}, "y", {attribute("kernel_shape", Sizes{2, 2})})});
  CHECK(mean.pooling == Pooling::mean);
  CHECK(mean.params.stride == Extent{1, 1});  // ONNX's default, where PyTorch's is the size
  CHECK(mean.divisor == std::vector<double>{4});
  CHECK(mean.weights == Floats{1, 1, 1, 1});
  CHECK(reason({node("MaxPool", {"x"}, "y")}).find("kernel_shape is []") != std::string::npos);
  CHECK(reason({node("MaxPool", {"x"}, "y", {attribute("kernel_shape", Sizes{0, 2})})}).find("[0, 2]") !=
        std::string::npos);
}

TEST_CASE("operators that change nothing, and weights that reach a convolution through others") {
  const Imported imported =
      import({node("Transpose", {"x"}, "t", {attribute("perm", Sizes{0, 3, 1, 2})}),
              node("Cast", {"t"}, "f", {attribute("to", std::int64_t{1})}), node("Identity", {"f"}, "i"),
              node("Constant", {}, "k", {onnx::field(1, std::string("value")) + onnx::field(5, kWeights)}),
              node("Identity", {"k"}, "l"), node("Conv", {"i", "l"}, "c"), node("Dropout", {"c"}, "y")},
             {}, {1, -1, -1, 3});
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 1);
  CHECK(imported.layers[0].weights == Floats{1, 2, 3, 4, 5, 6});
  CHECK(imported.channels == 3);
  const std::string number = node("Constant", {}, "k", {attribute("value_float", 3.0F)});
  CHECK(only_layer({number, node("Mul", {"k", "x"}, "y")}).weights == Floats{3});
  CHECK(reason({node("Cast", {"x"}, "y", {attribute("to", std::int64_t{2})})}).find("type 2 of ONNX") !=
        std::string::npos);
}

TEST_CASE("where an import ends, and why") {
  CHECK(import({node("Conv", {"x", "w"}, "c"), node("Flatten", {"c"}, "y")}, {kWeights}).stop ==
        "node 'y' (Flatten): its output is not a picture");
  CHECK(reason({node("Frobnicate", {"x"}, "y")}) == "convtool has no such layer");
  CHECK(reason({node("Conv", {"x", "w"}, "y", {}, "com.example")}, {kWeights}) ==
        "it is an operator of 'com.example', not of ONNX itself");
  CHECK(reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {2, 3, 1}, {1, 2, 3, 4, 5, 6})}) ==
        "its weights have rank 3 (expected 4, of Conv2d)");
  CHECK(reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {0, 3, 1, 1}, {})}).find("is empty") != std::string::npos);
  CHECK(reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {2, 1, 1, 3}, {1, 2, 3, 4, 5, 6})}) ==
        "it takes 1 channels, and its input has 3");
  CHECK(reason({node("Conv", {"x", "w"}, "y", {attribute("group", std::int64_t{3})})}, {kWeights})
            .find("3 groups do not") != std::string::npos);
  CHECK(reason({node("Conv", {"x", "w"}, "y", {attribute("group", std::int64_t{0})})}, {kWeights})
            .find("0 groups do not") != std::string::npos);
  CHECK(reason({node("Conv", {"x", "w"}, "y", {attribute("strides", Sizes{0, 1})})}, {kWeights}).find("[0, 1]") !=
        std::string::npos);
  CHECK(reason({node("Conv", {"x", "w"}, "y", {attribute("pads", Sizes{0, -1, 0, 0})})}, {kWeights})
            .find("[0, -1, 0, 0]") != std::string::npos);
  CHECK(reason({node("Conv", {"x", "w", "w"}, "y")}, {kWeights}).find("6 biases for 2") != std::string::npos);
  CHECK(reason({node("Conv", {"x", "v"}, "y")}) == "its weights are computed while the model runs");
  CHECK(reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {1, 3, 1, 1}, {1, 2, std::nanf("")})}).find("NaN") !=
        std::string::npos);
}

TEST_CASE("branches, and --until") {
  const std::string model =
      onnx::model({node("Conv", {"x", "w"}, "stem"), node("Abs", {"stem"}, "left"), node("Relu", {"stem"}, "right"),
                   node("Concat", {"left", "right"}, "y"), node("Shape", {"stem"}, "size")},
                  {kWeights});
  const std::string stop = import(model).stop;
  CHECK(stop.starts_with("the output of 'stem' (Conv) goes to 2 nodes: 'left' (Abs), 'right' (Relu)"));
  CHECK(import(model, "stem").stop == "");
  const Imported right = import(model, "right");
  CHECK(right.stop == "");
  REQUIRE(right.layers.size() == 1);
  CHECK(right.layers[0].activation == Activation::relu);
  CHECK_THROWS_WITH_AS(import(model, "rihgt"), "--until: there is no node or output 'rihgt'; did you mean 'right'?",
                       Error);
  CHECK_THROWS_AS(import(model, "nothing-like-it"), Error);
  const std::string constant = node("Constant", {}, "k", {attribute("value_float", 3.0F)});
  CHECK_THROWS_WITH_AS(import(onnx::model({constant, node("Mul", {"x", "k"}, "y")}), "k"),
                       "--until: 'k' does not depend on the input 'x'", Error);
}

TEST_CASE("inputs that are not pictures, and graphs that go in a circle") {
  CHECK_THROWS_WITH_AS(import(onnx::model({node("Relu", {"x"}, "y")}, {}, {-1, 784})),
                       doctest::Contains("its input 'x' has rank 2 (expected 4: N x C x H x W)"), Error);
  CHECK_THROWS_WITH_AS(import(onnx::model({node("Relu", {"x"}, "y")}, {tensor("x", {1, 3, 1, 1}, {1, 2, 3})})),
                       doctest::Contains("has no input"), Error);
  CHECK_THROWS_WITH_AS(import(onnx::model({node("Relu", {"y"}, "x"), node("Relu", {"x"}, "y")})),
                       doctest::Contains("its graph goes in a circle"), Error);
  CHECK(import({node("Identity", {"w"}, "w"), node("Conv", {"x", "w"}, "y")}).stop ==
        "node 'y' (Conv): its weights are computed while the model runs");
}

TEST_CASE("names of layers") {
  const auto name = [](const std::string& node_name, const std::string& weights) {
    std::string conv = onnx::field(1, std::string("x")) + onnx::field(1, weights) + onnx::field(2, std::string("y")) +
                       onnx::field(3, node_name) + onnx::field(4, std::string("Conv"));
    return only_layer({conv}, {tensor(weights, {1, 3, 1, 1}, {1, 2, 3})}).name;
  };
  CHECK(name("Conv_0", "layer1.0.conv1.weight") == "layer1.0.conv1");
  CHECK(name("/layer1/layer1.0/conv1/Conv", "onnx::Conv_12") == "layer1.0.conv1");
  CHECK(name("Conv_0", "onnx::Conv_12") == "Conv_0");
  CHECK(name("", "12") == "Conv");
  CHECK(name("", ".weight") == "Conv");
  CHECK(name(std::string(500, 'a'), "12").size() == 64);
  const Imported twice = import(
      {node("Conv", {"x", "w"}, "c"), node("Conv", {"c", "v.weight"}, "d"), node("Conv", {"d", "v.weight"}, "y")},
      {kWeights, tensor("v.weight", {2, 2, 1, 1}, {1, 2, 3, 4})});
  REQUIRE(twice.layers.size() == 3);
  CHECK(twice.layers[1].name == "v");
  CHECK(twice.layers[2].name == "v-2");
}

}  // namespace
}  // namespace convtool
