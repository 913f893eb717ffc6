// Scales, shifts and sums of ONNX models as layers, or as a part of those before.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/onnx/imported.h"

namespace convtool {
namespace {

using namespace testing;

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

TEST_CASE("batch normalisation in training mode") {
  const std::vector<std::string> inputs = {"x", "g", "g", "g", "g"};
  const std::string numbers = tensor("g", {3}, {1, 1, 1}),
                    reason = "it is in training mode; export the model in eval mode";
  const std::string plain = node("BatchNormalization", inputs, "y");
  CHECK(import(Nodes{plain}, {numbers}).stop == "");
  CHECK(import(Nodes{plain + onnx::field(2, std::string())}, {numbers}).stop == "");
  CHECK(stop_reason({plain + onnx::field(2, std::string("mean"))}, {numbers}) == reason);
  CHECK(stop_reason({node("BatchNormalization", inputs, "y", {attribute("training_mode", std::int64_t{1})})},
                    {numbers}) == reason);
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
  CHECK(scaled("Neg", {"c"}).weights == Floats{-1, -2, -3, -4, -5, -6});
  const auto refused = [&](const std::string& type, const Nodes& operands) {
    return stop_reason({node("Conv", {"x", "w"}, "c"), node(type, operands, "y")}, tensors);
  };
  CHECK(refused("Div", {"two", "c"}) == "it divides by the input of the model");
  CHECK(refused("Add", {"c", "rows"}).find("its constant has the shape [1, 1, 2, 1]") == 0);
  CHECK(refused("Add", {"c"}).find("1 operand") != std::string::npos);

  // A list with a constant of four dimensions has four.
  CHECK(import({node("GlobalAveragePool", {"x"}, "p"), node("Flatten", {"p"}, "f"), node("Add", {"f", "row"}, "y")},
               {tensor("row", {1, 1, 1, 3}, {1, 2, 3})})
            .stop ==
        "node 'y' (Add): its constant has the shape [1, 1, 1, 3] (expected one number, or [C] with one per "
        "channel)");

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

TEST_CASE("operands that are computed from constants, and those that are not") {
  const std::string bias = tensor("b", {2}, {10, 20});
  const Layer layer = imported_layer(
      {node("Conv", {"x", "w"}, "c"), node("Reshape", {"b", "shape"}, "r"), node("Add", {"c", "r"}, "y")},
      {kWeights, bias, integers("shape", {2, 1, 1})});
  CHECK(layer.bias == Floats{10, 20});
  const std::string stop = import(onnx::model({node("Add", {"x", "z"}, "y")})).stop;
  CHECK(stop == "node 'y' (Add): its operand 'z' is another input of the model");
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

TEST_CASE("scaling of an input whose channels are last") {
  const Nodes tensors = {kWeights, tensor("mean", {3}, {1, 2, 4}), tensor("std", {1, 1, 1, 3}, {0.5, 2, 4}),
                         tensor("half", {}, {0.5}), tensor("first", {1, 3, 1, 1}, {1, 2, 4})};
  const std::string transpose = node("Transpose", {"s"}, "t", {attribute("perm", Sizes{0, 3, 1, 2})}),
                    conv = node("Conv", {"t", "w"}, "y");
  const Imported imported =
      import({node("Cast", {"x"}, "f", {attribute("to", std::int64_t{1})}), node("Mul", {"f", "half"}, "h"),
              node("Sub", {"h", "mean"}, "m"), node("Div", {"m", "std"}, "s"), transpose, conv},
             tensors, {-1, -1, -1, 3});
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 1);
  CHECK(imported.layers[0].weights == Floats{1, 2, 3, 4, 5, 6});
  REQUIRE(imported.input.has_value());
  CHECK(imported.input->mean == std::vector<double>{2, 4, 8});
  CHECK(imported.input->deviation == std::vector<double>{1, 4, 8});
  // The constant has the shape of channels that are first.
  CHECK(import({node("Sub", {"x", "first"}, "s"), transpose, conv}, tensors, {-1, -1, -1, 3}).stop ==
        "node 's' (Sub): its constant has the shape [1, 3, 1, 1] (expected one number, or [C] with one per channel)");
  // Another node reads the input in its own order.
  CHECK(import({node("Sub", {"x", "mean"}, "s"), transpose, node("Conv", {"t", "w"}, "c"), node("Abs", {"x"}, "a"),
                node("Add", {"c", "a"}, "y")},
               tensors, {-1, -1, -1, 3})
            .stop.find("(Sub): its constant has the shape [3] (expected one number, or [C, 1, 1]") !=
        std::string::npos);
  // And behind the Transpose, as without one, they are.
  const Imported behind = import(
      {node("Transpose", {"x"}, "p", {attribute("perm", Sizes{0, 3, 1, 2})}), node("Sub", {"p", "first"}, "t"), conv},
      tensors, {-1, -1, -1, 3});
  CHECK(behind.stop == "");
  CHECK(behind.input->mean == std::vector<double>{1, 2, 4});
}

TEST_CASE("inputs that the model turns from R, G, B to B, G, R") {
  const Nodes tensors = {kWeights,
                         tensor("mean", {3, 1, 1}, {1, 2, 4}),
                         tensor("std", {3, 1, 1}, {8, 16, 32}),
                         tensor("last", {3}, {1, 2, 4}),
                         integers("bgr", {2, 1, 0}),
                         integers("gbr", {1, 2, 0}),
                         tensor("column", {3, 1}, {2, 1, 0}),
                         integers("-1", {-1}),
                         integers("far", {-9223372036854775807}),
                         integers("1", {1}),
                         integers("0", {0}),
                         integers("-3", {-3}),
                         integers("3", {3}),
                         integers("both", {1, 2}),
                         integers("starts", {-1, 0}),
                         integers("later", {-1, 1}),
                         integers("ends", {-9223372036854775807, 2147483647}),
                         integers("sooner", {-9223372036854775807, 5}),
                         integers("steps", {-1, 1})};
  const auto axis = [](std::int64_t number) { return attribute("axis", number); };
  const std::string sub = node("Sub", {"r", "mean"}, "s"), conv = node("Conv", {"s", "w"}, "y");
  for (const std::string& reversal :
       {node("Gather", {"x", "bgr"}, "r", {axis(1)}), node("Slice", {"x", "-1", "far", "1", "-1"}, "r"),
        node("Slice", {"x", "starts", "ends", "both", "steps"}, "r")}) {
    const Imported imported = import({reversal, sub, conv}, tensors);
    CHECK(imported.stop == "");
    REQUIRE(imported.layers.size() == 1);
    CHECK(imported.layers[0].weights == Floats{1, 2, 3, 4, 5, 6});
    REQUIRE(imported.input.has_value());
    CHECK(imported.input->order == ChannelOrder::bgr);
    CHECK(imported.input->mean == std::vector<double>{4, 2, 1});  // of R, G, B
  }
  // Numbers before the reversal are of R, G, B: (x - (1, 2, 4)) / (32, 16, 8).
  const Imported between = import({node("Sub", {"x", "mean"}, "m"), node("Gather", {"m", "bgr"}, "r", {axis(-3)}),
                                   node("Div", {"r", "std"}, "s"), conv},
                                  tensors, {-1, -1, -1, -1});
  CHECK(between.stop == "");
  REQUIRE(between.input.has_value());
  CHECK(between.input->mean == std::vector<double>{1, 2, 4});
  CHECK(between.input->deviation == std::vector<double>{32, 16, 8});
  // Channels that are last, and twice, which is R, G, B again.
  const std::string transpose = node("Transpose", {"l"}, "s", {attribute("perm", Sizes{0, 3, 1, 2})});
  const Imported last =
      import({node("Gather", {"x", "bgr"}, "r", {axis(3)}), node("Sub", {"r", "last"}, "l"), transpose, conv}, tensors,
             {1, -1, -1, 3});
  CHECK(last.input->order == ChannelOrder::bgr);
  CHECK(last.input->mean == std::vector<double>{4, 2, 1});
  const Imported twice = import({node("Slice", {"x", "-1", "far", "-1", "-1"}, "r"),
                                 node("Slice", {"r", "3", "far", "3", "-1"}, "l"), transpose, conv},
                                tensors, {1, -1, -1, 3});
  CHECK(twice.stop == "");
  CHECK_FALSE(twice.input.has_value());

  const Imported alone =
      import({node("Sub", {"x", "mean"}, "m"), node("Gather", {"m", "bgr"}, "y", {axis(1)})}, tensors);
  CHECK(alone.input->order == ChannelOrder::bgr);
  CHECK(alone.input->mean == std::vector<double>{1, 2, 4});
  REQUIRE(alone.layers.size() == 1);
  CHECK(alone.layers[0].weights == Floats{1});

  const auto refused = [&](const Nodes& nodes) { return stop_reason(nodes, tensors); };
  const std::string picks = "it picks parts of its input (expected all three colours, in reverse order)",
                    cuts = "it cuts parts out of its input (expected all three colours, in reverse order)";
  CHECK(refused({node("Gather", {"x", "gbr"}, "y", {axis(1)})}) == picks);
  CHECK(refused({node("Gather", {"x", "bgr"}, "y", {axis(3)})}) == picks);
  CHECK(refused({node("Gather", {"x", "column"}, "y", {axis(1)})}) == picks);  // it has five dimensions
  CHECK(refused({node("Gather", {"bgr", "x"}, "y")}) == "it looks its input up in a table");
  CHECK(refused({node("Slice", {"x", "1", "3", "1", "1"}, "y")}) == cuts);
  CHECK(refused({node("Slice", {"x", "-1", "far", "3", "-1"}, "y")}) == cuts);
  CHECK(refused({node("Slice", {"x", "1", "far", "1", "-1"}, "y")}) == cuts);  // without the last channel
  CHECK(refused({node("Slice", {"x", "-1", "-3", "1", "-1"}, "y")}) == cuts);  // without the first
  CHECK(refused({node("Slice", {"x", "-1", "0", "1", "-1"}, "y")}) == cuts);
  CHECK(refused({node("Slice", {"x", "later", "ends", "both", "steps"}, "y")}) == cuts);  // without the first row
  CHECK(refused({node("Slice", {"x", "starts", "sooner", "both", "steps"}, "y")}) == cuts);
  CHECK(refused({node("Slice", {"x", "starts", "ends", "1", "-1"}, "y")}) == cuts);
  CHECK(refused({node("Slice", {"x", "-1", "ends", "both", "steps"}, "y")}) == cuts);
  CHECK(refused({node("Slice", {"x"}, "y", {attribute("starts", Sizes{0})})}) == cuts);
  CHECK(refused({node("Abs", {"x"}, "a"), node("Gather", {"a", "bgr"}, "y", {axis(1)})}) ==
        "it reverses the channels after other layers; convtool can reverse those of the input");
  CHECK(import({node("Gather", {"x", "bgr"}, "y", {axis(1)})}, tensors, {-1, 4, -1, -1}).stop ==
        "node 'y' (Gather): it takes 3 channels, and its input has 4");
}

TEST_CASE("differences of the outputs of two layers") {
  const std::string square = tensor("v", {2, 2, 1, 1}, {1, 2, 3, 4});
  const auto difference = [&](const std::string& a, const std::string& b) {
    const Imported imported = import(
        {node("Conv", {"x", "w"}, "s"), node("Conv", {"s", "v"}, "f"), node("Sub", {a, b}, "y")}, {kWeights, square});
    CHECK(imported.stop == "");
    return imported.layers;
  };
  // s - f(s) = -f(s) + s, and f(s) - s = -(-f(s) + s).
  const std::vector<Layer> from_input = difference("s", "f"), from_output = difference("f", "s");
  REQUIRE(from_input.size() == 3);
  CHECK(from_input[1].weights == Floats{-1, -2, -3, -4});
  CHECK(from_input[2].add == "s");
  REQUIRE(from_output.size() == 4);
  CHECK(from_output[1].weights == Floats{-1, -2, -3, -4});
  CHECK(from_output[2].add == "s");
  CHECK(from_output[3].weights == Floats{-1});
}

}  // namespace
}  // namespace convtool
