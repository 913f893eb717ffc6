// Convolutions of ONNX models as layers.
#include <doctest/doctest.h>

#include "kernels/onnx/imported.h"

namespace convtool {
namespace {

using namespace testing;

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

}  // namespace
}  // namespace convtool
