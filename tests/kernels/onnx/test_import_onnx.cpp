// ONNX models as networks: the paths through a graph, and where an import ends.
#include <doctest/doctest.h>

#include <cmath>

#include "core/error.h"
#include "kernels/onnx/imported.h"
#include "network/residual.h"

namespace convtool {
namespace {

using namespace testing;

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
  CHECK(input.layers[0] == input_copy());
  CHECK(input.layers[2].add == "input");
  // Two paths from the input that both have layers, and one on which nothing can be imported.
  const Imported both = import({node("Relu", {"x"}, "r"), node("Abs", {"x"}, "a"), node("Sub", {"r", "a"}, "y")});
  CHECK(both.stop == "");
  REQUIRE(both.layers.size() == 5);  // and the sign of the difference
  CHECK(both.layers[2].from == "input");
  CHECK(import({node("Frobnicate", {"x"}, "r"), node("Add", {"r", "x"}, "y")}).layers.empty());
  // The scaling of an input that is kept belongs to one of the paths.
  const Imported scaled =
      import({node("Mul", {"x", "two"}, "m"), node("Conv", {"m", "v"}, "c"), node("Add", {"c", "x"}, "y")},
             {tensor("two", {}, {2}), tensor("v", {3, 3, 1, 1}, Floats(9, 1))});
  CHECK(scaled.stop == "");
  CHECK_FALSE(scaled.input.has_value());
  REQUIRE(scaled.layers.size() == 4);
  CHECK(scaled.layers[1].weights == Floats{2});
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
        "node 's' (Conv): 2 nodes read its output ('a' (Conv), 'b' (Conv)), and their paths do not meet: node 'c' "
        "(Frobnicate): convtool has no such layer; --until NODE follows one of them");
}

TEST_CASE("sums of values of different shapes, which ONNX repeats") {
  const Nodes tensors = {kWeights, tensor("one", {1, 3, 1, 1}, {1, 2, 3}), tensor("v", {3, 2}, Floats(6, 1))};
  const auto reason = [&](const Nodes& nodes, const Sizes& dims = {-1, 3, -1, -1}) {
    const Imported imported = import(nodes, tensors, dims);
    CHECK(imported.layers.size() < 2);  // ends where the paths part
    const std::size_t node = imported.stop.find("node 'y' (");
    return node == std::string::npos ? imported.stop : imported.stop.substr(node, imported.stop.find(';') - node);
  };
  CHECK(reason({node("Conv", {"x", "w"}, "a"), node("Conv", {"x", "one"}, "b"), node("Add", {"a", "b"}, "y")}) ==
        "node 'y' (Add): it adds 2 channels to 1");
  const std::string pool = node("GlobalAveragePool", {"x"}, "p"), list = node("Flatten", {"p"}, "l");
  for (const Sizes& dims : {Sizes{-1, 3, -1, -1}, Sizes{1, 3, 8, 8}})
    CHECK(reason({node("Abs", {"x"}, "a"), pool, node("Sub", {"a", "p"}, "y")}, dims) ==
          "node 'y' (Sub): it adds two values of different height or width");
  const std::string half =
      node("MaxPool", {"x"}, "p", {attribute("kernel_shape", Sizes{2, 2}), attribute("strides", Sizes{2, 2})});
  for (const Sizes& dims : {Sizes{-1, 3, -1, -1}, Sizes{1, 3, 8, 8}})
    CHECK(reason({node("Abs", {"x"}, "a"), half, node("Sub", {"a", "p"}, "y")}, dims) ==
          "node 'y' (Sub): it adds two values of different height or width");
  CHECK(import({pool, node("Abs", {"p"}, "a"), list, node("Add", {"a", "l"}, "y")})
            .stop.find("node 'y' (Add): it adds a list to a picture") != std::string::npos);
}

TEST_CASE("a path that ends in a list does not make lists of the others") {
  // Along a list, a constant of three numbers is one per channel; along a picture, one per column.
  const Imported imported =
      import({node("GlobalAveragePool", {"x"}, "p"), node("Flatten", {"p"}, "f"), node("Gemm", {"f", "v"}, "a"),
              node("Add", {"p", "three"}, "b"), node("Flatten", {"b"}, "g"), node("Add", {"a", "g"}, "y")},
             {tensor("v", {3, 3}, Floats(9, 1)), tensor("three", {3}, {1, 2, 3})});
  CHECK(imported.stop.find("node 'b' (Add): its constant has the shape [3]") != std::string::npos);
}

TEST_CASE("a sum whose other operand never comes, and outputs that are not the first") {
  const auto with_outputs = [](const Nodes& nodes, const Nodes& inputs, const Nodes& outputs) {
    std::string graph;
    for (const std::string& each : nodes) graph += onnx::field(1, each);
    for (const std::string& each : inputs) graph += onnx::field(11, onnx::value(each, {-1, 3, -1, -1}));
    for (const std::string& each : outputs) graph += onnx::field(12, onnx::value(each, {-1, 3, -1, -1}));
    return import(onnx::field(7, graph));
  };
  const std::string relu = node("Relu", {"x"}, "r");
  CHECK(with_outputs({relu, node("Abs", {"r"}, "a"), node("Abs", {"z"}, "b"), node("Add", {"r", "b"}, "y")}, {"x", "z"},
                     {"a", "y"})
            .stop == "node 'y' (Add): its other operand is on no path from here");
  const std::string places =
      node("MaxPool", {"r"}, "p", {attribute("kernel_shape", Sizes{2, 2})}) + onnx::field(2, std::string("places"));
  CHECK(with_outputs({relu, places}, {"x"}, {"p", "places"}).stop == "");
  CHECK(with_outputs({relu, places}, {"x"}, {"places"}).stop == "node 'p' (MaxPool): its first output is not used");
  const std::string unnamed = onnx::field(1, std::string("x")) + onnx::field(2, std::string()) +
                              onnx::field(2, std::string("z")) + onnx::field(4, std::string("Dropout"));
  CHECK(with_outputs({unnamed}, {"x"}, {"z"}).stop == "node '' (Dropout): its first output is not used");
}

TEST_CASE("scales of the input where paths part at once") {
  const Imported imported = import({node("Mul", {"x", "each"}, "m"), node("Conv", {"m", "w"}, "a"),
                                    node("Conv", {"m", "w"}, "b"), node("Concat", {"a", "b"}, "y")},
                                   {kWeights, tensor("each", {3, 1, 1}, {1, 2, 4})});
  CHECK(imported.stop.find("it joins the channels") != std::string::npos);
  REQUIRE(imported.layers.size() == 1);
  CHECK(imported.layers[0].weights == Floats{1, 2, 4});
}

TEST_CASE("an operator that changes nothing at the start of a path belongs to no layer of another") {
  const Imported imported = import(
      {node("Conv", {"x", "w"}, "c"), node("Abs", {"c"}, "a"), node("Clip", {"c"}, "b"), node("Add", {"a", "b"}, "y")},
      {kWeights});
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 3);
  CHECK(imported.layers[1].description == "Abs, to 'a'");
  const Imported input = import({node("Clip", {"x"}, "c"), node("Relu", {"c"}, "r"), node("Add", {"r", "x"}, "y")});
  CHECK(input.stop == "");
  REQUIRE(input.layers.size() == 3);
  CHECK(input.layers[0] == input_copy());
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
  const std::string number = node("Constant", {}, "k", {attribute("value_float", 3.0F)});
  CHECK(imported_layer({number, node("Mul", {"k", "x"}, "y")}).weights == Floats{3});
  CHECK(stop_reason({node("Cast", {"x"}, "y", {attribute("to", std::int64_t{2})})}).find("type 2 of ONNX") !=
        std::string::npos);
}

TEST_CASE("where an import ends, and why") {
  CHECK(import({node("Conv", {"x", "w"}, "c"), node("Unsqueeze", {"c"}, "y")}, {kWeights}).stop ==
        "node 'y' (Unsqueeze): its output is not a picture");
  CHECK(stop_reason({node("Frobnicate", {"x"}, "y")}) == "convtool has no such layer");
  CHECK(stop_reason({node("Softmax", {"x"}, "y")}) == "it turns scores into probabilities; convtool has no such layer");
  CHECK(stop_reason({node("Elu", {"x"}, "y")}) == "convtool has no such activation");
  CHECK(stop_reason({node("Transpose", {"x"}, "y", {attribute("perm", Sizes{0, 2, 3, 1})})}) ==
        "it changes the order of dimensions");
  CHECK(
      stop_reason({node("Relu", {"x"}, "r"), node("Transpose", {"r"}, "y", {attribute("perm", Sizes{0, 3, 1, 2})})}) ==
      "it changes the order of dimensions");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {}, "com.example")}, {kWeights}) ==
        "it is an operator of 'com.example', not of ONNX itself");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {2, 3, 1}, {1, 2, 3, 4, 5, 6})}) ==
        "its weights have rank 3 (expected 4, of Conv2d)");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {0, 3, 1, 1}, {})}).find("is empty") !=
        std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {2, 1, 1, 3}, {1, 2, 3, 4, 5, 6})}) ==
        "it takes 1 channel, and its input has 3");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("group", std::int64_t{3})})}, {kWeights})
            .find("3 groups do not") != std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("group", std::int64_t{0})})}, {kWeights})
            .find("0 groups do not") != std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("strides", Sizes{0, 1})})}, {kWeights}).find("[0, 1]") !=
        std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y", {attribute("pads", Sizes{0, -1, 0, 0})})}, {kWeights})
            .find("[0, -1, 0, 0]") != std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "w", "w"}, "y")}, {kWeights}).find("6 bias numbers for 2 output channels") !=
        std::string::npos);
  CHECK(stop_reason({node("Conv", {"x", "v"}, "y")}) == "its weights must be stored in the model");
  CHECK(stop_reason({node("Conv", {"x", "w"}, "y")}, {tensor("w", {1, 3, 1, 1}, {1, 2, std::nanf("")})}).find("NaN") !=
        std::string::npos);
}

TEST_CASE("squeeze-and-excitation, products and joined channels are explained") {
  const std::string conv = node("Conv", {"x", "w"}, "c"), square = tensor("v", {2, 2, 1, 1}, {1, 2, 3, 4});
  const Imported block =
      import({conv, node("GlobalAveragePool", {"c"}, "p"), node("Conv", {"p", "v"}, "a"), node("Relu", {"a"}, "b"),
              node("Conv", {"b", "v"}, "d"), node("Sigmoid", {"d"}, "s"), node("Mul", {"c", "s"}, "y")},
             {kWeights, square});
  CHECK(block.stop ==
        "node 'c' (Conv): 2 nodes read its output ('p' (GlobalAveragePool), 'y' (Mul)), and their paths do not meet: "
        "node 'y' (Mul): it scales each channel by a number that node 'p' (GlobalAveragePool) and others compute from "
        "the picture (squeeze-and-excitation); convtool has no such layer; --until NODE follows one of them");
  REQUIRE(block.layers.size() == 1);
  CHECK(block.layers[0].weights == Floats{1, 2, 3, 4, 5, 6});
  const Imported product = import({conv, node("Tanh", {"c"}, "t"), node("Mul", {"t", "c"}, "y")}, {kWeights});
  CHECK(product.stop.find("node 'y' (Mul): it multiplies two values that depend on the picture; convtool has no such "
                          "layer; --until") != std::string::npos);
  CHECK(import({node("Tanh", {"x"}, "t"), node("Mul", {"t", "x"}, "y")}).stop.find("it multiplies two values") !=
        std::string::npos);
  const Imported joined = import({conv, node("Relu", {"c"}, "r"), node("Concat", {"c", "r"}, "y")}, {kWeights});
  CHECK(joined.stop.find("node 'y' (Concat): it joins the channels of several paths; convtool has no such layer") !=
        std::string::npos);
}

TEST_CASE("numbers that exporters compute from the size of the picture") {
  const Nodes tensors = {kWeights, integers("zero", {0}), integers("rest", {-1}), tensor("v", {3, 2}, Floats(6, 1))};
  const Nodes size = {node("Shape", {"x"}, "s"), node("Gather", {"s", "zero"}, "n")};
  CHECK(import({size[0], size[1], node("Pad", {"x", "n"}, "y")}, tensors).stop ==
        "node 'y' (Pad): its pads must not depend on the size of the picture; export the model with a fixed height and "
        "width, and with constants folded");
  // x.view(x.size(0), -1) of PyTorch.
  const Imported list = import({size[0], size[1], node("Conv", {"x", "w"}, "c"), node("GlobalAveragePool", {"c"}, "p"),
                                node("Concat", {"n", "rest"}, "shape"), node("Reshape", {"p", "shape"}, "l"),
                                node("Gemm", {"l", "v"}, "y", {attribute("transB", std::int64_t{1})})},
                               tensors);
  CHECK(list.stop == "");
  REQUIRE(list.layers.size() == 3);
  CHECK(list.layers[2].shape == KernelShape{3, 2, 1, 1});
}

TEST_CASE("branches, and --until") {
  const std::string model =
      onnx::model({node("Conv", {"x", "w"}, "stem"), node("Abs", {"stem"}, "left"), node("Relu", {"stem"}, "right"),
                   node("Concat", {"left", "right"}, "y"), node("Shape", {"stem"}, "size")},
                  {kWeights});
  const std::string stop = import(model).stop;
  CHECK(
      stop.starts_with("node 'stem' (Conv): 2 nodes read its output ('left' (Abs), 'right' (Relu)), and their paths"));
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
        "node 'y' (Conv): its weights must be stored in the model, not computed by node 'w' (Identity)");
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
  CHECK(name("", "input.weight") == "input-2");  // "input" is the input of the network
  CHECK(name(std::string(500, 'a'), "12").size() == 64);
  const Imported twice = import(
      {node("Conv", {"x", "w"}, "c"), node("Conv", {"c", "v.weight"}, "d"), node("Conv", {"d", "v.weight"}, "y")},
      {kWeights, tensor("v.weight", {2, 2, 1, 1}, {1, 2, 3, 4})});
  REQUIRE(twice.layers.size() == 3);
  CHECK(twice.layers[1].name == "v");
  CHECK(twice.layers[2].name == "v-2");
  const Imported four = import({node("Relu", {"x"}, "a") + onnx::field(3, std::string("r")),
                                node("Abs", {"a"}, "b") + onnx::field(3, std::string("r")),
                                node("Abs", {"b"}, "c") + onnx::field(3, std::string("r-2")),
                                node("Abs", {"c"}, "y") + onnx::field(3, std::string("r"))});
  REQUIRE(four.layers.size() == 4);
  CHECK(four.layers[1].name == "r-2");
  CHECK(four.layers[2].name == "r-2-2");
  CHECK(four.layers[3].name == "r-3");
}

TEST_CASE("a tensor that cannot be read ends the import") {
  const std::string strange = onnx::tensor_of("v", 17, {2, 2, 1, 1});
  const Imported imported = import({node("Conv", {"x", "w"}, "c"), node("Conv", {"c", "v"}, "y")}, {kWeights, strange});
  CHECK(imported.stop == "node 'y' (Conv): 'v' has elements of type 17 of ONNX (expected floats or integers)");
  CHECK(imported.layers.size() == 1);
  CHECK(import({node("Conv", {"x", "w"}, "c"), node("Add", {"c", "v"}, "y")}, {kWeights, strange}).layers.size() == 1);
}

TEST_CASE("the input is the first picture that a node reads") {
  // The inputs "size" and "unread" come before "x".
  const std::string graph = onnx::field(1, node("Relu", {"x"}, "y")) + onnx::field(11, onnx::value("size", {1, 2})) +
                            onnx::field(11, onnx::value("unread", {-1, 3, -1, -1})) +
                            onnx::field(11, onnx::value("x", {-1, 3, -1, -1})) +
                            onnx::field(12, onnx::value("y", {-1, 3, -1, -1}));
  const Imported imported = import(onnx::field(7, graph));
  CHECK(imported.stop == "");
  CHECK(imported.layers.size() == 1);
}

TEST_CASE("messages do not grow with the model") {
  const std::string conv = node("Conv", {"x", "w"}, "y", {attribute("pads", Sizes(100, 1))});
  const std::string stop = import(Nodes{conv + onnx::field(3, std::string(500, 'n'))}, {kWeights}).stop;
  CHECK(stop.starts_with("node 'nnnn"));
  CHECK(stop.ends_with("...' (Conv): its pads are [1, 1, 1, 1, 1, 1, 1, 1, ...] (expected four)"));
  CHECK(stop.size() < 200);
}

}  // namespace
}  // namespace convtool
