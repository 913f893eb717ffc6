// Borders and upsampling of ONNX models as layers.
#include <doctest/doctest.h>

#include <limits>

#include "kernels/onnx/imported.h"

namespace convtool {
namespace {

using namespace testing;

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
  for (const auto& named_mode : modes) {
    const auto& word = named_mode.first;
    const auto& mode = named_mode.second;
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
  const std::string huge = onnx::tensor_of("huge", onnx::kDouble, {}) + onnx::field(9, raw_bytes(std::vector{1e300}));
  CHECK(stop_reason({node("Pad", {"x", "pads", "huge"}, "y")}, {integers("pads", {0, 0, 1, 1, 0, 0, 1, 1}), huge}) ==
        "it pads with 1e+300");
  CHECK(stop_reason({node("Pad", {"x", "pads"}, "y")}, {integers("pads", {1, 1})}).find("expected two per axis") !=
        std::string::npos);
}

TEST_CASE("a border before a convolution, and with other layers around it") {
  const Nodes tensors = {kWeights, integers("pads", {0, 0, 1, 1, 0, 0, 1, 1}), tensor("value", {}, {-5})};
  const std::string pad = node("Pad", {"a", "pads", "value"}, "p"), abs = node("Abs", {"x"}, "a");
  const auto layers = [&](const Nodes& nodes) {
    const Imported imported = import(nodes, tensors);
    CHECK(imported.stop == "");
    return imported.layers;
  };
  const std::vector<Layer> absorbed = layers({abs, pad, node("Conv", {"p", "w"}, "y")});
  REQUIRE(absorbed.size() == 2);
  CHECK(absorbed[1].params.padding_value == -5);
  CHECK(absorbed[1].from == "");
  CHECK(layers({abs, pad, node("Relu", {"p"}, "r"), node("Conv", {"r", "w"}, "y")}).size() == 3);
  const std::vector<Layer> pooled = layers(
      {abs, pad, node("MaxPool", {"p"}, "m", {attribute("kernel_shape", Sizes{2, 2})}), node("Conv", {"m", "w"}, "y")});
  REQUIRE(pooled.size() == 4);
  CHECK(pooled[3].params.padding == Padding{});
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
}

TEST_CASE("Resize of opset 10, and without scales") {
  const std::string scales = tensor("s", {4}, {1, 1, 2, 3}), none = tensor("n", {0}, {});
  const Layer layer = imported_layer({node("Resize", {"x", "s"}, "y")}, {scales});
  CHECK(layer.enlarging == Enlarging::nearest);
  CHECK(layer.params.stride == Extent{2, 3});
  CHECK(stop_reason({node("Resize", {"x", "s"}, "y", {attribute("mode", std::string("linear"))})}, {scales}) ==
        "its mode is 'linear'");
}

TEST_CASE("Resize to a size, where that of its input is known") {
  const std::string conv = node("Conv", {"x", "w"}, "c", {attribute("strides", Sizes{2, 2})});
  const auto resized = [&](const Sizes& sizes, const Sizes& input) {
    return import({conv, node("Resize", {"c", "", "none", "sizes"}, "y")},
                  {kWeights, integers("sizes", sizes), tensor("none", {0}, {})}, input);
  };
  const Imported imported = resized({1, 2, 8, 15}, {1, 3, 8, 10});  // of 4x5
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 2);
  CHECK(imported.layers[1].enlarging == Enlarging::nearest);
  CHECK(imported.layers[1].params.stride == Extent{2, 3});
  CHECK(resized({1, 2, 8, 12}, {1, 3, 8, 10}).stop ==
        "node 'y' (Resize): it does not enlarge rows and columns by whole factors");
  CHECK(resized({1, 2, 8, 15}, {-1, 3, -1, -1}).stop ==
        "node 'y' (Resize): its output has a fixed size, and its input may have any; export the model with a fixed "
        "height and width");
  CHECK(resized({8, 15}, {1, 3, 8, 10}).stop == "node 'y' (Resize): it has 2 sizes (expected 4)");
  const Imported last = import({node("Transpose", {"x"}, "t", {attribute("perm", Sizes{0, 3, 1, 2})}),
                                node("Resize", {"t", "", "none", "sizes"}, "y")},
                               {integers("sizes", {1, 3, 16, 30}), tensor("none", {0}, {})}, {1, 8, 10, 3});
  REQUIRE(last.layers.size() == 1);
  CHECK(last.layers[0].params.stride == Extent{2, 3});
  CHECK(resized({1, 4, 8, 15}, {1, 3, 8, 10}).stop ==  // of twice the channels
        "node 'y' (Resize): it does not enlarge rows and columns by whole factors");
  const auto by_policy = [](const std::string& policy) {
    return stop_reason({node("Resize", {"c", "", "", "sizes"}, "y", {attribute("keep_aspect_ratio_policy", policy)}),
                        node("Relu", {"x"}, "c")},
                       {integers("sizes", {1, 3, 16, 32})});
  };
  CHECK(by_policy("not_larger") == "its keep_aspect_ratio_policy is 'not_larger'");
  CHECK(by_policy("stretch").starts_with("its output has a fixed size"));
}

TEST_CASE("Resize to sizes that are computed from known shapes") {
  // interpolate(c, size=(8, 15)) and interpolate(c, size=x.shape[2:]) of PyTorch.
  const Nodes tensors = {kWeights, integers("0", {0}), integers("2", {2}), integers("4", {4}),
                         integers("given", {8, 15})};
  const Nodes nodes = {node("Conv", {"x", "w"}, "c", {attribute("strides", Sizes{2, 2})}), node("Shape", {"c"}, "s"),
                       node("Slice", {"s", "0", "2", "0"}, "start"), node("Shape", {"x"}, "t"),
                       node("Slice", {"t", "2", "4", "0"}, "end")};
  const auto resized = [&](const std::string& sizes, const Sizes& dims) {
    Nodes all = nodes;
    all.push_back(node("Concat", {"start", sizes}, "sizes", {attribute("axis", std::int64_t{0})}));
    all.push_back(node("Resize", {"c", "", "", "sizes"}, "y"));
    return import(all, tensors, dims);
  };
  const Imported given = resized("given", {1, 3, 8, 10});
  CHECK(given.stop == "");
  REQUIRE(given.layers.size() == 2);
  CHECK(given.layers[1].params.stride == Extent{2, 3});
  const Imported alike = resized("end", {1, 3, 8, 10});
  REQUIRE(alike.layers.size() == 2);
  CHECK(alike.layers[1].params.stride == Extent{2, 2});
  for (const Sizes& dims : {Sizes{-1, 3, -1, -1}, Sizes{-1, -1, 8, 10}})
    CHECK(resized("end", dims).stop.starts_with("node 'y' (Resize): its sizes must not depend on the size"));
  // A part of a shape, of opset 15, of a value and of weights.
  for (const char* of : {"x", "w"})
    CHECK(import({node("Shape", {of}, "s", {attribute("start", std::int64_t{2})}), node("Flatten", {"x"}, "f"),
                  node("Reshape", {"f", "s"}, "y")},
                 {tensor("w", {1, 12}, Floats(12, 1))}, {1, 3, 2, 2})
              .stop.starts_with("node 'y' (Reshape): its shape must not depend"));
  // Of an activation of two nodes, and of a list: [1, 2 * 2].
  const Imported list = import({node("Sigmoid", {"x"}, "g"), node("Mul", {"x", "g"}, "m"), node("Shape", {"m"}, "s"),
                                node("Reshape", {"m", "s"}, "y")},
                               {}, {1, 3, 2, 2});
  CHECK(list.stop == "node 'y' (Reshape): its output is not a picture");
  CHECK(import({node("Flatten", {"x"}, "f"), node("Shape", {"f"}, "s"), node("Reshape", {"f", "s"}, "y")}, {},
               {1, 3, 2, 2})
            .stop == "");
  // Of an input whose channels are last, the shape has another order.
  CHECK(import({node("Shape", {"x"}, "s"), node("Transpose", {"x"}, "t", {attribute("perm", Sizes{0, 3, 1, 2})}),
                node("Resize", {"t", "", "", "s"}, "y")},
               {}, {1, 3, 3, 3})
            .stop.find("must not depend") != std::string::npos);
}

TEST_CASE("sizes are those of the value that a node reads, also after another path") {
  // r of 8x8 is halved and enlarged on one path, and only enlarged on the other.
  const Imported imported =
      import({node("Relu", {"x"}, "r"), node("Conv", {"r", "v"}, "h", {attribute("strides", Sizes{2, 2})}),
              node("Resize", {"r", "", "", "sizes"}, "b"), node("Resize", {"h", "", "", "sizes"}, "a"),
              node("Add", {"a", "b"}, "y")},
             {tensor("v", {3, 3, 1, 1}, Floats(9, 1)), integers("sizes", {1, 3, 16, 16})}, {1, 3, 8, 8});
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 5);
  CHECK(imported.layers[2].params.stride == Extent{4, 4});
  CHECK(imported.layers[3].from == "r");
  CHECK(imported.layers[3].params.stride == Extent{2, 2});
}

}  // namespace
}  // namespace convtool
