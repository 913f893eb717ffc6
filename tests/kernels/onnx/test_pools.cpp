// Pools of ONNX models as layers.
#include <doctest/doctest.h>

#include "kernels/onnx/imported.h"

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
