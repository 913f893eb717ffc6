// ONNX models as networks: every operator that is imported, and the reasons of those that are not.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

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
  std::optional<InputScaling> input;
};

Imported import(const std::string& model, const std::optional<std::string>& until = {}) {
  const TempFolder folder;
  const OnnxFile file(folder.write("m.onnx", model));
  const OnnxImport result = import_onnx(file, until);
  Imported imported{
      .layers = {}, .stop = result.stop.value_or(""), .channels = result.channels, .input = result.network.input};
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
Layer imported_layer(const Nodes& nodes, const Nodes& tensors = {}, const Sizes& dims = {-1, 3, -1, -1}) {
  const Imported imported = import(nodes, tensors, dims);
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 1);
  return imported.layers.front();
}

/// Why the last of the nodes is not imported.
std::string stop_reason(const Nodes& nodes, const Nodes& tensors = {}) {
  const std::string stop = import(nodes, tensors).stop;
  const std::size_t colon = stop.find("): ");
  return colon == std::string::npos ? stop : stop.substr(colon + 3);
}

TEST_CASE("a convolution with all its attributes") {
  const Layer layer = imported_layer(
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
    return imported_layer(
               {node("Conv", {"x", "w"}, "y", {attribute("auto_pad", word), attribute("pads", Sizes{1, 1, 1, 1})})},
               {kWeights})
        .params.padding;
  };
  CHECK(padding("NOTSET").pads == Pads{1, 1, 1, 1});
  CHECK(padding("VALID") == Padding{});
  CHECK(padding("SAME_UPPER").rule == Padding::Rule::same);
  CHECK(padding("SAME_LOWER").rule == Padding::Rule::same_lower);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("auto_pad", "SAME")})}, {kWeights}) ==
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
        imported_layer({node("Conv", has_bias ? Nodes{"x", "w", "bias"} : Nodes{"x", "w"}, "c"), norm}, tensors);
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
      imported_layer({node("BatchNormalization", {"x", "g", "b", "m", "v"}, "y")}, statistics, {-1, 2, -1, -1});
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

  CHECK(stop_reason({node("BatchNormalization", {"x", "g", "b", "m", "v"}, "y")}, statistics) ==
        "it takes 2 channels, and its input has 3");
  CHECK(stop_reason({node("BatchNormalization", {"x", "g", "b", "m"}, "y")}, statistics) == "it has no variance");
  CHECK(stop_reason(
            {node("BatchNormalization", {"x", "g", "b", "m", "v"}, "y", {attribute("training_mode", std::int64_t{1})})},
            statistics)
            .find("training mode") != std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "c"), node("BatchNormalization", {"c", "g", "b", "m", "n"}, "y")},
                    {kWeights, statistics[0], statistics[1], statistics[2], tensor("n", {2}, {-1, 1})}) ==
        "the weights that it scales contain NaN, infinity or a number beyond float32");
}

TEST_CASE("scaling by constants, on either side") {
  const Nodes tensors = {kWeights, tensor("two", {}, {2}), tensor("each", {1, 2, 1, 1}, {2, 4}),
                         tensor("rows", {1, 1, 2, 1}, {1, 2})};
  const auto scaled = [&](const std::string& type, const Nodes& operands) {
    return imported_layer({node("Conv", {"x", "w"}, "c"), node(type, operands, "y")}, tensors);
  };
  CHECK(scaled("Mul", {"c", "two"}).weights == Floats{2, 4, 6, 8, 10, 12});
  CHECK(scaled("Mul", {"each", "c"}).weights == Floats{2, 4, 6, 16, 20, 24});
  CHECK(scaled("Div", {"c", "each"}).weights == Floats{0.5, 1, 1.5, 1, 1.25, 1.5});
  CHECK(scaled("Add", {"c", "each"}).bias == Floats{2, 4});
  CHECK(scaled("Sub", {"c", "two"}).bias == Floats{-2, -2});
  CHECK(scaled("Sub", {"each", "c"}).bias == Floats{2, 4});
  CHECK(scaled("Sub", {"each", "c"}).weights == Floats{-1, -2, -3, -4, -5, -6});
  const auto refused = [&](const std::string& type, const Nodes& operands) {
    return stop_reason({node("Conv", {"x", "w"}, "c"), node(type, operands, "y")}, tensors);
  };
  CHECK(refused("Div", {"two", "c"}) == "it divides by the input of the model");
  CHECK(refused("Add", {"c", "rows"}).find("its constant has the shape [1, 1, 2, 1]") == 0);
  CHECK(refused("Add", {"c"}).find("1 operand") != std::string::npos);

  // After an activation the scale is a layer of its own: the border of a convolution after it is not scaled.
  const Imported after =
      import({node("Abs", {"x"}, "a"), node("Mul", {"a", "three"}, "s"), node("Sub", {"s", "three"}, "d"),
              node("Conv", {"d", "w"}, "y", {attribute("pads", Sizes{1, 1, 1, 1})})},
             {kWeights, tensor("three", {3, 1, 1}, {0.5, 1, 2})});
  CHECK(after.stop == "");
  REQUIRE(after.layers.size() == 3);
  CHECK(after.layers[1].description == "Mul + Sub, to 'd'");
  CHECK(after.layers[1].weights == Floats{0.5, 1, 2});
  CHECK(after.layers[1].bias == Floats{-0.5, -1, -2});
  CHECK(after.layers[1].params.groups == 3);
  CHECK(after.layers[2].weights == Floats{1, 2, 3, 4, 5, 6});
}

TEST_CASE("scaling of the input") {
  const Nodes tensors = {kWeights, tensor("mean", {1, 3, 1, 1}, {1, 2, 4}), tensor("std", {3, 1, 1}, {0.5, 2, 4}),
                         tensor("half", {}, {0.5}), tensor("minus", {1}, {-1})};
  const std::string conv = node("Conv", {"s", "w"}, "y");
  const Imported imported =
      import({node("Mul", {"x", "half"}, "h"), node("Sub", {"h", "mean"}, "m"), node("Div", {"m", "std"}, "s"), conv},
             tensors);
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 1);
  CHECK(imported.layers[0].weights == Floats{1, 2, 3, 4, 5, 6});
  REQUIRE(imported.input.has_value());
  CHECK(imported.input->mean == std::vector<double>{2, 4, 8});  // (x / 2 - mean) / std = (x - 2 * mean) / (2 * std)
  CHECK(imported.input->deviation == std::vector<double>{1, 4, 8});
  CHECK(imported.input->scale == 1);
  const Imported one = import({node("Sub", {"x", "half"}, "s"), conv}, tensors);
  REQUIRE(one.input.has_value());
  CHECK(one.input->mean == std::vector<double>{0.5});
  CHECK(one.input->deviation == std::vector<double>{1});
  const Imported negated = import({node("Mul", {"x", "minus"}, "s"), conv}, tensors);
  CHECK_FALSE(negated.input.has_value());
  REQUIRE(negated.layers.size() == 2);
  CHECK(negated.layers[0].weights == Floats{-1});
  // A network has a layer.
  const Imported alone = import({node("Sub", {"x", "mean"}, "s"), node("Mul", {"s", "half"}, "y")}, tensors);
  CHECK_FALSE(alone.input.has_value());
  REQUIRE(alone.layers.size() == 1);
  CHECK(alone.layers[0].weights == Floats{0.5, 0.5, 0.5});
  CHECK(alone.layers[0].bias == Floats{-0.5, -1, -2});
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
  CHECK(imported_layer({by_axes}, {integers("pads", {1, 2, 3, 4}), integers("axes", {-1, 2})}).params.padding.pads ==
        Pads{2, 1, 4, 3});
  CHECK(imported_layer({node("Pad", {"x"}, "y", {attribute("pads", Sizes{0, 0, 1, 1, 0, 0, 1, 1})})})
            .params.padding_mode == PaddingMode::zeros);
  CHECK(stop_reason({node("Pad", {"x", "pads"}, "y")}, {integers("pads", {0, 1, 0, 0, 0, 0, 0, 0})})
            .find("rows and columns") != std::string::npos);
  CHECK(stop_reason({node("Pad", {"x", "pads"}, "y")}, {integers("pads", {0, 0, -1, 0, 0, 0, 0, 0})})
            .find("[-1, 0, 0, 0]") != std::string::npos);
  CHECK(stop_reason({node("Pad", {"x", "pads"}, "y")}, {integers("pads", {1, 1})}).find("expected two per axis") !=
        std::string::npos);
}

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
  CHECK(gated(node("HardSigmoid", {"c"}, "s"), {"c", "s"}).stop.find("goes to 2 nodes") != std::string::npos);
  CHECK(gated(node("Tanh", {"c"}, "s"), {"c", "s"}).stop.find("goes to 2 nodes") != std::string::npos);
  CHECK(gated(sigmoid, {"s", "s"}).layers.front().activation == Activation::sigmoid);
}

TEST_CASE("pools") {
  const auto pool = [](const std::string& type, Nodes attributes) {
    attributes.push_back(attribute("kernel_shape", Sizes{3, 2}));
    return imported_layer({node(type, {"x"}, "y", attributes)});
  };
  const Layer max = pool("MaxPool", {attribute("strides", Sizes{2, 1}), attribute("pads", Sizes{1, 0, 1, 0})});
  CHECK(max.pooling == Pooling::max);
  CHECK(max.shape.kh == 3);
  CHECK(max.shape.kw == 2);
  CHECK(max.params.stride == Extent{2, 1});
  CHECK(max.params.padding.pads == Pads{1, 0, 1, 0});
  CHECK(max.pool == PoolRules{});
  CHECK(pool("MaxPool", {attribute("dilations", Sizes{2, 3})}).params.dilation == Extent{2, 3});
  CHECK(pool("MaxPool", {attribute("ceil_mode", std::int64_t{1})}).pool.ceil_mode);
  CHECK(pool("MaxPool", {attribute("pads", Sizes{0, 0, 2, 1})}).params.padding.pads == Pads{0, 0, 2, 1});
  const Layer mean = pool("AveragePool", {});
  CHECK(mean.pooling == Pooling::mean);
  CHECK(mean.params.stride == Extent{1, 1});  // ONNX's default, where PyTorch's is the size
  CHECK(mean.divisor == std::vector<double>{6});
  CHECK(mean.weights == Floats{1, 1, 1, 1, 1, 1});
  const std::string upper = attribute("auto_pad", "SAME_UPPER"), lower = attribute("auto_pad", "SAME_LOWER");
  CHECK(pool("MaxPool", {upper}).params.padding.pads == Pads{1, 0, 1, 1});
  CHECK(pool("MaxPool", {lower}).params.padding.pads == Pads{1, 1, 1, 0});
  const Layer halved = imported_layer({node(
      "AveragePool", {"x"}, "y", {attribute("kernel_shape", Sizes{2, 2}), attribute("strides", Sizes{2, 2}), upper})});
  CHECK(halved.pool.ceil_mode);
  CHECK(halved.params.padding == Padding{});
  const std::string pads = attribute("pads", Sizes{1, 0, 1, 0});
  CHECK_FALSE(pool("AveragePool", {pads}).pool.counts_padding);
  CHECK(pool("AveragePool", {pads}).weights.empty());
  CHECK(pool("AveragePool", {pads, attribute("count_include_pad", std::int64_t{1})}).pool.counts_padding);
  CHECK(imported_layer({node("GlobalAveragePool", {"x"}, "y")}).pool.is_global);
  CHECK(imported_layer({node("GlobalAveragePool", {"x"}, "y")}).pooling == Pooling::mean);
  CHECK(imported_layer({node("GlobalMaxPool", {"x"}, "y")}).pooling == Pooling::max);
  CHECK(imported_layer({node("ReduceMean", {"x"}, "y", {attribute("axes", Sizes{-1, 2})})}).pool.is_global);
  CHECK(imported_layer({node("ReduceMean", {"x", "axes"}, "y")}, {integers("axes", {2, 3})}).pool.is_global);

  const auto refused = [](const std::string& type, const Nodes& attributes) {
    return stop_reason({node(type, {"x"}, "y", attributes)});
  };
  const std::string size = attribute("kernel_shape", Sizes{2, 2});
  CHECK(refused("MaxPool", {}).find("kernel_shape is []") != std::string::npos);
  CHECK(refused("MaxPool", {attribute("kernel_shape", Sizes{0, 2})}).find("[0, 2]") != std::string::npos);
  CHECK(refused("MaxPool", {attribute("kernel_shape", Sizes{1 << 20, 1 << 20})}).find("too large") !=
        std::string::npos);
  CHECK(refused("MaxPool", {attribute("kernel_shape", Sizes{3, 3}), attribute("strides", Sizes{2, 2}),
                            attribute("auto_pad", "SAME_UPPER")})
            .find("auto_pad") != std::string::npos);
  CHECK(refused("MaxPool", {size, attribute("pads", Sizes{0, 0, 2, 0})}) ==
        "its pads are more than half of its window");
  CHECK(refused("AveragePool", {size, attribute("dilations", Sizes{2, 2})}) == "it has dilations");
  CHECK(refused("ReduceMean", {attribute("axes", Sizes{1})}).find("mean of rows and columns") != std::string::npos);
  CHECK(
      refused("ReduceMean", {attribute("axes", Sizes{2, 3}), attribute("keepdims", std::int64_t{0})}).find("mean of") !=
      std::string::npos);
}

TEST_CASE("transposed convolutions, with batch normalisation by output channel") {
  const Nodes tensors = {tensor("w", {4, 2, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}), tensor("b", {4}, {1, 2, 3, 4}),
                         tensor("s", {4, 1, 1}, {10, 100, 1000, 10000})};
  const auto transposed = [](Nodes attributes) {
    attributes.push_back(attribute("group", std::int64_t{2}));
    return node("ConvTranspose", {"x", "w", "b"}, "c", attributes);
  };
  const Layer layer =
      imported_layer({transposed({attribute("strides", Sizes{2, 3}), attribute("output_padding", Sizes{1, 2}),
                                  attribute("pads", Sizes{0, 0, 0, 0})}),
                      node("Mul", {"c", "s"}, "y")},
                     tensors, {-1, 4, -1, -1});
  CHECK(layer.enlarging == Enlarging::transposed);
  CHECK(layer.input_channels() == 4);
  CHECK(layer.output_channels() == 4);
  CHECK(layer.params.stride == Extent{2, 3});
  CHECK(layer.output_padding == Extent{1, 2});
  // Inputs 0 and 1 are in group 0, with outputs 0 and 1; inputs 2 and 3 in group 1, with outputs 2 and 3.
  CHECK(layer.weights == Floats{10, 200, 30, 400, 5000, 60000, 7000, 80000});
  CHECK(layer.bias == Floats{10, 200, 3000, 40000});
  const auto refused = [&](const Nodes& attributes) {
    return import(onnx::model({transposed(attributes), node("Identity", {"c"}, "y")}, tensors, {-1, 4, -1, -1})).stop;
  };
  CHECK(refused({attribute("output_padding", Sizes{1, 0})}).find("its output_padding is [1, 0]") != std::string::npos);
  CHECK(refused({attribute("output_shape", Sizes{9, 9})}).find("size of the picture") != std::string::npos);
  CHECK(refused({attribute("auto_pad", "SAME_UPPER")}).find("size of the picture") != std::string::npos);
  CHECK(refused({attribute("strides", Sizes{1000, 1000})}).find("too large") != std::string::npos);
}

TEST_CASE("upsampling by whole factors") {
  const Nodes scales = {tensor("s", {4}, {1, 1, 2, 3}), tensor("t", {4}, {1, 1, 1.5, 2}), tensor("roi", {0}, {})};
  const auto resize = [](const std::string& mode, const std::string& place, const std::string& rounding) {
    return node("Resize", {"x", "roi", "s"}, "y",
                {attribute("mode", mode), attribute("coordinate_transformation_mode", place),
                 attribute("nearest_mode", rounding)});
  };
  const Layer nearest = imported_layer({resize("nearest", "asymmetric", "floor")}, scales);
  CHECK(nearest.enlarging == Enlarging::nearest);
  CHECK(nearest.params.stride == Extent{2, 3});
  CHECK(imported_layer({resize("nearest", "half_pixel", "round_prefer_floor")}, scales).enlarging ==
        Enlarging::nearest);
  CHECK(imported_layer({resize("linear", "half_pixel", "floor")}, scales).enlarging == Enlarging::bilinear);
  CHECK(imported_layer({resize("linear", "pytorch_half_pixel", "floor")}, scales).enlarging == Enlarging::bilinear);
  CHECK(imported_layer({node("Upsample", {"x", "s"}, "y")}, scales).enlarging == Enlarging::nearest);
  for (const char* place : {"asymmetric", "align_corners"})
    CHECK(stop_reason({resize("linear", place, "floor")}, scales).find(place) != std::string::npos);
  CHECK(stop_reason({resize("nearest", "half_pixel", "floor")}, scales).find("half_pixel") != std::string::npos);
  CHECK(stop_reason({resize("cubic", "half_pixel", "floor")}, scales).find("cubic") != std::string::npos);
  CHECK(stop_reason({node("Upsample", {"x", "t"}, "y")}, scales).find("whole factors") != std::string::npos);
  CHECK(stop_reason({node("Resize", {"x", "", "", "s"}, "y")}, scales) == "its output has a fixed size");
}

TEST_CASE("residual blocks") {
  const std::string square = tensor("v", {2, 2, 1, 1}, {1, 2, 3, 4});
  // stem -> [conv -> relu -> conv] + stem -> relu -> [conv] + that
  const Imported two = import({node("Conv", {"x", "w"}, "stem"), node("Conv", {"stem", "v"}, "a"),
                               node("Relu", {"a"}, "b"), node("Conv", {"b", "v"}, "c"), node("Add", {"c", "stem"}, "d"),
                               node("Relu", {"d"}, "e"), node("Conv", {"e", "v"}, "f"), node("Sum", {"e", "f"}, "y")},
                              {kWeights, square});
  CHECK(two.stop == "");
  std::vector<std::string> names, added;
  for (const Layer& layer : two.layers) {
    names.push_back(layer.name);
    added.push_back(layer.add);
  }
  CHECK(names == std::vector<std::string>{"stem", "a", "c", "d", "f", "y"});
  CHECK(added == std::vector<std::string>{"", "", "", "stem", "", "d"});
  CHECK(two.layers[3].activation == Activation::relu);
  CHECK(two.layers[3].weights == Floats{1});
  // What is added later is not changed by what reads it.
  const Imported kept = import(
      {node("Conv", {"x", "w"}, "stem"), node("Relu", {"stem"}, "r"), node("Add", {"r", "stem"}, "y")}, {kWeights});
  CHECK(kept.stop == "");
  REQUIRE(kept.layers.size() == 3);
  CHECK(kept.layers[0].activation == Activation::none);
  CHECK(kept.layers[1].activation == Activation::relu);
  CHECK(kept.layers[2].add == "stem");
  const Imported input = import({node("Relu", {"x"}, "r"), node("Add", {"r", "x"}, "y")});
  REQUIRE(input.layers.size() == 3);
  CHECK(input.layers[2].add == input.layers[0].name);
}

TEST_CASE("residual blocks with layers on both paths, one in another") {
  const std::string square = tensor("v", {2, 2, 1, 1}, {1, 2, 3, 4});
  const auto conv = [](const std::string& input, const std::string& output) {
    return node("Conv", {input, "v"}, output);
  };
  // s -> a -> b and s -> c; b + c; in a second block d -> e -> (e + f(e)), d -> g.
  const Imported both = import(
      {node("Conv", {"x", "w"}, "s"), conv("s", "a"), conv("a", "b"), conv("s", "c"), node("Add", {"b", "c"}, "d"),
       conv("d", "e"), conv("e", "f"), node("Add", {"e", "f"}, "h"), conv("d", "g"), node("Add", {"g", "h"}, "y")},
      {kWeights, square});
  CHECK(both.stop == "");
  std::string text;
  for (const Layer& layer : both.layers)
    text += layer.name + (layer.from.empty() ? "" : " from " + layer.from) +
            (layer.add.empty() ? "" : " add " + layer.add) + "\n";
  CHECK(text == "s\na\nb\nc from s\nd add b\ne\nf\nh add e\ng from d\ny add h\n");
  // A path without layers, by another name.
  const Imported copy = import(
      {node("Conv", {"x", "w"}, "s"), conv("s", "a"), node("Identity", {"s"}, "i"), node("Add", {"a", "i"}, "y")},
      {kWeights, square});
  CHECK(copy.stop == "");
  REQUIRE(copy.layers.size() == 3);
  CHECK(copy.layers[2].from == "s");
  CHECK(copy.layers[2].add == "a");
  // What cannot be imported on one of the paths: the import ends where they part.
  const Imported broken = import({node("Conv", {"x", "w"}, "s"), conv("s", "a"), conv("s", "b"),
                                  node("Frobnicate", {"b"}, "c"), node("Add", {"a", "c"}, "y")},
                                 {kWeights, square});
  REQUIRE(broken.layers.size() == 1);
  CHECK(broken.layers[0].weights == Floats{1, 2, 3, 4, 5, 6});
  CHECK(broken.stop ==
        "the output of 's' (Conv) goes to 2 nodes: 'a' (Conv), 'b' (Conv); node 'c' (Frobnicate): convtool has no such "
        "layer; --until NODE follows one of them");
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
  CHECK(imported_layer({number, node("Mul", {"k", "x"}, "y")}).weights == Floats{3});
  CHECK(stop_reason({node("Cast", {"x"}, "y", {attribute("to", std::int64_t{2})})}).find("type 2 of ONNX") !=
        std::string::npos);
}

TEST_CASE("where an import ends, and why") {
  CHECK(import({node("Conv", {"x", "w"}, "c"), node("Unsqueeze", {"c"}, "y")}, {kWeights}).stop ==
        "node 'y' (Unsqueeze): its output is not a picture");
  CHECK(stop_reason({node("Frobnicate", {"x"}, "y")}) == "convtool has no such layer");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {}, "com.example")}, {kWeights}) ==
        "it is an operator of 'com.example', not of ONNX itself");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {2, 3, 1}, {1, 2, 3, 4, 5, 6})}) ==
        "its weights have rank 3 (expected 4, of Conv2d)");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {0, 3, 1, 1}, {})}).find("is empty") !=
        std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {2, 1, 1, 3}, {1, 2, 3, 4, 5, 6})}) ==
        "it takes 1 channels, and its input has 3");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("group", std::int64_t{3})})}, {kWeights})
            .find("3 groups do not") != std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("group", std::int64_t{0})})}, {kWeights})
            .find("0 groups do not") != std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("strides", Sizes{0, 1})})}, {kWeights}).find("[0, 1]") !=
        std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("pads", Sizes{0, -1, 0, 0})})}, {kWeights})
            .find("[0, -1, 0, 0]") != std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w", "w"}, "y")}, {kWeights}).find("6 biases for 2") != std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "v"}, "y")}) == "its weights are computed while the model runs");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {1, 3, 1, 1}, {1, 2, std::nanf("")})}).find("NaN") !=
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
    return imported_layer({conv}, {tensor(weights, {1, 3, 1, 1}, {1, 2, 3})}).name;
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
