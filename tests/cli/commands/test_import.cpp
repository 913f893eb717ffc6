// Imports ONNX models with the program, and refuses what is no model.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/onnx.h"
#include "support/program.h"
#include "tensors/npz.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

using nlohmann::json;
using onnx::node;
using onnx::tensor;

/// m.onnx, a convolution of 1x1 from one channel to two, relu and a fully connected layer; and a picture.
class ModelFolder : public TempFolder {
 public:
  ModelFolder() {
    write("m.onnx",
          onnx::model({node("Conv", {"x", "conv.weight", "b"}, "c"), node("Relu", {"c"}, "r"),
                       node("Flatten", {"r"}, "f"), node("Gemm", {"f", "fc"}, "y")},
                      {tensor("conv.weight", {2, 1, 1, 1}, {2, -1}), tensor("b", {2}, {0.5F, 6})}, {-1, 1, -1, -1}));
    write("a.pgm", "P2\n2 2\n255\n1 2 3 40\n");
  }

  ProgramResult run(const std::vector<std::string>& arguments) const { return run_convtool(arguments, *this); }
  ProgramResult import(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"kernels", "import"});
    return run(arguments);
  }

  /// Imports, and checks that the program exits with 2, prints one line that contains `part`, and writes nothing.
  void refuses(const std::vector<std::string>& arguments, const std::string& part) const {
    const std::vector<std::string> before = names();
    const ProgramResult result = import(arguments);
    CAPTURE(result.err);
    CHECK(result.code == 2);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK(result.err.find(part) != std::string::npos);
    CHECK(names() == before);
  }
};

TEST_CASE("a model becomes a kernel file and its weights, which apply takes") {
  const ModelFolder folder;
  const ProgramResult result = folder.import({"m.onnx", "-o", "k/net.json"});
  CHECK(result.code == 2);  // -o creates no folder
  std::filesystem::create_directory(folder.file("k"));
  const ProgramResult imported = folder.import({"m.onnx", "-o", "k/net.json"});
  CHECK(imported.code == 0);
  CHECK(imported.out ==
        "conv  2x1x1x1  Conv + Relu, to 'r'\n"
        "m.onnx -> k/net.json and k/net.weights.safetensors\n");
  CHECK(imported.err == "convtool: m.onnx: ends at node 'y' (Gemm): its weights must be stored in the model\n");
  const json network = json::parse(read_text(folder.file("k/net.json")));
  CHECK(network.at("name") == "m");
  CHECK(network.at("layers").size() == 1);
  CHECK(network.at("layers")[0] == json({{"name", "conv"},
                                         {"description", "Conv + Relu, to 'r'"},
                                         {"weight", "net.weights.safetensors#conv.weight"},
                                         {"bias", "net.weights.safetensors#conv.bias"},
                                         {"activation", "relu"}}));
  const ProgramResult applied = folder.run({"apply", "a.pgm", "-k", "k/net.json", "-o", "y.json"});
  REQUIRE_MESSAGE(applied.code == 0, applied.err);
  CHECK(json::parse(read_text(folder.file("y.json"))) == json::parse("[[[2.5, 4.5], [6.5, 80.5]], [[5, 4], [3, 0]]]"));

  CHECK(folder.import({"m.onnx", "--out-dir", "new/folder", "--until", "c"})
            .out.ends_with("m.onnx -> new/folder/m.json and new/folder/m.weights.safetensors\n"));
  CHECK(json::parse(read_text(folder.file("new/folder/m.json"))).at("layers")[0].contains("activation") == false);
  folder.write("m.json", "mine");
  CHECK(folder.import({"m.onnx", "-n"}).out == "m.json skipped: it exists\n");
  CHECK(read_text(folder.file("m.json")) == "mine");
  std::filesystem::remove(folder.file("m.json"));
  folder.write("m.weights.safetensors", "mine");
  const ProgramResult kept = folder.import({"m.onnx", "-n"});
  CHECK(kept.code == 1);
  CHECK(kept.err ==
        "convtool: m.weights.safetensors: exists, and --no-clobber keeps it; choose another name with -o, or leave out "
        "--no-clobber\n");
  CHECK(read_text(folder.file("m.weights.safetensors")) == "mine");
  CHECK(!std::filesystem::exists(folder.file("m.json")));
  folder.write("m.json", "mine");
  CHECK(folder.import({"m.onnx"}).code == 0);
  CHECK(read_text(folder.file("m.json")) != "mine");
}

TEST_CASE("layers that add the input of the model name it as kernel files do") {
  const ModelFolder folder;
  folder.write("add.onnx",
               onnx::model({node("Sub", {"x", "two"}, "s"), node("Relu", {"s"}, "r"), node("Add", {"r", "x"}, "y")},
                           {tensor("two", {}, {2})}, {-1, 1, -1, -1}));
  const ProgramResult imported = folder.import({"add.onnx"});
  CHECK(imported.out ==
        "s  1x1        Sub + Relu, to 'r'\n"
        "y  add input  Add, to 'y'\n"
        "add.onnx -> add.json\n");
  const json layers = json::parse(read_text(folder.file("add.json"))).at("layers");
  REQUIRE(layers.size() == 2);
  CHECK(layers[1].at("add") == "input");
  REQUIRE(folder.run({"apply", "a.pgm", "-k", "add.json", "-o", "y.json"}).code == 0);
  CHECK(json::parse(read_text(folder.file("y.json"))) == json::parse("[[[1, 2], [4, 78]]]"));
  // A kernel file has at most 10,000 layers.
  std::vector<std::string> nodes;
  for (int i = 0; i < 10'000; ++i)
    nodes.push_back(
        node(i % 2 == 0 ? "Relu" : "Tanh", {i == 0 ? "x" : "r" + std::to_string(i - 1)}, "r" + std::to_string(i)));
  nodes.push_back(node("Relu", {"r9999"}, "y"));
  folder.write("deep.onnx", onnx::model(nodes));
  const ProgramResult deep = folder.import({"deep.onnx"});
  CHECK(deep.code == 2);
  CHECK(deep.err ==
        "convtool: deep.onnx: has 10001 layers, and a kernel file at most 10000; import the first of them with "
        "--until\n");
  CHECK(folder.import({"deep.onnx", "--until", "r9999"}).code == 0);

  folder.write("stop.onnx", onnx::model({node("Erf", {"x"}, "e"), node("Add", {"e", "x"}, "y")}));
  folder.refuses({"stop.onnx"}, "nothing can be imported: node 'e' (Erf): convtool has no such activation");
}

TEST_CASE("models that reverse the colours of their input") {
  const ModelFolder folder;
  folder.write("bgr.onnx",
               onnx::model({node("Sub", {"x", "mean"}, "m"),
                            node("Gather", {"m", "bgr"}, "g", {onnx::attribute("axis", std::int64_t{3})}),
                            node("Transpose", {"g"}, "t", {onnx::attribute("perm", onnx::Sizes{0, 3, 1, 2})}),
                            node("Conv", {"t", "w"}, "y")},
                           {tensor("mean", {3}, {1, 2, 3}), onnx::integers("bgr", {2, 1, 0}),
                            tensor("w", {1, 3, 1, 1}, {1, 10, 100})},
                           {1, -1, -1, 3}));
  const ProgramResult imported = folder.import({"bgr.onnx"});
  CHECK(imported.out.starts_with("input           mean 1,2,3; std 1,1,1; bgr\n"));
  folder.write("c.ppm", "P3\n1 1\n255\n5 8 4\n");
  REQUIRE(folder.run({"apply", "c.ppm", "-k", "bgr.json", "-o", "y.json"}).code == 0);
  CHECK(json::parse(read_text(folder.file("y.json"))) == json::parse("[[[461]]]"));  // B 1, G 6, R 4
}

TEST_CASE("an import can add the scaling of the input, which apply then does") {
  const ModelFolder folder;
  const ProgramResult imported = folder.import({"m.onnx", "--input-scale", "1/4", "--mean", "0.25", "--std", "2"});
  CHECK(imported.out.starts_with("input           scale 0.25; mean 0.25; std 2\nconv "));
  CHECK(json::parse(read_text(folder.file("m.json"))).at("input") ==
        json({{"scale", 0.25}, {"mean", 0.25}, {"std", 2}}));
  REQUIRE(folder.run({"apply", "a.pgm", "-k", "m.json", "-o", "y.npy"}).code == 0);
  REQUIRE(folder.import({"m.onnx", "-o", "plain.json"}).code == 0);
  REQUIRE(folder
              .run({"apply", "a.pgm", "-k", "plain.json", "--input-scale", "0.25", "--mean", "0.25", "--std", "2", "-o",
                    "z.npy"})
              .code == 0);
  CHECK(read_text(folder.file("y.npy")) == read_text(folder.file("z.npy")));
  CHECK(folder.import({"m.onnx", "--channel-order", "bgr", "-o", "b.json"}).code == 0);
  CHECK(json::parse(read_text(folder.file("b.json"))).at("input") == json({{"order", "bgr"}}));
  folder.refuses({"m.onnx", "--std", "0", "-o", "s.json"}, "--std: ");
  folder.refuses({"m.onnx", "--input-scale", "x", "-o", "s.json"}, "--input-scale: 'x' is not valid");
  folder.refuses({"w.safetensors", "--mean", "1"}, "--mean: is for ONNX models");
}

TEST_CASE("models and options that are refused") {
  const ModelFolder folder;
  folder.refuses({"m.onnx", "-o", "net.npy"}, "-o: net.npy is not a kernel file by its name");
  folder.refuses({"m.onnx", "-o", "a.json", "--out-dir", "b"}, "--out-dir: ");
  folder.refuses({"m.onnx", "-o", "x.safetensors#y.json"}, "'.safetensors#'");
  folder.refuses({"m.onnx", "conv"}, "'conv': arrays are for safetensors files");
  folder.refuses({"m.onnx", "--all"}, "--all: ");
  folder.refuses({"m.onnx", "--until", "cc"}, "--until: there is no node or output 'cc'");
  folder.refuses({"m.safetensors", "--until", "c"}, "--until: ");
  folder.refuses({"m.onnx", "--until", "y"}, "--until: 'y' is not reached: the import ends at node 'y' (Gemm)");
  folder.refuses({"m.safetensors", "-o", "c.json"}, "-o: ");
  folder.refuses({"none.onnx"}, "none.onnx: no such file");
  folder.refuses({"."}, "not a model by its name");
  folder.write("short.onnx", read_text(folder.file("m.onnx")).substr(0, 100));
  folder.refuses({"short.onnx"}, "short.onnx: is not an ONNX model, or damaged: ");
  folder.write("text.onnx", "not a model");
  folder.refuses({"text.onnx"}, "text.onnx: is not an ONNX model");
  folder.write("reshape.onnx", onnx::model({node("Reshape", {"x", "s"}, "y")}, {onnx::integers("s", {1, 1, -1})}));
  folder.refuses({"reshape.onnx"},
                 "reshape.onnx: nothing can be imported: node 'y' (Reshape): its output is not a picture");
  folder.write("empty.onnx", onnx::model({}));
  folder.refuses({"empty.onnx"},
                 "empty.onnx: nothing can be imported: no operator leads from its input 'x' to an output");
  folder.write("away.onnx", onnx::model({node("Conv", {"x", "w"}, "y")},
                                        {onnx::tensor_of("w", 1, {1, 3, 1, 1}) + onnx::field(14, std::int64_t{1}) +
                                         onnx::field(13, onnx::field(1, std::string("location")) +
                                                             onnx::field(2, std::string("away.data")))}));
  folder.refuses({"away.onnx"}, "'w' is stored in away.data, which does not exist");
  // The import reads this file, and does not replace it.
  folder.write("away.data", std::string(12, '\0'));
  std::filesystem::create_hard_link(folder.file("away.data"), folder.file("o.weights.safetensors"));
  folder.refuses({"away.onnx", "-o", "o.json"}, "which this run reads");
  CHECK(folder.import({"away.onnx"}).code == 0);

  const std::string python =
      "import torch, safetensors.torch; safetensors.torch.save_file(torch.load('net.pt', weights_only=True), "
      "'net.safetensors')\n";
  folder.refuses({"models/net.pt"}, python);
  CHECK(folder.run({"apply", "a.pgm", "-k", "models/net.pt"}).err.ends_with(python));
  CHECK(folder.run({"apply", "a.pgm", "-k", R"({"weight": "models/net.pt"})"}).err.ends_with(python));
  CHECK(folder.run({"apply", "a.pgm", "-k", "m.onnx"}).err.find("'convtool kernels import m.onnx'") !=
        std::string::npos);
}

TEST_CASE("names that a model brings along cannot break a line or leave the folder") {
  const ModelFolder folder;
  folder.write("n.onnx",
               onnx::model({node("Conv", {"x", "../\x1b[2J\n/a.weight"}, "c\n"), node("Identity", {"c\n"}, "y")},
                           {tensor("../\x1b[2J\n/a.weight", {1, 1, 1, 1}, {2})}, {-1, 1, -1, -1}));
  const ProgramResult result = folder.import({"n.onnx"});
  CHECK_MESSAGE(result.code == 0, result.err);
  CHECK(result.out.find('\x1b') == std::string::npos);
  const ProgramResult applied =
      folder.run({"apply", "a.pgm", "-k", "n.json", "-o", "y.json", "--dump-layers", "layers"});
  CHECK_MESSAGE(applied.code == 0, applied.err);
  for (const std::string& name : folder.names()) CHECK(name.find('\n') == std::string::npos);
}

TEST_CASE("batch normalisation and transposed convolutions in safetensors files") {
  const ModelFolder folder;
  const auto array = [](const std::string& name, const std::string& shape, int begin, int count) {
    return "\"" + name + R"(":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[)" + std::to_string(4 * begin) +
           "," + std::to_string(4 * (begin + count)) + "]}";
  };
  // up: 2 channels to 1, with one bias; same: 1 to 1, which may be either.
  folder.write("m.safetensors",
               safetensors("{" + array("up.weight", "2,1,1,1", 0, 2) + "," + array("up.bias", "1", 2, 1) + "," +
                               array("deconv2.weight", "1,1,1,1", 3, 1) + "," + array("same.weight", "1,1,1,1", 4, 1) +
                               "," + array("same.bias", "1", 5, 1) + "," + array("bn1.running_mean", "2", 6, 2) + "," +
                               array("bn2.running_mean", "2", 8, 2) + "}",
                           raw_bytes(std::vector<float>(10, 1.0F))));
  const ProgramResult list = folder.import({"m.safetensors"});
  CHECK(list.out.find("up.weight         F32  2x1x1x1  of a transposed convolution\n") != std::string::npos);
  CHECK(list.out.find("deconv2.weight    F32  1x1x1x1  of a transposed convolution\n") != std::string::npos);
  CHECK(list.out.find("same.weight       F32  1x1x1x1  a kernel, with same.bias\n") != std::string::npos);
  const std::string note =
      "convtool: m.safetensors: has batch normalisation ('bn1' and 1 more), which kernel files of its arrays do not "
      "apply; export the model to ONNX and import that\n";
  CHECK(list.err == note);
  const ProgramResult all = folder.import({"m.safetensors", "--all"});
  CHECK(all.out == "same.weight and same.bias -> same.json\n");
  CHECK(all.err == note);
  folder.refuses({"m.safetensors", "up"}, "'up.weight' is of nn.ConvTranspose2d by its name or bias");
}

/// Checks every layer of an imported model against tests/data/onnx. Returns their number.
std::size_t compare_layers(const std::string& model) {
  const TempFolder folder;
  const std::string data = TEST_DATA_DIR "/onnx/" + model, archive = read_text(data + ".npz");
  const ProgramResult imported = run_convtool({"kernels", "import", data + ".onnx", "-o", "net.json"}, folder);
  REQUIRE_MESSAGE(imported.code == 0, imported.err);
  const ProgramResult applied = run_convtool(
      {"apply", data + ".npz#picture", "-k", "net.json", "-o", "y.npy", "--dump-layers", "layers"}, folder);
  REQUIRE_MESSAGE(applied.code == 0, applied.err);
  std::vector<std::string> dumps;
  for (const std::string& name : folder.names())
    if (name.starts_with("layers/")) dumps.push_back(name);
  const json layers = json::parse(read_text(folder.file("net.json"))).at("layers");
  REQUIRE(dumps.size() >= layers.size());  // there is one more if the input is scaled
  std::size_t compared = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto description = layers[i].at("description").get<std::string>();
    CAPTURE(description);
    const std::size_t quote = description.find('\'');
    const std::string value = description.substr(quote + 1, description.size() - quote - 2);
    if (description.starts_with("Gemm, ")) continue;  // a list, which the archive does not have
    ++compared;
    const Buffer expected = extract_npy(std::as_bytes(std::span(archive)), value, kNoLimit);
    const std::string dump = read_text(folder.file(dumps[dumps.size() - layers.size() + i]));
    const RankedTensor wanted = parse_npy(expected), got = parse_npy(std::as_bytes(std::span(dump)));
    REQUIRE(got.tensor.shape() == wanted.tensor.shape());
    const float* const a = wanted.tensor.data<float>();
    const auto count = wanted.tensor.shape().count();
    const auto [low, high] = std::minmax_element(a, a + count);
    double worst = 0;
    for (std::int64_t k = 0; k < count; ++k)
      worst = std::max(worst, std::fabs(static_cast<double>(got.tensor.data<float>()[k]) - static_cast<double>(a[k])));
    // Float sums of n products err by about n * 2^-24 of their magnitude, here at most 10^-5 of it in a layer.
    CHECK(worst <= 1e-4 * (static_cast<double>(*high) - static_cast<double>(*low)));
  }
  return compared;
}

TEST_CASE("models like LeNet, MobileNet and ResNet, and those of exporters, equal PyTorch in every layer") {
  CHECK(compare_layers("lenet") == 4);
  CHECK(compare_layers("keras") == 5);
  CHECK(compare_layers("exported") == 12);
  CHECK(compare_layers("mobilenet") == 14);
  CHECK(compare_layers("resnet18") == 30);
}

}  // namespace
}  // namespace convtool
