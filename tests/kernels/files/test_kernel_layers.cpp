// Layers of kernel files that are not convolutions: every option, the refusals, and what is written.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kernels/files/kernel_json.h"
#include "kernels/files/kernel_writer.h"
#include "kernels/files/layer_text.h"
#include "support/program.h"
#include "support/safetensors.h"

namespace convtool {
namespace {

Network parsed(const std::string& text) { return parse_kernel_json(text, "k.json", "k"); }
Layer first_layer(const std::string& text) { return parsed(text).banks.at(0).layers.at(0); }

/// Whether `text` is refused with a message that has these words.
bool is_refused(const std::string& text, const std::string& words) {
  try {
    parsed(text);
  } catch (const Error& error) {
    CAPTURE(error.what());
    const bool has_words = std::string(error.what()).find(words) != std::string::npos;
    CHECK(has_words);
    return error.kind() == ErrorKind::kernel && has_words;
  }
  return false;
}

TEST_CASE("the options of pools") {
  const Layer max = first_layer(R"({"pool": "max", "size": [3, 2], "stride": 1, "pads": [1, 0, 2, 1],
                                    "dilation": [1, 2], "ceil_mode": true, "activation": "relu"})");
  CHECK(max.params.padding == Padding{Padding::Rule::fixed, {1, 0, 2, 1}});
  CHECK(max.params.dilation == Extent{1, 2});
  CHECK(max.pool == PoolRules{.ceil_mode = true});
  CHECK(max.activation == Activation::relu);
  CHECK(max.is_window_pool());
  const auto mean = [](const std::string& more) { return first_layer(R"({"pool": "mean", "size": 2)" + more + "}"); };
  CHECK(!mean("").is_window_pool());
  CHECK(mean(R"(, "ceil_mode": true)").is_window_pool());
  CHECK(mean(R"(, "padding": 1, "count_include_pad": false)").is_window_pool());
  CHECK(!mean(R"(, "padding": 1, "count_include_pad": true)").is_window_pool());
  CHECK(!mean(R"(, "count_include_pad": false)").is_window_pool());  // no padding to count
  const Layer global = first_layer(R"({"pool": "mean", "size": "global"})");
  CHECK(global.pool.is_global);
  CHECK(global.is_window_pool());
  CHECK(is_refused(R"({"pool": "max", "size": "whole"})", "/size: the string 'whole' (expected one of global)"));
  CHECK(is_refused(R"({"pool": "max", "size": "global", "stride": 2})", "/stride: has no effect on a global pool"));
  CHECK(is_refused(R"({"pool": "mean", "size": 2, "dilation": 2})", "/dilation: means have no dilation"));
  CHECK(is_refused(R"({"pool": "max", "size": 2, "count_include_pad": true})",
                   "/count_include_pad: padding never counts"));
  CHECK(is_refused(R"({"pool": "max", "size": 2, "padding": 1, "pads": [0,0,0,0]})", "both padding and pads"));
  CHECK(is_refused(R"({"pool": "max", "size": [2, 3], "pads": [0, 3, 0, 0]})", "/pads: as much as its size"));
}

TEST_CASE("the padding of pools in JSON and in text") {
  struct Case {
    const char *json, *text, *refusal;  ///< both are refused with these words, or neither
  };
  constexpr Case kCases[] = {
      {R"("padding": 1)", "p1", nullptr},
      {R"("pads": [0, 0, 2, 2])", "p0,0,2,2", nullptr},
      {R"("pads": [2, 2, 2, 2])", "p2,2,2,2", nullptr},
      {R"("padding": "same")", "same", nullptr},
      {R"("padding": "same_lower")", "same_lower", nullptr},
      {R"("padding": "full")", "full", nullptr},
      {R"("padding": 2)", "p2", "more than half of its size: a window could lie entirely in the padding (at most 1x1)"},
      {R"("pads": [0, 0, 3, 2])", "p0,0,3,2",
       "as much as its size: a window could lie entirely in the padding (at most 2x2)"},
      {R"("padding": "same", "ceil_mode": true)", "same ceil", "sets the size of the output; keep one of them"}};
  for (const Case& one : kCases) {
    CAPTURE(one.text);
    const std::string json = R"({"pool": "max", "size": 3, "stride": 1, )" + std::string(one.json) + "}";
    const auto by_text = [&] { return parse_layer_text("maxpool 3 s1 " + std::string(one.text), "t", "t"); };
    if (one.refusal != nullptr) {
      CHECK(is_refused(json, one.refusal));
      CHECK_THROWS_WITH(by_text(), doctest::Contains(one.refusal));
      continue;
    }
    CHECK(first_layer(json).params.padding == by_text().banks.front().layers.front().params.padding);
    const Network network = parsed(json);
    CHECK((parsed(format_kernel_json(network)) == network));
  }
}

TEST_CASE("batch normalisation is a factor and an offset for each channel") {
  const Layer layer = first_layer(
      R"({"batch_norm": {"weight": [2, 3], "bias": [1, -1], "running_mean": [4, 0.5], "running_var": [15, 0.25],
          "eps": 1}})");
  CHECK(layer.is_batch_norm);
  CHECK(layer.shape == KernelShape{2, 1, 1, 1});
  CHECK(layer.params.groups == 2);
  CHECK(layer.weights == std::vector<float>{0.5F, static_cast<float>(3 / std::sqrt(1.25))});
  CHECK(layer.bias == std::vector<float>{-1, static_cast<float>(-1 - 1.5 / std::sqrt(1.25))});
  const Layer plain = first_layer(R"({"batch_norm": {"running_mean": [1, 2, 3], "running_var": [1, 1, 4]}})");
  CHECK(plain.weights[2] == static_cast<float>(1 / std::sqrt(4.00001)));
  CHECK(is_refused(R"({"batch_norm": {}})", "/batch_norm: no numbers"));
  CHECK(is_refused(R"({"batch_norm": [1]})", "/batch_norm: a list (expected an object"));
  CHECK(is_refused(R"({"batch_norm": {"mean": [1]}})", "/batch_norm/mean: unknown key"));
  CHECK(is_refused(R"({"batch_norm": {"weight": [1, 2], "bias": [1]}})", "/batch_norm/bias: 1 number (expected 2"));
  CHECK(is_refused(R"({"batch_norm": {"weight": [[1, 2]]}})", "/batch_norm/weight: rank 2 (expected a list"));
  CHECK(is_refused(R"({"batch_norm": {"running_var": [1, -1]}})", "/batch_norm/running_var/1: with eps, the variance"));
  CHECK(is_refused(R"({"batch_norm": {"running_mean": [3e38], "weight": [1e5]}})", "of channel 0 is beyond float32"));
  CHECK(is_refused(R"({"bank": [[[1]], {"batch_norm": {"weight": [1]}, "pool": "max"}]})", "unknown key"));
  CHECK(is_refused(R"({"bank": [{"batch_norm": {"weight": [1]}}, [[1]]]})",
                   "/bank/0: a batch normalisation in a bank; make it a separate entry"));

  const TempFolder folder;
  folder.write("m.safetensors", safetensors(R"({"bn.weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                               "bn.bias": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}})",
                                            raw_bytes(std::vector<float>{2, 3, 1, 0})));
  const Network read = parse_kernel_json(
      R"({"batch_norm": {"weight": "m.safetensors#bn.weight", "bias": "m.safetensors#bn.bias", "eps": 0}})", "k", "k",
      weight_files_in(folder.file("")));
  CHECK(read.banks[0].layers[0].weights == std::vector<float>{2, 3});
  CHECK(read.files.size() == 2);
}

TEST_CASE("other words for the kinds of pools") {
  CHECK(is_refused(R"({"pool": "avg", "size": 2})",
                   "/pool: the string 'avg' (expected one of max, mean); did you mean 'mean'?"));
  CHECK(is_refused(R"({"pool": "average", "size": 2})", "did you mean 'mean'?"));
  CHECK(is_refused(R"({"pool": "Max", "size": 2})", "did you mean 'max'?"));
  CHECK(is_refused(R"({"pool": "max", "global": true})", R"(/global: not a key of a pool; write "size": "global")"));
}

TEST_CASE("upsampling and transposed convolutions") {
  const Layer nearest = first_layer(R"({"upsample": "nearest", "scale": [2, 3]})");
  CHECK(nearest.enlarging == Enlarging::nearest);
  CHECK(nearest.params.stride == Extent{2, 3});
  CHECK(first_layer(R"({"upsample": "bilinear", "scale": 4})").enlarging == Enlarging::bilinear);
  CHECK(is_refused(R"({"upsample": "nearest"})", "no scale"));
  CHECK(
      is_refused(R"({"upsample": "bicubic", "scale": 2})", "/upsample: the string 'bicubic' (expected one of nearest"));
  CHECK(is_refused(R"({"upsample": "nearest", "scale": 1.5})", "/scale"));
  CHECK(is_refused(R"({"upsample": "nearest", "scale": 65})", "/scale: 65x65 outputs for each input (at most 4096)"));
  CHECK(is_refused(R"({"upsample": "nearest", "scale": 1073741824})", "/scale: "));

  const Layer transposed = first_layer(
      R"({"weight": [[[[1, 2]], [[3, 4]], [[5, 6]]]], "transposed": true, "stride": [1, 2], "output_padding": [0, 1],
          "bias": [1, 2, 3], "padding": [0, 1]})");
  CHECK(transposed.enlarging == Enlarging::transposed);
  CHECK(transposed.input_channels() == 1);
  CHECK(transposed.output_channels() == 3);
  CHECK(transposed.output_padding == Extent{0, 1});
  const auto with = [](const std::string& more) {
    return R"({"weight": [[[[1, 2]]], [[[3, 4]]]], "transposed": true)" + more + "}";
  };
  CHECK(first_layer(with(R"(, "groups": 2)")).output_channels() == 2);
  CHECK(is_refused(with(R"(, "groups": 3)"), "/groups: 3 groups do not divide the 2 input channels"));
  CHECK(is_refused(with(R"(, "bias": [1, 2])"), "/bias: 2 numbers (expected one number"));
  CHECK(is_refused(with(R"(, "padding": "same")"), "/padding: a word"));
  CHECK(is_refused(with(R"(, "padding_mode": "reflect")"), "/padding_mode: transposed convolutions have no border"));
  CHECK(is_refused(with(R"(, "normalize": true)"), "/normalize: divides by the sums of output channels"));
  CHECK(is_refused(with(R"(, "output_padding": 1)"), "/output_padding: not smaller than the stride or the dilation"));
  CHECK(is_refused(with(R"(, "stride": 65)"), "/stride: 65x65 outputs for each input"));
  CHECK(is_refused(R"({"weight": [[1]], "transposed": true})", "/weight: weights of rank 2 (a transposed convolution"));
  CHECK(is_refused(R"({"weight": [[1]], "output_padding": 1})", "/output_padding: has no effect without"));
  CHECK(is_refused(R"({"bank": [[[1]], {"upsample": "nearest", "scale": 2}]})",
                   "/bank/1: a nearest upsampling in a bank"));
}

TEST_CASE("a kernel file has at most 10000 layers, however they are written") {
  CHECK(parsed(R"({"layers": ["relu x9999", [[1]]]})").banks.size() == 10000);
  CHECK(is_refused(R"({"layers": ["relu x9999", [[1]], [[1]]]})", "/layers: more than 10000 layers"));
  CHECK(is_refused(R"({"layers": [[[1]], "relu x10000"]})", "/layers: more than 10000 layers"));
  std::string kernels = "[[1]]";
  for (int i = 0; i < 10000; ++i) kernels += ", [[1]]";
  CHECK(is_refused(R"({"layers": [)" + kernels + "]}", "/layers: more than 10000 layers"));
}

TEST_CASE("sums name an earlier layer") {
  const Network network = parsed(R"({"layers": [{"name": "a", "weight": [[1]]}, [[2]], {"add": "a"}]})");
  CHECK(network.banks[2].layers[0].add == "a");
  CHECK(is_refused(R"({"layers": [{"name": "a", "weight": [[1]]}, {"add": "b"}]})", "layer 2 adds 'b'"));
  CHECK(is_refused(R"({"layers": [{"name": "a", "weight": [[1]]}, {"add": ""}]})", "/layers/1/add: empty"));
  CHECK(is_refused(R"({"add": "a"})", "layer 1 adds 'a', but no layer before it"));
  const Network shortcut = parsed(
      R"({"layers": [{"name": "a", "weight": [[1]]}, {"name": "b", "weight": [[2]]}, {"from": "a", "add": "b"}]})");
  CHECK(shortcut.banks[2].layers[0].from == "a");
  CHECK((parsed(format_kernel_json(shortcut)) == shortcut));
  CHECK(
      is_refused(R"({"layers": [{"from": "k-2", "weight": [[1]]}, [[1]]]})", "layer 1 reads 'k-2', which comes later"));
  CHECK(is_refused(R"({"bank": [[[1]], {"from": "b", "weight": [[1]]}]})", "/bank/1/from: the kernels of a bank"));
  CHECK(is_refused(R"({"layers": [[[1]], {"bank": [{"add": "k-1"}]}]})", "/layers/1/bank/0: a sum in a bank"));
}

TEST_CASE("strings and objects in one list name each other's layers") {
  const Network network = parsed(R"([{"name": "Stem", "weight": [[3]]}, "relu as act, sigmoid", {"add": "act"},
                                     "add stem as twice", {"from": "twice", "weight": [[2]]}, "add k-5 from Stem"])");
  REQUIRE(network.banks.size() == 7);
  CHECK(network.banks[3].layers[0].add == "act");
  CHECK(network.banks[4].layers[0].add == "Stem");
  CHECK(network.banks[5].layers[0].from == "twice");
  CHECK(network.banks[6].layers[0].add == "k-5");
  CHECK(network.banks[6].layers[0].from == "Stem");
  // Names that differ in case alone.
  const Network alike =
      parsed(R"([{"name": "A", "weight": [[3]]}, {"name": "a", "weight": [[2]]}, "add a", "add A from a"])");
  CHECK(alike.banks[2].layers[0].add == "a");
  CHECK(alike.banks[3].layers[0].add == "A");
  CHECK(is_refused(R"([{"name": "stem", "weight": [[3]]}, "add stam"])", "did you mean 'stem'?"));
  CHECK(is_refused(R"([{"name": "a", "weight": [[3]]}, "relu as a"])", "'a' is the name of an earlier layer"));
  CHECK(is_refused(R"(["add b", {"name": "b", "weight": [[3]]}])", "'b' is not the name of an earlier layer"));
}

TEST_CASE("the input of a network has a name, and names that several layers have cannot be used") {
  const Network residual = parsed(R"({"layers": [{"name": "a", "weight": [[3]]}, {"add": "input"}]})");
  REQUIRE(residual.banks.size() == 3);
  CHECK(residual.banks[0].name == "input");
  CHECK(residual.banks[0].layers[0].weights == std::vector<float>{1});
  const std::string written = format_kernel_json(residual);
  CHECK(written.find("\"name\": \"input\"") == std::string::npos);
  CHECK((parsed(written) == residual));
  CHECK((parsed(format_kernel_json(parsed(R"({"name": "k", "add": "input"})"))).banks.size() == 2));
  CHECK(is_refused(R"({"layers": [{"name": "input", "weight": [[2]]}, {"add": "input"}]})",
                   "layer 1 is called 'input', which means the input of the network"));
  CHECK(is_refused(R"({"layers": [{"name": "a", "weight": [[2]]}, {"name": "a", "weight": [[10]]}, {"add": "a"}]})",
                   "layer 3 adds 'a', but layers 1 and 2 both have that name"));
}

TEST_CASE("the digest of a network changes with the layer that a name means") {
  const auto digest = [](const std::string& first, const std::string& second) {
    return digest_of_network(parsed(R"({"layers": [{"name": ")" + first + R"(", "weight": [[1]]}, {"name": ")" +
                                    second + R"(", "weight": [[2]]}, {"add": "a"}]})"));
  };
  CHECK(digest("a", "b") != digest("b", "a"));
}

TEST_CASE("layers are written as they are read, and each option changes the digest") {
  std::vector<std::string> digests;
  for (const char* text :
       {R"({"pool": "max", "size": 2})",
        R"({"pool": "max", "size": 2, "padding": "same"})",
        R"({"pool": "max", "size": 2, "ceil_mode": true})",
        R"({"pool": "max", "size": 2, "dilation": 2, "stride": 2})",
        R"({"pool": "max", "size": 2, "activation": "tanh"})",
        R"({"pool": "max", "size": 3, "pads": [1, 2, 0, 1]})",
        R"({"pool": "max", "size": "global"})",
        R"({"pool": "mean", "size": "global"})",
        R"({"pool": "mean", "size": 2, "padding": 1})",
        R"({"pool": "mean", "size": 2, "padding": 1, "count_include_pad": false})",
        R"({"batch_norm": {"running_mean": [0.1, 2], "running_var": [3, 4]}})",
        R"({"batch_norm": {"running_mean": [0.1], "running_var": [3]}})",
        R"({"upsample": "nearest", "scale": 2})",
        R"({"upsample": "bilinear", "scale": 2})",
        R"({"upsample": "bilinear", "scale": [2, 1]})",
        R"({"weight": [[[[1, 2]]]], "transposed": true, "stride": 2})",
        R"({"weight": [[[[1, 2]]]], "stride": 2})",
        R"({"weight": [[[[1, 2]]]], "transposed": true, "stride": 2, "output_padding": [1, 0]})",
        R"({"layers": [{"name": "a", "weight": [[1]]}, {"name": "b", "weight": [[1]]}, {"add": "a"}]})",
        R"({"layers": [{"name": "a", "weight": [[1]]}, {"name": "b", "weight": [[1]]}, {"add": "b"}]})"}) {
    CAPTURE(text);
    const Network network = parsed(text);
    const std::string written = format_kernel_json(network);
    CAPTURE(written);
    CHECK((parse_kernel_json(written, "again.json", "again") == network));
    digests.push_back(digest_of_network(network));
  }
  std::sort(digests.begin(), digests.end());
  CHECK(std::adjacent_find(digests.begin(), digests.end()) == digests.end());
}

}  // namespace
}  // namespace convtool
