// Layers that are not convolutions, in the commands: shapes and costs, reports, explanations, alpha.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/picture_bytes.h"
#include "support/program.h"

namespace convtool {
namespace {

using nlohmann::json;

constexpr const char* kResidual =
    R"({"layers": [{"name": "stem", "weight": [[1, 2, 1]], "divisor": 4, "padding": "same"},
                   {"name": "body", "weight": [[1], [-2], [1]], "padding": "same", "activation": "relu"},
                   {"name": "sum", "add": "stem", "activation": {"clip": {"max": 200}}},
                   {"pool": "max", "size": 3, "stride": 2, "ceil_mode": true},
                   {"name": "up", "upsample": "bilinear", "scale": 2}]})";

std::string layers_output(const std::vector<std::string>& arguments, const TempFolder& folder = TempFolder()) {
  const ProgramResult result = run_convtool(arguments, folder);
  CAPTURE(result.err);
  CHECK(result.code == 0);
  return result.out;
}

std::string layers_refusal(const std::vector<std::string>& arguments) {
  const ProgramResult result = run_convtool(arguments, TempFolder());
  CHECK(result.code != 0);
  return result.err;
}

bool has_words(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

TEST_CASE("shape of every kind of layer: formulas, costs and receptive fields") {
  const json report = json::parse(layers_output({"shape", "1x8x9", "-k", kResidual, "--json"}));
  CHECK(report["output_shape"] == json({1, 8, 8}));
  CHECK(report["parameters"] == 6);
  CHECK(report["macs"] == 2 * 3 * 72);
  CHECK(report["layers"][2]["kernel"] == "add stem");
  CHECK(report["layers"][2]["receptive_field"]["size"] == json({3, 3}));
  CHECK(report["layers"][3]["output_shape"] == json({1, 4, 4}));
  CHECK(report["layers"][4]["receptive_field"]["stride"] == json({1, 1}));  // 2, over 2
  const std::string text = layers_output({"shape", "1x8x9", "-k", kResidual});
  CHECK(has_words(text, "layer 4: h = ceil((8 + 0 + 0 - 1*(3-1) - 1) / 2) + 1 = 4, w = ceil((9 "));
  CHECK(has_words(text, "layer 5: h = 4 * 2 = 8, w = 4 * 2 = 8"));
  CHECK(has_words(text, "bilinear 2x2"));
  CHECK(!has_words(text, "layer 3: "));

  const std::string transposed = layers_output(
      {"shape", "2x4x5", "-k", R"({"weight": [[[[1, 2, 3]]], [[[4, 5, 6]]]], "transposed": true, "stride": 2,
                                  "bias": 1, "padding": [0, 1], "output_padding": 1})"});
  CHECK(has_words(transposed, "1x8x10\n"));
  CHECK(has_words(transposed, "h = (4 - 1)*2 - 0 - 0 + 1*(1-1) + 1 + 1 = 8"));
  CHECK(has_words(transposed, "w = (5 - 1)*2 - 1 - 1 + 1*(3-1) + 1 + 1 = 10"));
  CHECK(has_words(transposed, "7 parameters, 120 MACs"));  // 20 places * 2 channels * 3 weights
  CHECK(has_words(transposed, "stride 1/2x1/2"));
}

TEST_CASE("shape --json has the shape that each layer reads, and the layers that it takes") {
  const json report = json::parse(
      layers_output({"shape", "3x8x8", "--json", "-k",
                     R"({"layers": [{"name": "a", "weight": [[1]]}, {"name": "b", "weight": [[1]], "stride": 2},
           {"from": "a", "weight": [[1, 1]], "stride": 2}, {"add": "b"}]})"}));
  const json& layers = report["layers"];
  CHECK(report["input_shape"] == json{3, 8, 8});
  CHECK(layers[1]["input_shape"] == json{3, 8, 8});
  CHECK(layers[2]["input_shape"] == json{3, 8, 8});
  CHECK(layers[2]["output_shape"] == json{3, 4, 4});
  CHECK(layers[2]["reads"] == 1);
  CHECK(layers[3]["input_shape"] == json{3, 4, 4});
  CHECK(layers[3]["adds"] == 2);
  CHECK_FALSE(layers[3].contains("reads"));
  const json batch = json::parse(layers_output({"shape", "2x3x8x8", "--kernel-size", "3", "--json"}));
  CHECK(batch["layers"][0]["input_shape"] == json{2, 3, 8, 8});
}

TEST_CASE("shape --time runs every kind of layer") {
  const json report = json::parse(layers_output({"shape", "1x40x40", "-k", kResidual, "--time", "--json"}));
  for (const json& layer : report["layers"]) CHECK(layer["seconds"] > 0);
  CHECK(report["layers"][3]["algorithm"] == "pool");
}

TEST_CASE("shape names both shapes of a sum that does not fit, after the layers before it") {
  const std::string network =
      R"({"layers": [{"name": "a", "weight": [[1]]}, {"pool": "max", "size": 2}, {"add": "a"}]})";
  const ProgramResult result = run_convtool({"shape", "1x4x6", "-k", network}, TempFolder());
  CHECK(result.code == 1);
  CHECK(has_words(result.err, "layer 3 on 1x2x3: the output of 'a' cannot be added to the input (1x4x6 and 1x2x3)"));
  CHECK(has_words(result.out, "1x2x3"));
  // Repeated, the second 'a' is meant.
  const std::string block = R"({"layers": [{"name": "a", "weight": [[1, 1]]}, [[1]], {"add": "a"}]})";
  CHECK(has_words(layers_output({"shape", "1x1x9", "-k", block, "--repeat", "3"}), "1x1x6\n"));
}

TEST_CASE("reports and kernels show name each kind of layer") {
  const TempFolder folder;
  const std::string verbose =
      layers_output({"apply", "[[1, 2, 3], [4, 5, 6]]", "-k", kResidual, "-o", "o.npy", "-v"}, folder);
  for (const char* words :
       {"sum with 'stem', activation clip to at most 200", "max pool 3x3", "bilinear upsampling by 2x2\n"})
    CHECK(has_words(verbose, words));
  const std::string shown = layers_output({"kernels", "show", kResidual});
  CHECK(has_words(shown, "the input plus the output of 'stem', activation clip to at most 200"));
  CHECK(has_words(shown, "max of 3x3, stride 2x2, padding 0x0, size rounded up"));
  CHECK(has_words(shown, "bilinear upsampling by 2x2"));
  const json object = json::parse(layers_output({"kernels", "show", kResidual, "--json"}));
  CHECK(object["layers"][2]["kernels"][0]["add"] == "stem");
  CHECK(object["layers"][4]["kernels"][0]["upsample"] == "bilinear");
  const std::string transposed = R"({"weight": [[[[1, 2]]]], "transposed": true, "stride": 2})";
  CHECK(has_words(layers_output({"kernels", "show", transposed}), "[c_i][c_o/groups][kh][kw], as nn.ConvTranspose2d"));
}

TEST_CASE("--dump-layers writes the output of every layer, and a sum is that of two others") {
  const TempFolder folder;
  layers_output({"apply", "[[9, 2, 3], [4, 5, 6]]", "-k", kResidual, "-o", "o.json", "--dump-layers", "layers"},
                folder);
  const auto values = [&](const std::string& name) {
    layers_output({"apply", folder.file("layers/" + name), "-k", "[[1]]", "-o", "v.json"}, folder);
    return json::parse(read_text(folder.file("v.json")));
  };
  const json stem = values("inline.01-stem.npy"), body = values("inline.02-body.npy"),
             sum = values("inline.03-sum.npy");
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      CHECK(sum[i][j].get<double>() == stem[i][j].get<double>() + body[i][j].get<double>());
}

TEST_CASE("a kept alpha is enlarged with the colours") {
  const TempFolder folder;
  const Bytes picture = testing::tiff_file({.width = 2,
                                            .height = 1,
                                            .bits = 8,
                                            .samples = 2,
                                            .photometric = 1,
                                            .extra = {2},
                                            .blocks = {{std::byte{16}, std::byte{32}, std::byte{48}, std::byte{64}}}});
  folder.write("a.tif", std::string(reinterpret_cast<const char*>(picture.data()), picture.size()));
  layers_output({"apply", "a.tif", "-k", R"({"upsample": "nearest", "scale": [1, 2]})", "-o", "b.png"}, folder);
  layers_output({"apply", "b.png", "-k", "[[1]]", "--alpha", "filter", "-o", "v.json"}, folder);
  CHECK(json::parse(read_text(folder.file("v.json"))) == json::parse("[[[16, 16, 48, 48]], [[32, 32, 64, 64]]]"));
}

TEST_CASE("options without an effect on any layer are refused") {
  const std::string max = R"({"name": "m", "pool": "max", "size": 2})", up = R"({"upsample": "nearest", "scale": 2})",
                    batch_norm = R"({"batch_norm": {"running_mean": [1]}})";
  const std::string square = "[[1, 2], [3, 4]]";
  for (const std::string& kernel : {max, up})
    CHECK(has_words(layers_refusal({"apply", square, "-k", kernel, "--flip", "-o", "-"}),
                    "--flip: rotates kernels, but '"));
  CHECK(has_words(layers_refusal({"apply", square, "-k", max, "--algorithm", "fft", "-o", "-"}),
                  "--algorithm: chooses how kernels are computed, but 'm' has none; leave it out"));
  CHECK(has_words(layers_refusal({"explain", square, "-k", max, "--algorithm", "fft"}), "but 'm' has none"));
  CHECK(layers_output({"apply", square, "-k", max, "--algorithm", "auto", "-o", "-"}) ==
        layers_output({"apply", square, "-k", max, "-o", "-"}));
  // A network with one kernel takes both.
  const std::string both = R"({"layers": [)" + max + ", [[1, 2]]]}", row = "[[1, 2, 3, 4], [3, 4, 5, 6]]";
  CHECK(json::parse(layers_output({"apply", row, "-k", both, "--flip", "--algorithm", "direct", "-o", "-"})) ==
        json({{4 * 2 + 6 * 1}}));
  for (const char* option : {"--stride", "--bias", "--padding", "--dilation"})
    CHECK(has_words(layers_refusal({"apply", square, "-k", batch_norm, option, "2", "-o", "-"}),
                    "applies to kernels, but"));
}

TEST_CASE("what these layers do not do is refused in one sentence that names them") {
  const std::string up = R"({"name": "up", "upsample": "nearest", "scale": 2})";
  CHECK(has_words(layers_refusal({"apply", "[[1]]", "-k", up, "--stride", "2", "-o", "-"}),
                  "--stride: applies to kernels, but 'up' is a nearest upsampling"));
  CHECK(has_words(layers_refusal({"learn", "--input", "[[1]]", "--target", "[[1]]", "--init", up, "-o", "-"}),
                  "--init: 'up' is a nearest upsampling, but only convolutions can be learned"));
  CHECK(has_words(layers_refusal({"kernels", "convert", up, "-o", "x.mat"}), "a nearest upsampling"));
}

}  // namespace
}  // namespace convtool
