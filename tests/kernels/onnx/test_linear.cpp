// Fully connected layers of ONNX models.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "kernels/onnx/import_onnx.h"
#include "network/network_plan.h"
#include "support/convolve.h"
#include "support/onnx.h"
#include "support/program.h"

namespace convtool {
namespace {

using onnx::attribute;
using onnx::integers;
using onnx::node;
using onnx::tensor;
using Strings = std::vector<std::string>;

OnnxImport import_lists(const Strings& nodes, const Strings& tensors, const onnx::Sizes& dims) {
  const TempFolder folder;
  const OnnxFile file(folder.write("m.onnx", onnx::model(nodes, tensors, dims)));
  return import_onnx(file, {});
}

/// The output for this input, as a list.
std::vector<double> output_of(const Network& network, const Shape& shape, const std::vector<double>& input) {
  const Tensor x = tensor_of(DType::f32, shape, input);
  const NetworkPlan plan(network, DType::f32, shape, false, {});
  Tensor y(DType::f32, plan.output_shape());
  plan.run(x.ref(), y.ref(), OutputMap::clip);
  return values_of(y.ref());
}

/// [outputs][inputs] of 1, 2, 3, ...
std::string counting(const std::string& name, std::int64_t outputs, std::int64_t inputs) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < outputs * inputs; ++i) values.push_back(static_cast<float>(i + 1));
  return tensor(name, {outputs, inputs}, values);
}

const std::string kTransposed = attribute("transB", std::int64_t{1});

}  // namespace

TEST_CASE("a linear layer after Flatten reads the whole map, channel by channel, and the next one its outputs") {
  // 2x1x2 values, then relu, then three outputs, then one.
  const Strings tensors = {counting("w", 3, 4), tensor("b", {3}, {1, -1000, 3}), counting("v", 3, 1),
                           tensor("c", {1}, {0.5F})};
  const Strings nodes = {node("Flatten", {"x"}, "f"), node("Gemm", {"f", "w", "b"}, "g", {kTransposed}),
                         node("Relu", {"g"}, "r"), node("MatMul", {"r", "v"}, "m"), node("Add", {"m", "c"}, "y")};
  const OnnxImport import = import_lists(nodes, tensors, {1, 2, 1, 2});
  CHECK(import.stop.value_or("") == "");
  REQUIRE(import.network.banks.size() == 2);
  const Layer& first = import.network.banks[0].layers[0];
  CHECK(first.shape == KernelShape{3, 2, 1, 2});
  CHECK(first.activation == Activation::relu);
  CHECK(import.network.banks[1].layers[0].shape == KernelShape{1, 3, 1, 1});
  // x = 1, 10, 100, 1000: 4321 + 1, 8765 - 1000 and 13209 + 3 (the weights of each in this order), times 1, 2 and 3.
  const double expected = 4322.0 + 2 * (5 + 60 + 700 + 8000 - 1000.0) + 3 * (9 + 100 + 1100 + 12000 + 3.0) + 0.5;
  CHECK(output_of(import.network, {1, 2, 1, 2}, {1, 10, 100, 1000}) == std::vector<double>{expected});
}

TEST_CASE("the size of the map follows from the model, from a global pool, or from Flatten") {
  const Strings tensors = {tensor("k", {2, 1, 2, 2}, std::vector<float>(8, 1)),
                           counting("w", 3, 8),
                           counting("v", 3, 2),
                           onnx::integers("list", {1, -1}),
                           onnx::integers("eight", {-1, 8}),
                           onnx::integers("nine", {-1, 9})};
  const auto shape_of = [&](const Strings& nodes, const onnx::Sizes& dims) {
    const OnnxImport import = import_lists(nodes, tensors, dims);
    CAPTURE(import.stop.value_or(""));
    REQUIRE(!import.stop);
    return import.network.banks.back().layers.back().shape;
  };
  const std::string conv = node("Conv", {"x", "k"}, "a"), gemm = node("Gemm", {"f", "w"}, "y", {kTransposed});
  CHECK(shape_of({conv, node("Flatten", {"a"}, "f"), gemm}, {1, 1, 3, 3}) == KernelShape{3, 2, 2, 2});
  CHECK(shape_of({conv, node("Reshape", {"a", "list"}, "f"), gemm}, {1, 1, 3, 3}) == KernelShape{3, 2, 2, 2});
  CHECK(shape_of({conv, node("Reshape", {"a", "eight"}, "f"), gemm}, {1, 1, 3, 3}) == KernelShape{3, 2, 2, 2});
  CHECK(shape_of({conv, node("Flatten", {"a"}, "f"), gemm}, {1, 1, 2, 5}) == KernelShape{3, 2, 1, 4});
  const std::string two = node("Gemm", {"f", "v"}, "y", {kTransposed});
  CHECK(shape_of({conv, node("GlobalAveragePool", {"a"}, "p"), node("Flatten", {"p"}, "f"), two}, {-1, 1, -1, -1}) ==
        KernelShape{3, 2, 1, 1});

  const auto stop_of = [&](const Strings& nodes, const onnx::Sizes& dims) {
    return import_lists(nodes, tensors, dims).stop.value_or("");
  };
  CHECK(stop_of({conv, node("Flatten", {"a"}, "f"), gemm}, {-1, 1, -1, -1}) ==
        "node 'y' (Gemm): its weights fit one size of pictures, which the model does not say; export it with a fixed "
        "height and width");
  CHECK(stop_of({conv, node("Reshape", {"a", "eight"}, "f"), gemm}, {-1, 1, -1, -1}) ==
        "node 'f' (Reshape): its output may not be one picture; export the model with a fixed height and width");
  CHECK(stop_of({conv, node("Reshape", {"a", "nine"}, "f"), gemm}, {1, 1, 3, 3}) ==
        "node 'f' (Reshape): its output is not all values of one picture");
  CHECK(stop_of({conv, node("Flatten", {"a"}, "f"), gemm}, {1, 1, 4, 4}) ==
        "node 'y' (Gemm): it takes 8 values, and its input has 2x3x3");
  CHECK(stop_of({conv, node("Gemm", {"a", "w"}, "y", {kTransposed})}, {1, 1, 3, 3}) ==
        "node 'y' (Gemm): its input is a picture (expected a list, from Flatten)");
  CHECK(stop_of({conv, node("Flatten", {"a"}, "f"), node("Relu", {"f"}, "r"), node("Conv", {"r", "k"}, "y")},
                {1, 1, 3, 3}) == "node 'y' (Conv): its input is not a picture any more, but a list");
}

TEST_CASE("the shapes of Reshape that are lists, and those that are not") {
  const auto stop_of = [](const onnx::Sizes& shape, bool is_list = false) {
    const Strings nodes = {node(is_list ? "Flatten" : "Relu", {"x"}, "a"), node("Reshape", {"a", "s"}, "f"),
                           node("Gemm", {"f", "w"}, "y", {kTransposed})};
    return import_lists(nodes, {counting("w", 3, 8), onnx::integers("s", shape)}, {1, 2, 2, 2}).stop.value_or("");
  };
  for (const bool is_list : {false, true}) {
    for (const onnx::Sizes& shape : std::vector<onnx::Sizes>{{1, 8}, {0, 8}, {-1, 8}, {1, -1}, {0, -1}})
      CHECK(stop_of(shape, is_list) == "");
    const std::string others = "node 'f' (Reshape): its output is not all values of one picture";
    CHECK(stop_of({-1, 4}, is_list) == others);
    CHECK(stop_of({1, 16}, is_list) == others);
    CHECK(stop_of({1, 7}, is_list) == others);
    for (const onnx::Sizes& shape : std::vector<onnx::Sizes>{{2, 4}, {2, -1}, {-1, -1}, {0, 0}, {1, 8, 1}})
      CHECK(stop_of(shape, is_list) == "node 'f' (Reshape): its output is not a picture");
  }
}

TEST_CASE("Reshape to a number of pictures that is computed from the shape of one") {
  const Strings tensors = {counting("w", 3, 8),          onnx::integers("0", {0}), onnx::integers("2", {2}),
                           onnx::integers("rest", {-1}), onnx::integers("8", {8}), onnx::integers("4", {4}),
                           tensor("first", {}, {0}),     counting("big", 8, 2000)};
  const auto stop_of = [&](const Strings& size, const std::string& count, const std::string& of = "x") {
    Strings nodes = {node("GlobalAveragePool", {"x"}, "p"), node("Shape", {of}, "s")};
    nodes.insert(nodes.end(), size.begin(), size.end());
    nodes.insert(nodes.end(), {node("Concat", {"n", count}, "shape"), node("Reshape", {"p", "shape"}, "f"),
                               node("Gemm", {"f", "w"}, "y", {kTransposed})});
    return import_lists(nodes, tensors, {-1, 8, -1, -1}).stop.value_or("");
  };
  const std::string number = node("Gather", {"s", "first"}, "g"), list = node("Unsqueeze", {"g"}, "n");
  CHECK(stop_of({number, list}, "rest") == "");
  CHECK(stop_of({number, list}, "8") == "");
  CHECK(stop_of({node("Gather", {"s", "0"}, "n")}, "rest") == "");
  CHECK(stop_of({number, list}, "4") == "node 'f' (Reshape): its output is not all values of one picture");
  // The height, the first number of another tensor, and other operators on the shape.
  const std::string computed =
      "node 'f' (Reshape): its shape must not depend on the size of the picture; export the model with a fixed height "
      "and width, and with constants folded";
  CHECK(stop_of({node("Gather", {"s", "2"}, "n")}, "rest") == computed);
  CHECK(stop_of({node("Gather", {"s", "0"}, "n")}, "rest", "big") == computed);
  CHECK(stop_of({number, node("Add", {"g", "2"}, "n")}, "rest") == computed);
  CHECK(stop_of({node("Add", {"s", "0"}, "n")}, "rest") == computed);
  CHECK(stop_of({node("Unsqueeze", {}, "n")}, "rest").starts_with("node 'f' (Reshape): its shape must be stored"));
}

TEST_CASE("Squeeze of rows and columns, at once or one after the other") {
  const auto stop_of = [](const Strings& squeezes, const std::string& list, const onnx::Sizes& dims = {1, 4, 1, 1}) {
    Strings nodes = squeezes;
    nodes.push_back(node("Gemm", {list, "w"}, "y", {kTransposed}));
    const OnnxImport import = import_lists(nodes, {counting("w", 3, 4), onnx::integers("-1", {-1})}, dims);
    if (import.stop) return *import.stop;
    CHECK(output_of(import.network, {1, 4, 1, 1}, {1, 0, 0, 1}) == std::vector<double>{1 + 4, 5 + 8, 9 + 12});
    return std::string();
  };
  using onnx::Sizes;
  const auto squeeze = [](const std::string& from, const std::string& to, const Sizes& axes) {
    return node("Squeeze", {from}, to, {attribute("axes", axes)});
  };
  for (const Sizes& axes : std::vector<Sizes>{{2, 3}, {3, 2}, {-1, -2}, {2, -1}})
    CHECK(stop_of({squeeze("x", "a", axes)}, "a") == "");
  for (const std::int64_t first : {2, 3, -1, -2})
    for (const std::int64_t second : {2, -1})
      CHECK(stop_of({squeeze("x", "a", {first}), squeeze("a", "b", {second})}, "b") == "");
  CHECK(stop_of({node("Squeeze", {"x", "-1"}, "a"), node("Squeeze", {"a", "-1"}, "b")}, "b") == "");
  CHECK(stop_of({squeeze("x", "a", {2, 3}), node("Identity", {"a"}, "b")}, "b") == "");

  const std::string first = "node 'a' (Squeeze): its output is not a picture",
                    second = "node 'b' (Squeeze): its output is not a picture";
  CHECK(stop_of({squeeze("x", "a", {-1})}, "a") == first);
  CHECK(stop_of({squeeze("x", "a", {-1}), node("Relu", {"a"}, "b")}, "b") == first);
  CHECK(stop_of({squeeze("x", "a", {1}), squeeze("a", "b", {-1})}, "b") == first);
  CHECK(stop_of({squeeze("x", "a", {-1}), squeeze("a", "b", {1})}, "b") == second);
  CHECK(stop_of({squeeze("x", "a", {-1}), squeeze("a", "b", {3})}, "b") == second);
  CHECK(stop_of({squeeze("x", "a", {-1}), squeeze("a", "b", {-1})}, "b", {1, 2, 1, 2}) ==
        "node 'b' (Squeeze): its output is not all values of one picture");
}

TEST_CASE("a size of the input beyond any memory") {
  constexpr std::int64_t kHuge = std::int64_t{1} << 30;
  const Strings tensors = {counting("w", 1, 4), onnx::integers("four", {1, 4})};
  const std::string gemm = node("Gemm", {"f", "w"}, "y", {kTransposed});
  CHECK(import_lists({node("Flatten", {"x"}, "f"), gemm}, tensors, {1, kHuge, kHuge, kHuge}).stop.value_or("") ==
        "node 'y' (Gemm): it takes 4 values, and its input has 1073741824x1073741824x1073741824");
  CHECK(import_lists({node("Flatten", {"x"}, "f"), gemm}, tensors, {1, kHuge * kHuge, 3, 3}).stop.value_or("") ==
        "node 'y' (Gemm): it takes 4 values, and its input has 3x3 per channel");
  CHECK(import_lists({node("Flatten", {"x"}, "f"), node("Shape", {"f"}, "s"), node("Reshape", {"f", "s"}, "y")},
                     tensors, {1, kHuge, kHuge, kHuge})
            .stop.value_or("")
            .starts_with("node 'y' (Reshape): its shape must not depend"));
  CHECK(
      import_lists({node("Reshape", {"x", "four"}, "f"), gemm}, tensors, {1, kHuge, kHuge, kHuge}).stop.value_or("") ==
      "node 'f' (Reshape): its output is not all values of one picture");
}

TEST_CASE("Gemm with factors and weights as stored, and biases of a list") {
  const Strings tensors = {tensor("w", {2, 1}, {3, 5}), tensor("b", {1}, {7}), tensor("scale", {1, 1}, {2})};
  const OnnxImport import =
      import_lists({node("Flatten", {"x"}, "f"),
                    node("Gemm", {"f", "w", "b"}, "g", {attribute("alpha", 2.0F), attribute("beta", 0.5F)}),
                    node("Mul", {"g", "scale"}, "y")},
                   tensors, {1, 2, 1, 1});
  REQUIRE(!import.stop);
  CHECK(output_of(import.network, {1, 2, 1, 1}, {1, 10}) == std::vector<double>{2 * (2 * 53 + 3.5)});
}

TEST_CASE("a map of more values than 64 bits count is not a list") {
  Strings nodes = {node("Conv", {"x", "w"}, "0")};
  for (int i = 0; i < 4; ++i) nodes.push_back(node("Upsample", {std::to_string(i), "s"}, std::to_string(i + 1)));
  const Strings tensors = {tensor("w", {1, 3, 1, 1}, {1, 2, 3}), tensor("s", {4}, {1, 1, 64, 64}), counting("v", 5, 1),
                           integers("list", {1, 5})};
  for (const Strings& last : std::vector<Strings>{{node("Reshape", {"4", "list"}, "y")},
                                                  {node("Flatten", {"4"}, "f"), node("Gemm", {"f", "v"}, "y")}}) {
    Strings all = nodes;
    all.insert(all.end(), last.begin(), last.end());
    const OnnxImport import = import_lists(all, tensors, {1, 3, 1024, 1024});
    CHECK(import.stop.value_or("").find("fixed height and width") != std::string::npos);
  }
}

}  // namespace convtool
