// Pools of ONNX models as layers.
#include <doctest/doctest.h>

#include "kernels/onnx/imported.h"
#include "network/network_plan.h"
#include "support/convolve.h"

namespace convtool {
namespace {

using namespace testing;

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
  const std::string pads = attribute("pads", Sizes{1, 0, 1, 0});
  CHECK_FALSE(pool("AveragePool", {pads}).pool.counts_padding);
  CHECK(pool("AveragePool", {pads}).weights.empty());
  CHECK(pool("AveragePool", {pads, attribute("count_include_pad", std::int64_t{1})}).pool.counts_padding);
  CHECK(imported_layer({node("GlobalAveragePool", {"x"}, "y")}).pool.is_global);
  CHECK(imported_layer({node("GlobalAveragePool", {"x"}, "y")}).pooling == Pooling::mean);
  CHECK(imported_layer({node("GlobalMaxPool", {"x"}, "y")}).pooling == Pooling::max);
  CHECK(imported_layer({node("ReduceMean", {"x"}, "y", {attribute("axes", Sizes{-1, 2})})}).pool.is_global);
  CHECK(imported_layer({node("ReduceMean", {"x", "axes"}, "y")}, {integers("axes", {2, 3})}).pool.is_global);
  const Layer largest = imported_layer({node("ReduceMax", {"x"}, "y", {attribute("axes", Sizes{2, 3})})});
  CHECK(largest.pool.is_global);
  CHECK(largest.pooling == Pooling::max);

  const auto refused = [](const std::string& type, const Nodes& attributes) {
    return stop_reason({node(type, {"x"}, "y", attributes)});
  };
  const std::string size = attribute("kernel_shape", Sizes{2, 2});
  CHECK(refused("MaxPool", {}).find("kernel_shape is []") != std::string::npos);
  CHECK(refused("MaxPool", {attribute("kernel_shape", Sizes{0, 2})}).find("[0, 2]") != std::string::npos);
  CHECK(refused("MaxPool", {attribute("kernel_shape", Sizes{1 << 20, 1 << 20})}).find("too large") !=
        std::string::npos);
  CHECK(refused("MaxPool", {size, attribute("pads", Sizes{0, 0, 2, 0})}) ==
        "its pads are as much as its size: a window could lie entirely in the padding (at most 1x1)");
  CHECK(refused("AveragePool", {size, attribute("dilations", Sizes{2, 2})}) == "it has dilations");
  CHECK(refused("ReduceMean", {attribute("axes", Sizes{1})}) == "its axes are not rows and columns");
}

/// The output of an imported model of one layer, for a picture of one channel.
std::vector<double> output_of(const std::string& model_node, const Shape& shape, const std::vector<double>& input) {
  Network network{.banks = {{.layers = {imported_layer({model_node}, {}, {-1, 1, -1, -1})}}}};
  const Tensor x = tensor_of(DType::f32, shape, input);
  const NetworkPlan plan(network, DType::f32, shape, false, {});
  Tensor y(DType::f32, plan.output_shape());
  plan.run(x.ref(), y.ref(), OutputMap::clip);
  return values_of(y.ref());
}

TEST_CASE("auto_pad of pools, whose padding depends on the size of the picture") {
  const auto pool = [](const std::string& type, const std::string& rule, std::int64_t size, std::int64_t stride,
                       Nodes attributes = {}) {
    for (const auto& [name, number] : {std::pair("kernel_shape", size), std::pair("strides", stride)})
      attributes.push_back(attribute(name, Sizes{1, number}));
    attributes.push_back(attribute("auto_pad", rule));
    return node(type, {"x"}, "y", attributes);
  };
  using Row = std::vector<double>;
  // Windows of 3 with stride 2 on 4 pixels: one pixel of padding, at the end or at the start.
  const Shape four{1, 1, 1, 4}, five{1, 1, 1, 5};
  CHECK(output_of(pool("MaxPool", "SAME_UPPER", 3, 2), four, {-9, -2, -7, -4}) == Row{-2, -4});
  CHECK(output_of(pool("MaxPool", "SAME_LOWER", 3, 2), four, {-9, -2, -7, -4}) == Row{-2, -2});
  CHECK(output_of(pool("AveragePool", "SAME_UPPER", 3, 2), four, {3, 6, 9, 12}) == Row{6, 10.5});
  CHECK(output_of(pool("AveragePool", "SAME_LOWER", 3, 2), four, {3, 6, 9, 12}) == Row{4.5, 9});
  const std::string counted = attribute("count_include_pad", std::int64_t{1});
  CHECK(output_of(pool("AveragePool", "SAME_UPPER", 3, 2, {counted}), four, {3, 6, 9, 12}) == Row{6, 7});
  // On 5 pixels one at each end.
  CHECK(output_of(pool("MaxPool", "SAME_UPPER", 3, 2), five, {-9, -2, -7, -4, -5}) == Row{-2, -2, -4});
  // The last of windows of 2 has one pixel, with or without ceil_mode, which kernel files do not take with a rule.
  for (const std::int64_t ceil : {0, 1})
    CHECK(output_of(pool("MaxPool", "SAME_UPPER", 2, 2, {attribute("ceil_mode", ceil)}), five, {1, 2, 3, 4, 5}) ==
          Row{2, 4, 5});
  CHECK_FALSE(
      imported_layer({pool("MaxPool", "SAME_UPPER", 2, 2, {attribute("ceil_mode", std::int64_t{1})})}).pool.ceil_mode);
  CHECK(output_of(pool("MaxPool", "VALID", 2, 2), five, {1, 2, 3, 4, 5}) == Row{2, 4});
  CHECK(output_of(pool("MaxPool", "SAME_LOWER", 2, 1), {1, 1, 1, 3}, {3, 2, 1}) == Row{3, 3, 2});
}

TEST_CASE("pads of more than half of a window, which four sides may have") {
  const Layer layer = imported_layer(
      {node("MaxPool", {"x"}, "y", {attribute("kernel_shape", Sizes{3, 3}), attribute("pads", Sizes{2, 2, 2, 2})})});
  CHECK(layer.params.padding.pads == Pads{2, 2, 2, 2});
}

TEST_CASE("a mean without its dimensions is a list, which a linear layer reads") {
  for (const char* type : {"ReduceMean", "ReduceMax"}) {
    const Imported imported =
        import({node(type, {"x"}, "m", {attribute("axes", Sizes{2, 3}), attribute("keepdims", std::int64_t{0})}),
                node("MatMul", {"m", "v"}, "y")},
               {tensor("v", {3, 2}, {1, 2, 3, 4, 5, 6})});
    CHECK(imported.stop == "");
    REQUIRE(imported.layers.size() == 2);
    CHECK(imported.layers[1].weights == Floats{1, 3, 5, 2, 4, 6});
  }
}

TEST_CASE("a mean of many pixels has no weights") {
  for (const std::int64_t height : {32, 33}) {
    const Layer layer =
        imported_layer({node("AveragePool", {"x"}, "y", {attribute("kernel_shape", Sizes{height, 32})})});
    CHECK(layer.pooling == Pooling::mean);
    CHECK(layer.shape.kh == height);
    CHECK(layer.weights.empty() == (height > 32));
  }
}

}  // namespace
}  // namespace convtool
