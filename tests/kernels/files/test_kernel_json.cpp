// Valid kernel files. tests/cli/test_bad_input.cpp tests invalid ones, with the program.

#include <doctest/doctest.h>

#include <limits>

#include "kernels/files/foreign_kernels.h"
#include "kernels/files/kernel_json.h"
#include "kernels/files/kernel_writer.h"
#include "kernels/files/layer_text.h"
#include "kernels/named_kernel.h"
#include "support/error_text.h"
#include "support/program.h"
#include "support/safetensors.h"
#include "support/zip_file.h"

using namespace convtool;

namespace {

Network parse(const std::string& text) { return parse_kernel_json(text, "k.json", "k"); }
Layer layer_of(const std::string& text) { return parse(text).banks.at(0).layers.at(0); }

template <class Body>
Error error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  throw Error(ErrorKind::internal, "", "a test expected an error and there was none");
}

std::string json_refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kernel);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a bare matrix is a layer with nn.Conv2d's defaults") {
  const Layer layer = layer_of("[[1, -1]]");
  CHECK(layer.name == "k");
  CHECK(layer.rank == 2);
  CHECK(layer.shape == KernelShape{1, 1, 1, 2});
  CHECK(layer.weights == std::vector<float>{1, -1});
  CHECK(layer.bias.empty());
  CHECK(layer.params == ConvParams{});
  CHECK(layer.activation == Activation::none);
  CHECK(!parse("[[1, -1]]").banks[0].map);
  CHECK(layer_of("[[[1]],[[2]]]").shape == KernelShape{1, 2, 1, 1});
  CHECK(layer_of("[[[[1,2]]],[[[3,4]]],[[[5,6]]]]").shape == KernelShape{3, 1, 1, 2});
}

TEST_CASE("every key of a layer is read") {
  const std::string text =
      R"({"name": "n", "description": "d", "weight": [[[[2]],[[4]]],[[[6]],[[8]]]], "bias": [1, 2], "divisor": 2,
    "stride": [2, 3], "dilation": 4, "pads": [1, 2, 3, 4], "padding_mode": "constant", "padding_value": 7.5, "groups": 2,
    "activation": "relu", "map": "offset"})";
  const Network network = parse(text);
  const Layer& layer = network.banks.at(0).layers.at(0);
  CHECK(network.name == "n");
  CHECK(layer.description == "d");
  CHECK(layer.weights == std::vector<float>{2, 4, 6, 8});
  CHECK(layer.divisor == std::vector<double>{2});
  CHECK(layer.bias == std::vector<float>{1, 2});
  CHECK(layer.params.stride == Extent{2, 3});
  CHECK(layer.params.dilation == Extent{4, 4});
  CHECK(layer.params.padding == Padding{Padding::Rule::fixed, {1, 2, 3, 4}});
  CHECK(layer.params.padding_mode == PaddingMode::constant);
  CHECK(layer.params.padding_value == 7.5F);
  CHECK(layer.params.groups == 2);
  CHECK(layer.activation == Activation::relu);
  CHECK(network.banks[0].map == OutputMap::offset);
}

TEST_CASE("padding by numbers and by words, including ONNX's words") {
  const auto padding = [](const std::string& value) {
    return layer_of(R"({"weight":[[1]],"padding":)" + value + "}").params.padding;
  };
  CHECK(padding("2") == Padding{Padding::Rule::fixed, {2, 2, 2, 2}});
  CHECK(padding("[0, 1]") == Padding{Padding::Rule::fixed, {0, 1, 0, 1}});
  CHECK(padding("\"valid\"") == Padding{});
  CHECK(padding("\"same\"").rule == Padding::Rule::same);
  CHECK(padding("\"same_lower\"").rule == Padding::Rule::same_lower);
  CHECK(padding("\"full\"").rule == Padding::Rule::full);
  const auto onnx = [](const std::string& value) {
    return layer_of(R"({"weight":[[1]],"auto_pad":")" + value + "\"}").params.padding;
  };
  CHECK(onnx("SAME_UPPER").rule == Padding::Rule::same);
  CHECK(onnx("SAME_LOWER").rule == Padding::Rule::same_lower);
  CHECK(onnx("VALID") == Padding{});
}

TEST_CASE("aliases are read") {
  CHECK(layer_of(R"({"weights": [[3]]})").weights == std::vector<float>{3});
  CHECK(layer_of(R"({"kernel": [[3]]})").weights == std::vector<float>{3});
  const Layer layer = layer_of(R"({"kernel": [[[[1]]],[[[1]]]], "strides": [1, 2], "dilations": [3, 4], "group": 2})");
  CHECK(layer.params.stride == Extent{1, 2});
  CHECK(layer.params.dilation == Extent{3, 4});
  CHECK(layer.params.groups == 2);
}

TEST_CASE("divisor and normalize divide sums and do not change the weights") {
  CHECK(layer_of(R"({"weight": [[1, 1, 1]], "divisor": 3})").weights == std::vector<float>{1, 1, 1});
  CHECK(layer_of(R"({"weight": [[1, 1, 1]], "divisor": 3})").divisor == std::vector<double>{3});
  CHECK(layer_of(R"({"weight": [[1, 1, 1]], "divisor": 1})").divisor.empty());
  CHECK(layer_of(R"({"weight": [[1, 2, 1]], "divisor": 9, "normalize": true})").divisor == std::vector<double>{4});
  // Each output channel is divided by its own sum, so that flat areas keep their value.
  CHECK(layer_of(R"({"weight": [[[[1,3]]],[[[5,5]]]], "normalize": true})").divisor == std::vector<double>{4, 10});
  CHECK(json_refusal(R"({"weight": [[0.1, 0.2, -0.3]], "normalize": true})").find("which is 0") != std::string::npos);
  CHECK(json_refusal(R"({"weight": [[3e38, 1, 3e38]], "normalize": true})").find("beyond float32 (6.0") !=
        std::string::npos);  // a kernel with such a divisor could be written, and not be read again
  CHECK(json_refusal(R"({"weight": [[1e30]], "divisor": 1e-30})").find("beyond float32") != std::string::npos);
}

TEST_CASE("banks and networks") {
  const Network bank = parse(
      R"({"name": "b", "bank": [[[1, 0]], {"name": "second", "weight": [[0, 1]]}], "combine": "magnitude", "map": "clip"})");
  REQUIRE(bank.banks.size() == 1);
  CHECK(bank.banks[0].combine == Combine::magnitude);
  CHECK(bank.banks[0].map == OutputMap::clip);
  REQUIRE(bank.banks[0].layers.size() == 2);
  CHECK(bank.banks[0].layers[0].name == "b-1");
  CHECK(bank.banks[0].layers[1].name == "second");

  const Network network = parse(R"({"layers": [[[1]], {"bank": [[[1]], [[2]]]}], "map": "abs"})");
  REQUIRE(network.banks.size() == 2);
  CHECK(network.name == "k");
  CHECK(network.banks[1].layers.size() == 2);
  CHECK(network.banks[1].combine == Combine::none);
  CHECK(network.banks[1].map == OutputMap::abs);
  CHECK(json_refusal(R"({"layers": [{"weight": [[1]], "map": "abs"}]})").find("/layers/0/map") != std::string::npos);
  CHECK(json_refusal(R"({"layers": []})").find("/layers: ") != std::string::npos);
  CHECK(json_refusal(R"({"bank": 3})").find("/bank: ") != std::string::npos);
  CHECK(json_refusal(R"({"layers": [[[1]], [[1],[2,3]]]})").find("/layers/1/1: ragged") != std::string::npos);
}

TEST_CASE("a kernel's name stands in place of a kernel in networks and banks") {
  const auto named = [](const std::string& text) {
    return parse_kernel_json(text, "k.json", "k", weight_files_in(""), load_named_kernel);
  };
  const Network network = named(R"({"layers": ["gaussian:sigma=2", [[1]], "sobel"], "map": "normalize"})");
  REQUIRE(network.banks.size() == 3);
  CHECK(network.name == "k");
  CHECK(network.banks[0] == load_named_kernel("gaussian:sigma=2").banks[0]);
  Bank sobel = load_named_kernel("sobel").banks[0];
  sobel.map = OutputMap::normalize;
  CHECK(network.banks[2] == sobel);

  const Network bank = named(R"({"bank": ["scharr-x", [[1]], "gaussian:sigma=2"]})");
  REQUIRE(bank.banks.size() == 1);
  REQUIRE(bank.banks[0].layers.size() == 3);
  CHECK(bank.banks[0].layers[0] == load_named_kernel("scharr-x").banks[0].layers[0]);
  CHECK(bank.banks[0].layers[2] == load_named_kernel("gaussian:sigma=2").banks[0].layers[0]);
  CHECK(named(format_kernel_json(network)) == network);  // by weights

  const auto refusal = [&](const std::string& text) {
    return convtool::testing::error_text(ErrorKind::kernel, [&] { named(text); });
  };
  CHECK(refusal(R"({"layers": [[[1]], "sobl"]})") ==
        "k.json: /layers/1: no kernel is called 'sobl'; did you mean 'sobel'?");
  CHECK(refusal(R"({"bank": ["blur"]})") == "k.json: /bank/0: no kernel is called 'blur'; did you mean 'gaussian'?");
  CHECK(refusal(R"({"layers": ["gaussian:sigma=-1"]})").starts_with("k.json: /layers/0: gaussian:sigma=-1: sigma "));
  CHECK(refusal(R"({"layers": ["gaussian:sgma=1"]})").find("did you mean 'sigma'?") != std::string::npos);
  CHECK(refusal(R"({"layers": ["edge.json"]})").find("/layers/0: 'edge.json' is a file") != std::string::npos);
  CHECK(refusal(R"({"layers": ["w.npy"]})").find("/layers/0: 'w.npy' is a file") != std::string::npos);
  CHECK(refusal(R"({"layers": [""]})").find("/layers/0: no kernel is called ''") != std::string::npos);
  CHECK(refusal(R"({"bank": ["sobel-x", "sobel"]})").find("/bank/1: 'sobel' combines the outputs of 2 kernels") !=
        std::string::npos);
  CHECK(refusal(R"({"weight": "sobel"})").find("/weight: 'sobel' is a kernel's name") != std::string::npos);
  CHECK(refusal(R"("sobel")").find("is not a kernel") != std::string::npos);
  CHECK(json_refusal(R"({"layers": ["sobel"]})").find("/layers/0: a string") != std::string::npos);

  // Names count like files of weights.
  const auto large = [](const std::string& name) -> Network {
    const Layer layer{.name = name, .shape = {.kh = 1 << 14, .kw = 1 << 13}};  // 2^27 weights, as far as is counted
    return {.name = name, .banks = {{.name = name, .layers = {layer}}}};
  };
  CHECK(convtool::testing::error_text(ErrorKind::kernel, [&] {
          parse_kernel_json(R"({"layers": ["a", "b", "c"]})", "k.json", "k", weight_files_in(""), large);
        }).starts_with("k.json: /layers/2: adds up to more than 268435456 weights"));
}

TEST_CASE("pools: a mean is a window of ones, and the default stride is the size") {
  const Layer max = layer_of(R"({"pool": "max", "size": 2})");
  CHECK(max.name == "k");
  CHECK(max.pooling == Pooling::max);
  CHECK(max.shape == KernelShape{1, 1, 2, 2});
  CHECK(max.weights.empty());
  CHECK(max.params.stride == Extent{2, 2});
  CHECK(max.params.padding == Padding{});
  const Network network = parse(
      R"({"layers": [[[1]], {"name": "p", "pool": "mean", "size": [3, 2], "stride": [1, 4], "padding": [1, 0]}]})");
  const Layer& mean = network.banks.at(1).layers.at(0);
  CHECK(mean.name == "p");
  CHECK(mean.pooling == Pooling::mean);
  CHECK(mean.shape == KernelShape{1, 1, 3, 2});
  CHECK(mean.weights == std::vector<float>(6, 1.0F));
  CHECK(mean.divisor == std::vector<double>{6});
  CHECK(mean.params.stride == Extent{1, 4});
  CHECK(mean.params.padding == Padding{Padding::Rule::fixed, {1, 0, 1, 0}});
  CHECK(parse(R"({"pool": "max", "size": 2, "map": "normalize"})").banks[0].map == OutputMap::normalize);

  std::string many = R"({"layers": [[[1]])";
  for (int i = 0; i < 17; ++i) many += R"(,{"pool": "mean", "size": 4096})";
  CHECK(json_refusal(many + "]}").find("/layers/17/size: adds up to more than 268435456 weights") != std::string::npos);
  CHECK(json_refusal(R"({"pool": "max"})").find("no size") != std::string::npos);
  CHECK(json_refusal(R"({"pool": "maxx", "size": 2})").find("/pool: ") != std::string::npos);
  CHECK(json_refusal(R"({"pool": "max", "size": 3, "padding": 2})").find("at most 1x1") != std::string::npos);
  CHECK(json_refusal(R"({"pool": "max", "size": [4096, 4097]})").find("/size: a window of more than") !=
        std::string::npos);
  CHECK(json_refusal(R"({"pool": "max", "size": 1073741824})").find("/size: a window of more than") !=
        std::string::npos);
  CHECK(json_refusal(R"({"bank": [{"pool": "max", "size": 2}]})").find("/bank/0") != std::string::npos);
}

TEST_CASE("weights and biases in other files, by paths relative to the kernel file") {
  const TempFolder folder;
  const std::string header = R"({"c.weight":{"dtype":"F32","shape":[2,1,1,2],"data_offsets":[0,16]},)"
                             R"("c.bias":{"dtype":"F16","shape":[2],"data_offsets":[16,20]},)"
                             R"("bad":{"dtype":"F16","shape":[1,1],"data_offsets":[20,22]},)"
                             R"("none":{"dtype":"F16","shape":[0,1],"data_offsets":[22,22]}})";
  folder.write("m.safetensors", safetensors(header, raw_bytes(std::vector<float>{1, 2, 3, 4}) +
                                                        raw_bytes(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x7E00})));
  const auto npy = [&](const std::string& name, const std::string& shape, const std::string& data) {
    const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
    folder.write(name, std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(dict.size()) + '\0' + dict + data);
  };
  npy("w.npy", "(1, 2)", raw_bytes(std::vector<float>{5, 6}));
  npy("b.npy", "(2,)", raw_bytes(std::vector<float>{7, 8}));
  const auto at = [&](const std::string& text) {
    return parse_kernel_json(text, "k.json", "k", weight_files_in(folder.path().string()));
  };

  const Network network = at(R"({"layers": [{"weight": "m.safetensors#c.weight", "bias": "m.safetensors#c.bias"},
                                            {"weight": "w.npy", "bias": "b.npy"}]})");
  const Layer& first = network.banks.at(0).layers.at(0);
  CHECK(first.rank == 4);
  CHECK(first.shape == KernelShape{2, 1, 1, 2});
  CHECK(first.weights == std::vector<float>{1, 2, 3, 4});
  CHECK(first.bias == std::vector<float>{1, -2});
  CHECK(network.banks.at(1).layers.at(0).weights == std::vector<float>{5, 6});
  CHECK(network.banks.at(1).layers.at(0).bias == std::vector<float>{7, 8});
  const std::string model = folder.file("m.safetensors");
  CHECK(network.files == std::vector<std::string>{model, model, folder.file("w.npy"), folder.file("b.npy")});
  CHECK(at(R"({"weight": ")" + folder.file("w.npy") + "\"}").banks.size() == 1);  // an absolute path

  const Bytes archive =
      testing::zip_file({{"w.npy", read_text(folder.file("w.npy"))}, {"b.npy", read_text(folder.file("b.npy")), true}});
  folder.write("m.npz", {reinterpret_cast<const char*>(archive.data()), archive.size()});
  const Network twice = at(R"({"layers": [{"weight": "m.npz#w", "bias": "m.npz#b"}, {"weight": "m.npz#w"}]})");
  CHECK(twice.banks.at(0).layers.at(0).weights == std::vector<float>{5, 6});
  CHECK(twice.banks.at(0).layers.at(0).bias == std::vector<float>{7, 8});
  CHECK(twice.banks.at(1).layers.at(0).weights == std::vector<float>{5, 6});
  CHECK(twice.files == std::vector<std::string>(3, folder.file("m.npz")));

  const auto refused = [&](const std::string& text, const std::string& part) {
    CAPTURE(text);
    const std::string message = [&] {
      try {
        at(text);
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::kernel);
        return std::string(error.what());
      }
      return std::string();
    }();
    CAPTURE(message);
    CHECK(message.starts_with("k.json: /"));
    CHECK(message.find(part) != std::string::npos);
  };
  refused(R"({"weight": "x.npy"})", "x.npy: no such file");
  refused(R"({"weight": "m.npz#wieght"})", "has no array 'wieght'");
  refused(R"({"weight": "m.npz"})", "contains 2 arrays");
  refused(R"({"weight": "x.npz#w"})", "x.npz: no such file");
  refused(R"({"weight": "x.pt"})", "/weight: 'x.pt' is a PyTorch checkpoint by its name");
  refused(R"({"weight": "x.bin"})",
          "/weight: 'x.bin' is not a file of weights (expected FILE.npy, or FILE.npz#NAME or FILE.safetensors#NAME");
  refused(R"({"weight": "m.safetensors"})", "FILE.safetensors#NAME");
  refused(R"({"weight": "m.safetensors#c.wieght"})", "did you mean 'c.weight'?");
  refused(R"({"weight": "m.safetensors#c.bias"})", "rank 1");
  refused(R"({"weight": "m.safetensors#bad"})", "NaN or infinite");
  refused(R"({"weight": "m.safetensors#none"})", "is empty");
  refused(R"({"weight": "w.npy", "bias": "m.safetensors#c.weight"})", "/bias: rank 4");
  refused(R"({"weight": "m.safetensors#c.weight", "bias": "w.npy"})", "/bias: rank 2");
}

TEST_CASE("names of files of weights go to the reader, with the number of weights that are left") {
  std::vector<std::string> references;
  std::vector<std::int64_t> limits;
  const auto read = [&](const std::string& reference, std::int64_t most) -> WeightFile {
    references.push_back(reference);
    limits.push_back(most);
    return {.path = "path of " + reference, .dimensions = {2}, .values = {3, 4}};
  };
  const Network network = parse_kernel_json(
      R"({"layers": [{"weight": [[1]], "bias": "b"}, {"weight": [[1]], "bias": "c"}]})", "k", "k", read);
  CHECK(network.banks.at(0).layers.at(0).bias == std::vector<float>{3, 4});
  CHECK(references == std::vector<std::string>{"b", "c"});
  CHECK(limits == std::vector<std::int64_t>{kMostReferredWeights, kMostReferredWeights - 2});
  CHECK(network.files == std::vector<std::string>{"path of b", "path of c"});
}

TEST_CASE("layers without weights, where weights are optional") {
  const auto shapes = [](const std::string& text) {
    return parse_kernel_json(text, "k.json", "k", weight_files_in(""), {}, Weights::optional);
  };
  const Layer layer = shapes(R"({"kernel_size": [3, 5], "out_channels": 8, "stride": 2, "groups": 4, "padding": "same",
                                 "activation": "relu"})")
                          .banks[0]
                          .layers[0];
  CHECK(layer.outline == Outline::kernel);
  CHECK(layer.shape == KernelShape{8, 0, 3, 5});
  CHECK(layer.params.stride == Extent{2, 2});
  CHECK(layer.params.groups == 4);
  CHECK(layer.params.padding.rule == Padding::Rule::same);
  CHECK(layer.activation == Activation::relu);
  CHECK(layer.bias.size() == 1);
  CHECK(shapes(R"({"kernel_size": 1, "out_channels": 1, "bias": false})").banks[0].layers[0].bias.empty());

  const auto refusal = [&](const std::string& text) { return std::string(error_of([&] { shapes(text); }).what()); };
  CHECK(refusal(R"({"kernel_size": 3})") ==
        "k.json: no out_channels; a layer without weights needs \"out_channels\": 64");
  CHECK(refusal(R"({"kernel_size": 3, "weight": [[1]]})") ==
        "k.json: both weight and kernel_size; keep one: the weights have a size");
  CHECK(refusal(R"([{"kernel_size": 3, "out_channels": 4, "groups": 3}])") ==
        "k.json: /layers/0/groups: 3 groups do not divide the 4 output channels");
  CHECK(
      json_refusal(R"({"layers": [[[1]], {"kernel_size": 3, "out_channels": 4}]})") ==
      "k.json: /layers/1: no weights to compute with; give \"weight\" in place of \"kernel_size\", or see the sizes of "
      "the layer with 'convtool shape' or 'convtool explain'");
}

TEST_CASE("kinds of layers without weights: transposed and linear ones, and batch normalisation") {
  const auto shapes = [](const std::string& text) {
    return parse_kernel_json(text, "k.json", "k", weight_files_in(""), {}, Weights::optional);
  };
  const auto layer_of = [&](const std::string& text) { return shapes(text).banks.at(0).layers.at(0); };
  const auto text_of = [](const std::string& text) { return parse_layer_text(text, "", "").banks.at(0).layers.at(0); };
  const auto same_but_name = [](Layer a, Layer b) {
    a.name = b.name;
    return a == b;
  };
  CHECK(same_but_name(layer_of(R"({"kernel_size": 4, "out_channels": 64, "transposed": true, "stride": 2, "groups": 2,
                                   "padding": 1, "output_padding": 1})"),
                      text_of("tconv 4 64 s2 p1 g2 o1")));
  CHECK(same_but_name(layer_of(R"({"linear": 10, "activation": "relu"})"), [&] {
    Layer linear = text_of("linear 10");
    linear.activation = Activation::relu;
    return linear;
  }()));
  CHECK(same_but_name(layer_of(R"({"linear": 10, "bias": false})"), text_of("linear 10 nobias")));
  CHECK(same_but_name(layer_of(R"({"name": "norm", "batch_norm": {}})"), text_of("bn")));
  CHECK(layer_of(R"({"name": "norm", "batch_norm": {}})").name == "norm");

  const auto refusal = [&](const std::string& text) { return std::string(error_of([&] { shapes(text); }).what()); };
  CHECK(refusal(R"({"kernel_size": 3, "out_channels": 4, "output_padding": 1})") ==
        "k.json: /output_padding: has no effect without \"transposed\": true; leave it out");
  CHECK(refusal(R"({"kernel_size": 3, "out_channels": 4, "transposed": true, "padding": "same"})")
            .find("/padding: a word") != std::string::npos);
  CHECK(refusal(R"({"linear": 0})").find("/linear: the number 0 (expected a whole number from 1") != std::string::npos);
  CHECK(refusal("[]").starts_with("k.json: an empty list (expected layers, such as [{"));
  CHECK(json_refusal(R"({"linear": 10})").starts_with("k.json: no weights to compute with; give \"weight\", or see"));
  CHECK(json_refusal(R"({"batch_norm": {}})").starts_with("k.json: /batch_norm: no numbers; it needs"));
}

TEST_CASE("an activation alone is a layer, and so are the words of layer text") {
  const Network network = parse(R"([[[2]], {"name": "act", "activation": "relu"}, "maxpool 3 s2 p1", "relu6"])");
  CHECK(
      (network == parse(R"({"layers": [[[2]], {"name": "act", "activation": "relu"}, "maxpool 3 s2 p1", "relu6"]})")));
  REQUIRE(network.banks.size() == 4);
  const Layer& act = network.banks[1].layers[0];
  CHECK(act.activation == Activation::relu);
  CHECK(act.weights == std::vector<float>{1});
  CHECK(act.outline == Outline::none);
  CHECK(network.banks[2].layers[0].is_max_pool());
  CHECK(network.banks[2].layers[0].params.stride == Extent{2, 2});
  CHECK(network.banks[3].layers[0].activation_numbers.max == 6);
  CHECK(network.banks[3].layers[0].weights == std::vector<float>{1});
  CHECK(parse(R"(["relu", "upsample 2 x2"])").banks.size() == 3);

  CHECK(json_refusal(R"(["conv 3 8"])") ==
        "k.json: /layers/0: the string 'conv 3 8', a layer without weights to compute with; give an object with "
        "\"weight\", or see the sizes of the layer with 'convtool shape' or 'convtool explain'");
  CHECK(json_refusal(R"(["maxpool 3 q1"])").starts_with("k.json: /layers/0: layer 1 (line 1, column 11): 'q1' is not"));
  // A key that is mistyped is not an activation alone.
  CHECK(json_refusal(R"({"wieght": [[1]], "activation": "relu"})").find("did you mean 'weight'?") != std::string::npos);
  const Network planned = parse_kernel_json(R"(["conv 3 8 x2", "relu", {"linear": 10}])", "k.json", "k",
                                            weight_files_in(""), {}, Weights::optional);
  REQUIRE(planned.banks.size() == 4);
  CHECK(planned.banks[1].layers[0].outline == Outline::kernel);
  CHECK(planned.banks[2].layers[0].outline == Outline::activation);
}

TEST_CASE("a list of objects is the layers of a network") {
  CHECK(parse(R"([{"weight": [[1]]}, {"pool": "max", "size": 2}])") ==
        parse(R"({"layers": [{"weight": [[1]]}, {"pool": "max", "size": 2}]})"));
}

TEST_CASE("the scaling of a network's input, in the outermost object of any kind") {
  CHECK(!parse("[[1]]").input);
  CHECK(parse(R"({"weight": [[1]], "input": {}})").input == InputScaling{});
  CHECK(parse(R"({"layers": [[[1]]], "input": {"scale": 0.5, "mean": [1, 2, 3], "std": 4, "order": "bgr"}})").input ==
        InputScaling{.scale = 0.5, .mean = {1, 2, 3}, .deviation = {4}, .order = ChannelOrder::bgr});
  CHECK(parse(R"({"bank": [[[1]]], "input": {"std": [0.25, 0.5]}})").input->deviation == std::vector{0.25, 0.5});
  CHECK(parse(R"({"pool": "max", "size": 2, "input": {"mean": 1}})").input->mean == std::vector{1.0});

  const auto refusal = [](const std::string& input) {
    return json_refusal(R"({"weight": [[1]], "input": )" + input + "}");
  };
  CHECK(refusal("0.5") ==
        "k.json: /input: the number 0.5 (expected an object such as {\"scale\": 0.00392156862745098})");
  CHECK(refusal(R"({"scael": 1})") == "k.json: /input/scael: unknown key; did you mean 'scale'?");
  CHECK(refusal(R"({"scale": 0})") == "k.json: /input/scale: expected a number other than 0");
  CHECK(parse(R"({"weight": [[1]], "input": {"scale": "1/255"}})").input->scale == 1.0 / 255);
  CHECK(refusal(R"({"scale": "1/0"})") ==
        "k.json: /input/scale: the string '1/0' (expected a number other than 0, or a fraction such as \"1/255\")");
  CHECK(refusal(R"({"std": [1, 0]})") ==
        "k.json: /input/std: pixels are divided by it, so it has to be above 0 (got 0)");
  CHECK(refusal(R"({"mean": [1, 2], "std": [1, 2, 3]})") ==
        "k.json: /input/std: 3 numbers, but mean has 2; give both one number per channel");
  CHECK(refusal(R"({"mean": [[1]]})") ==
        "k.json: /input/mean: nested lists (expected a number, or a list with one per channel)");
  CHECK(refusal(R"({"mean": [1, 2], "order": "bgr"})") ==
        "k.json: /input/order: bgr swaps the first and the third channel, but mean or std has two numbers");
  CHECK(refusal(R"({"order": "gbr"})") ==
        "k.json: /input/order: the string 'gbr' (expected one of rgb, bgr); did you mean 'bgr'?");
  CHECK(refusal(R"({"scale": 1e38, "std": 1e-38})") == "k.json: /input/std: scaled pixels are beyond float32");
  CHECK(json_refusal(R"({"layers": [{"weight": [[1]], "input": {"scale": 1}}]})") ==
        "k.json: /layers/0/input: input belongs to the outermost object, since it scales what the first layer reads");
}

TEST_CASE("numbers are read exactly, to the last bit of float") {
  CHECK(layer_of("[[3.4028234663852886e38, 1e-45, -0.1]]").weights ==
        std::vector<float>{std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min(), -0.1F});
}

TEST_CASE(".npy weights are a layer with default options") {
  std::string text = "\x93NUMPY";
  const std::string header = "{'descr': '<u1', 'fortran_order': False, 'shape': (2, 1, 1, 3), }";
  text +=
      std::string("\x01\x00", 2) + static_cast<char>(header.size()) + '\0' + header + std::string("\1\2\3\4\5\6", 6);
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  const Layer layer = parse_npy_kernel({bytes, text.size()}, "w.npy", "w").banks.at(0).layers.at(0);
  CHECK(layer.name == "w");
  CHECK(layer.rank == 4);
  CHECK(layer.shape == KernelShape{2, 1, 1, 3});
  CHECK(layer.weights == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK_THROWS_WITH_AS(parse_npy_kernel({bytes, text.size() - 1}, "w.npy", "w"), doctest::Contains("w.npy: "), Error);
}
