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
  CHECK(refused({attribute("output_shape", Sizes{9, 9})}) ==
        "node 'c' (ConvTranspose): its output_shape is [9, 9], and its input may have any size; export the model with "
        "a fixed height and width");
  CHECK(refused({attribute("strides", Sizes{1000, 1000})}).find("too large") != std::string::npos);
}

TEST_CASE("pads of transposed convolutions that follow from a rule or from the size of the output") {
  const auto pads = [](Nodes attributes, const Sizes& dims = {-1, 1, -1, -1}) {
    attributes.insert(attributes.end(), {attribute("strides", Sizes{2, 2}), attribute("dilations", Sizes{1, 2})});
    return imported_layer({node("ConvTranspose", {"x", "w"}, "y", attributes)},
                          {tensor("w", {1, 1, 3, 4}, Floats(12, 1))}, dims)
        .params.padding.pads;
  };
  // The output has (n - 1) * 2 + 3 rows and (n - 1) * 2 + 7 columns; 2n are 1 and 5 less.
  const std::string upper = attribute("auto_pad", "SAME_UPPER"), lower = attribute("auto_pad", "SAME_LOWER"),
                    more = attribute("output_padding", Sizes{1, 0});
  CHECK(pads({upper}) == Pads{0, 2, 1, 3});
  CHECK(pads({lower}) == Pads{1, 3, 0, 2});
  CHECK(pads({upper, more}) == Pads{1, 2, 1, 3});
  CHECK(pads({attribute("auto_pad", "VALID")}) == Pads{});
  // 5x6 inputs: 11 and 17 without pads.
  const std::string shape = attribute("output_shape", Sizes{10, 12});
  CHECK(pads({shape}, {1, 1, 5, 6}) == Pads{1, 3, 0, 2});
  CHECK(pads({shape, upper}, {1, 1, 5, 6}) == Pads{0, 2, 1, 3});
  const auto refused = [](const std::string& given, const Sizes& size) {
    return import({node("ConvTranspose", {"x", "w"}, "y", {attribute("strides", Sizes{2, 2}), given})},
                  {tensor("w", {1, 1, 1, 1}, {1})}, size)
        .stop;
  };
  const std::string reason = "node 'y' (ConvTranspose): its output is larger than its kernels reach";
  CHECK(refused(upper, {-1, 1, -1, -1}) == reason);
  CHECK(refused(attribute("output_shape", Sizes{99, 99}), {1, 1, 5, 6}) == reason);
  CHECK(refused(attribute("output_shape", Sizes{9, -1}), {1, 1, 5, 6}).find("its output_shape are [9, -1]") !=
        std::string::npos);
}

}  // namespace
}  // namespace convtool
