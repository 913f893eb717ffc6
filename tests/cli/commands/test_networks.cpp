// Runs networks: compares them with PyTorch, dumps layers, reads weights from other files, and imports kernels.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "support/program.h"
#include "support/safetensors.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

using nlohmann::json;

RankedTensor read_npy(const std::string& path) {
  const std::string text = read_text(path);
  return parse_npy(std::as_bytes(std::span(text)));
}

std::vector<float> values_of(const RankedTensor& tensor) {
  const float* data = tensor.tensor.data<float>();
  return {data, data + tensor.tensor.shape().count()};
}

/// The network of tests/make_golden_network.py.
std::string golden_network() {
  const auto layer = [](const std::string& name, const std::string& more) {
    return R"({"name":")" + name + R"(","weight":")" TEST_DATA_DIR "/golden-network.safetensors#" + name +
           R"(.weight","bias":")" TEST_DATA_DIR "/golden-network.safetensors#" + name + R"(.bias")" + more + "}";
  };
  const std::string relu = R"(,"activation":"relu")";
  return R"({"name":"lenet","layers":[)" + layer("conv1", relu) + R"(,{"name":"pool1","pool":"max","size":2},)" +
         layer("conv2", relu) + R"(,{"name":"pool2","pool":"mean","size":2},)" + layer("conv3", "") + "]}";
}

constexpr const char* kInputPicture = TEST_DATA_DIR "/pictures/input.png";

/// A small network and a picture that it fits.
class NetworkFolder : public TempFolder {
 public:
  NetworkFolder() {
    write("net.json", R"({"layers": [{"name": "twice", "weight": [[2]]}, {"name": "pool", "pool": "max", "size": 2},
                                     {"name": "sum", "weight": [[1, 1]]}]})");
    write("a.pgm", "P2\n4 4\n255\n1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
  }

  ProgramResult run(const std::vector<std::string>& arguments) const { return run_convtool(arguments, *this); }

  /// Runs convtool and checks its exit code, that standard error is one line that contains `part`, and that the folder
  /// has no new files.
  void refuses(const std::vector<std::string>& arguments, int code, const std::string& part) const {
    const std::vector<std::string> before = names();
    const ProgramResult result = run(arguments);
    CAPTURE(result.err);
    CHECK(result.code == code);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK(result.err.find(part) != std::string::npos);
    CHECK(names() == before);
  }
};

}  // namespace

TEST_CASE("a network like LeNet equals PyTorch's, on a picture of bytes with weights of four types") {
  const TempFolder folder;
  const ProgramResult result =
      run_convtool({"apply", kInputPicture, "-k", golden_network(), "-o", "y.npy", "--dump-layers", "layers"}, folder);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const RankedTensor y = read_npy(folder.file("y.npy"));
  const RankedTensor expected = read_npy(TEST_DATA_DIR "/golden-network.npy");
  const RankedTensor magnitudes = read_npy(TEST_DATA_DIR "/golden-network-magnitudes.npy");
  REQUIRE(y.tensor.shape() == expected.tensor.shape());
  const std::vector<float> got = values_of(y), wanted = values_of(expected), magnitude = values_of(magnitudes);

  // A float sum of n products errs by at most (n + 4) * 2^-24 * sum|x||w|, where the 4 covers bias, activation and
  // store. The next layer turns an error e of its input into at most sum|e||w|. Let m be the magnitudes, which are the
  // result of the same layers with absolute weights. Then all errors together are within m times the sum of all
  // (n + 4) * 2^-24. A maximum errs by no more than its values do, and a mean of 4 counts as a sum of 4. Rounding the
  // golden values to float adds 1.
  const double bound = (75 + 4 + 150 + 4 + 4 + 4 + 400 + 4 + 1) * 0x1p-24;
  double largest = 0, worst = 0;
  for (const float value : wanted) largest = std::max(largest, static_cast<double>(std::fabs(value)));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(static_cast<double>(got[i]) - static_cast<double>(wanted[i]));
    CHECK(error <= bound * static_cast<double>(magnitude[i]));
    worst = std::max(worst, error);
  }
  CHECK(worst <= 1e-5 * largest);
  MESSAGE("largest error " << worst << " of " << largest);

  CHECK(folder.names() == std::vector<std::string>{"layers", "layers/input.01-conv1.npy", "layers/input.02-pool1.npy",
                                                   "layers/input.03-conv2.npy", "layers/input.04-pool2.npy",
                                                   "layers/input.05-conv3.npy", "y.npy"});
  CHECK(read_npy(folder.file("layers/input.02-pool1.npy")).tensor.shape() == Shape{1, 6, 38, 46});
  CHECK(values_of(read_npy(folder.file("layers/input.05-conv3.npy"))) == got);
}

TEST_CASE("--dump-layers writes the output of each layer, and changes nothing else") {
  const NetworkFolder workplace;
  const ProgramResult plain = workplace.run({"apply", "a.pgm", "-k", "net.json", "-o", "plain.png"});
  const ProgramResult result =
      workplace.run({"apply", "a.pgm", "-k", "net.json", "-o", "y.png", "--dump-layers", "d/e", "--json"});
  REQUIRE(result.code == 0);
  CHECK(read_text(workplace.file("y.png")) == read_text(workplace.file("plain.png")));
  const json report = json::parse(result.out);
  CHECK(report.at("layer_outputs") == json({"d/e/a.01-twice.npy", "d/e/a.02-pool.npy", "d/e/a.03-sum.npy"}));
  CHECK(report.at("layers")[1].at("pool") == "max");
  const RankedTensor twice = read_npy(workplace.file("d/e/a.01-twice.npy"));
  CHECK(twice.rank == 3);
  CHECK(values_of(twice)[15] == 32);
  CHECK(values_of(read_npy(workplace.file("d/e/a.02-pool.npy"))) == std::vector<float>{12, 16, 28, 32});
  CHECK(values_of(read_npy(workplace.file("d/e/a.03-sum.npy"))) == std::vector<float>{28, 60});

  workplace.write("x.json", "[[1,2],[3,4]]");
  REQUIRE(workplace.run({"apply", "x.json", "-k", "[[1]]", "-o", "-", "--dump-layers", "."}).out == "[[1,2],[3,4]]\n");
  CHECK(read_npy(workplace.file("x.01-inline.npy")).rank == 2);
}

TEST_CASE("--dump-layers with other options") {
  const NetworkFolder workplace;
  const std::vector<std::string> before = workplace.names();
  const ProgramResult dry =
      workplace.run({"apply", "a.pgm", "-k", "net.json", "--dump-layers", "d", "--dry-run", "-v"});
  CHECK(dry.code == 0);
  CHECK(dry.out.find("layers d/a.01-twice.npy to d/a.03-sum.npy") != std::string::npos);
  CHECK(workplace.names() == before);

  for (const char* name : {"s/b/a.pgm", "s/c/a.pgm"}) {
    std::filesystem::create_directories(std::filesystem::path(workplace.file(name)).parent_path());
    std::filesystem::copy(workplace.file("a.pgm"), workplace.file(name));
  }
  const ProgramResult many = workplace.run(
      {"apply", "s", "--recursive", "-k", "net.json", "--out-dir", "o", "--dump-layers", "o", "--jobs", "2"});
  CHECK_MESSAGE(many.code == 0, many.err);
  CHECK(std::filesystem::exists(workplace.file("o/b/a.02-pool.npy")));
  CHECK(std::filesystem::exists(workplace.file("o/c/a.02-pool.npy")));
  workplace.refuses({"apply", "s/b/a.pgm", "s/c/a.pgm", "-k", "net.json", "--dump-layers", "d"}, 2, "same output");

  workplace.refuses({"apply", "a.pgm", "-k", "net.json", "-o", "d/a.01-twice.npy", "--dump-layers", "d"}, 2,
                    "does not exist");
  workplace.refuses({"apply", "a.pgm", "-k", "net.json", "-o", "o/a.01-twice.npy", "--dump-layers", "o"}, 2,
                    "both the result and a layer's file");
  workplace.refuses({"apply", "a.pgm", "-k", "net.json", "--dump-layers", "a.pgm"}, 2, "a.pgm");
  workplace.refuses({"apply", "a.pgm", "-k", "net.json", "--dump-layers", "d", "--manifest", "m"}, 2, "--manifest: ");

  workplace.write("a.02-pool.npy", "mine");
  const ProgramResult kept = workplace.run({"apply", "a.pgm", "-k", "net.json", "--dump-layers", ".", "-n"});
  CHECK(kept.out.find("skipped") == std::string::npos);  // the result did not exist yet
  const ProgramResult again = workplace.run({"apply", "a.pgm", "-k", "net.json", "--dump-layers", ".", "-n"});
  CHECK(again.out.find("skipped: a.net.png exists") != std::string::npos);
  // With -n, existing layer outputs are kept and missing ones are written.
  CHECK(read_text(workplace.file("a.02-pool.npy")) == "mine");
  CHECK(std::filesystem::exists(workplace.file("a.01-twice.npy")));
  std::filesystem::remove(workplace.file("a.net.png"));
  CHECK(workplace.run({"apply", "a.pgm", "-k", "net.json", "--dump-layers", ".", "-n"}).out.find("skipped") ==
        std::string::npos);
  const std::vector<std::string> both = {"apply", "a.02-pool.npy", "a.pgm", "-k", "net.json", "--dump-layers",
                                         ".",     "--out-dir",     "q"};
  workplace.refuses(both, 2, "is not an earlier one");
  CHECK(read_text(workplace.file("a.02-pool.npy")) == "mine");
  CHECK(workplace.run({"apply", "a.pgm", "-k", "net.json", "--dump-layers", ".", "--out-dir", "q"}).code == 0);
  const ProgramResult second = workplace.run(both);
  CHECK(second.err.starts_with("convtool: 1 input is an earlier output of this command, 'a.02-pool.npy' of 'a.pgm'"));
}

TEST_CASE("pools accept the options that apply to them, and refuse the others") {
  const NetworkFolder workplace;
  const std::string pool = R"({"name":"pool","pool":"max","size":2})";
  CHECK(workplace.run({"apply", "a.pgm", "-k", pool, "-o", "y.json", "--json"}).code == 0);
  CHECK(read_text(workplace.file("y.json")) == "[[[6,8],[14,16]]]\n");
  CHECK(workplace.run({"apply", "a.pgm", "-k", R"({"pool":"mean","size":2})", "-o", "m.json"}).code == 0);
  CHECK(read_text(workplace.file("m.json")) == "[[[3.5,5.5],[11.5,13.5]]]\n");
  const ProgramResult text = workplace.run({"apply", "a.pgm", "-k", pool, "-o", "y.png", "-v", "--flip"});
  CHECK(text.out.find("; max pool 2x2, stride 2, clipped 0\n  max pool 2x2, stride 2, padding 0\n") !=
        std::string::npos);
  for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{{"--stride", "1"},
                                                                                      {"--dilation", "2"},
                                                                                      {"--padding", "same"},
                                                                                      {"--pads", "1,1,1,1"},
                                                                                      {"--padding-mode", "reflect"},
                                                                                      {"--groups", "1"},
                                                                                      {"--bias", "1"},
                                                                                      {"--combine", "max"}})
    workplace.refuses({"apply", "a.pgm", "-k", pool, option, value}, 2,
                      option + ": applies to kernels, but 'pool' is a max pool");
  workplace.refuses({"apply", "a.pgm", "-k", pool, "-k", "[[1]]"}, 2, "make it a separate entry");
  for (const char* map : {"auto", "clip", "abs", "normalize", "offset", "signed"})
    CHECK(workplace.run({"apply", "a.pgm", "-k", pool, "--map", map, "-o", "z.png"}).code == 0);
  CHECK(workplace.run({"apply", "a.pgm", "-k", pool, "--normalize-percentile", "1,99", "-o", "z.png"}).code == 0);
  CHECK(workplace.run({"apply", "a.pgm", "-k", pool, "--algorithm", "fft", "-o", "z.png"}).code == 0);

  const ProgramResult shape = workplace.run({"shape", "1x4x4", "-k", "net.json", "--json"});
  const json layers = json::parse(shape.out).at("layers");
  CHECK(layers[1].at("output_shape") == json({1, 2, 2}));
  CHECK(layers[1].at("macs") == 0);
  CHECK(layers[1].at("parameters") == 0);
  CHECK(layers[2].at("receptive_field") ==
        json({{"size", {2, 4}}, {"stride", {2, 2}}, {"offset", {0, 0}}, {"centre", {0.5, 1.5}}}));
  CHECK(workplace.run({"kernels", "show", "net.json"}).out.find("  max of 2x2, stride 2x2, padding 0x0\n") !=
        std::string::npos);
}

TEST_CASE("pools keep alpha at the centres of windows; means can be premultiplied, maxima cannot") {
  const NetworkFolder workplace;
  cv::Mat picture(2, 4, CV_8UC4);
  for (int i = 0; i < 32; ++i) picture.data[i] = static_cast<std::uint8_t>(7 * i);
  REQUIRE(cv::imwrite(workplace.file("rgba.png"), picture));
  const auto run = [&](const std::string& kind, const std::string& alpha) {
    return workplace.run(
        {"apply", "rgba.png", "-k", R"({"pool":")" + kind + R"(","size":2})", "--alpha", alpha, "-o", "y.png"});
  };
  CHECK(run("max", "filter").code == 0);
  CHECK(run("max", "keep").code == 0);
  const cv::Mat pooled = cv::imread(workplace.file("y.png"), cv::IMREAD_UNCHANGED);
  REQUIRE(pooled.total() == 2);
  CHECK(pooled.at<cv::Vec4b>(0, 1)[0] == 7 * 28);  // of the last pixel, the largest
  CHECK(pooled.at<cv::Vec4b>(0, 1)[3] == 7 * 11);  // of pixel 2 of the upper row, the first of two middles
  CHECK(run("mean", "premultiply").code == 0);
  const ProgramResult refused = run("max", "premultiply");
  CHECK(refused.code == 1);
  CHECK(refused.err.find("is a max pool; choose --alpha keep") != std::string::npos);
}

TEST_CASE("a stack that shrinks to nothing names the layer with its numbers") {
  const NetworkFolder workplace;
  workplace.write("deep.json", R"({"layers": [{"pool": "max", "size": 2}, {"pool": "mean", "size": 2}, [[1, 1]]]})");
  workplace.refuses(
      {"apply", "a.pgm", "-k", "deep.json", "-o", "y.png"}, 1,
      "a.pgm: layer 3 on 1x1x1: the kernel is larger than the padded input (kernel 1x2, padded input 1x1)");
}

TEST_CASE("weights are found relative to the kernel file, and never overwritten") {
  const NetworkFolder workplace;
  std::filesystem::create_directory(workplace.path() / "k");
  REQUIRE(workplace.run({"apply", "-", "-k", "[[1]]", "--format", "npy", "-o", "k/w.npy"}).code != 0);
  workplace.write("w.json", "[[1,2]]");
  REQUIRE(workplace.run({"apply", "w.json", "-k", "[[1]]", "-o", "k/w.npy"}).code == 0);
  workplace.write("k/far.json", R"({"weight": "w.npy"})");
  REQUIRE(workplace.run({"apply", "a.pgm", "-k", "k/far.json", "-o", "y.json"}).code == 0);
  CHECK(read_text(workplace.file("y.json")).starts_with("[[[5,8,11],"));
  CHECK(workplace.run({"apply", "a.pgm", "-k", R"({"weight": "k/w.npy"})", "-o", "z.json"}).code == 0);
  CHECK(read_text(workplace.file("z.json")) == read_text(workplace.file("y.json")));
  workplace.refuses({"apply", "a.pgm", "-k", "k/far.json", "-o", "k/w.npy"}, 2, "which this run reads");
  workplace.refuses({"apply", "a.pgm", "-k", R"({"weight": "w.npy"})", "-o", "y.json"}, 2, "w.npy: no such file");
  workplace.refuses({"apply", "a.pgm", "-k", "m.safetensors", "-o", "y.json"}, 2, "convtool kernels import");
}

TEST_CASE("a manifest distinguishes pools, and kernels with weights") {
  const NetworkFolder workplace;
  const auto run = [&](const std::string& kernel) {
    workplace.write("k.json", kernel);
    return workplace.run({"apply", "a.pgm", "-k", "k.json", "-o", "y.npy", "--manifest", "m"}).out;
  };
  const std::string max = R"({"name":"k","pool":"max","size":2})", mean = R"({"name":"k","pool":"mean","size":2})";
  CHECK(run(max).find("skipped") == std::string::npos);
  CHECK(run(max).find("skipped") != std::string::npos);
  CHECK(run(mean).find("skipped") == std::string::npos);
  CHECK(run(R"({"name":"k","weight":[[1,1],[1,1]],"stride":2})").find("skipped") == std::string::npos);
}

TEST_CASE("kernels import lists arrays, and writes kernel files that refer to them") {
  const NetworkFolder workplace;
  std::filesystem::create_directory(workplace.path() / "model");
  const std::string header = R"({"features.0.weight":{"dtype":"F32","shape":[2,1,1,2],"data_offsets":[0,16]},)"
                             R"("features.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[16,24]},)"
                             R"("plain":{"dtype":"U8","shape":[1,1,1,1],"data_offsets":[24,25]},)"
                             R"("fc.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[25,29]},)"
                             R"("q.weight":{"dtype":"F8_E4M3","shape":[1,1,1,1],"data_offsets":[29,30]}})";
  const std::string data =
      raw_bytes(std::vector<float>{1, 2, 3, 4, 0.5F, -0.5F}) + "\3" + raw_bytes(std::vector<float>{9}) + "\1";
  workplace.write("model/m.safetensors", safetensors(header, data));
  const std::vector<std::string> import = {"kernels", "import", "model/m.safetensors"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), import.begin(), import.end());
    return more;
  };
  const ProgramResult list = workplace.run(import);
  CHECK(list.code == 0);
  CHECK(list.out ==
        "features.0.weight  F32      2x1x1x2  a kernel, with features.0.bias\n"
        "features.0.bias    F32      2\n"
        "plain              U8       1x1x1x1  a kernel\n"
        "fc.weight          F32      1x1\n"
        "q.weight           F8_E4M3  1x1x1x1\n");

  const ProgramResult one = workplace.run(with({"features.0", "--out-dir", "k/l"}));
  CHECK_MESSAGE(one.code == 0, one.err);
  CHECK(one.out == "features.0.weight and features.0.bias -> k/l/features.0.json\n");
  CHECK(json::parse(read_text(workplace.file("k/l/features.0.json"))) ==
        json({{"name", "features.0"},
              {"description", "features.0.weight of m.safetensors"},
              {"weight", "../../model/m.safetensors#features.0.weight"},
              {"bias", "../../model/m.safetensors#features.0.bias"}}));
  const ProgramResult apply = workplace.run({"apply", "a.pgm", "-k", "k/l/features.0.json", "-o", "y.json"});
  REQUIRE_MESSAGE(apply.code == 0, apply.err);
  CHECK(read_text(workplace.file("y.json")).starts_with("[[[5.5,8.5,11.5],"));
  const ProgramResult twice = workplace.run(
      {"apply", "a.pgm", "-k", R"({"layers":[{"weight":"model/m.safetensors#plain"},{"pool":"max","size":4}]})", "-o",
       "-", "--format", "json"});
  CHECK(twice.out == "[[[48]]]\n");

  CHECK(workplace.run(with({"--all"})).out ==
        "features.0.weight and features.0.bias -> features.0.json\nplain -> plain.json\n");
  workplace.write("plain.json", "mine");
  CHECK(workplace.run(with({"plain", "-n"})).out == "plain.json skipped: it exists\n");
  CHECK(read_text(workplace.file("plain.json")) == "mine");

  workplace.refuses(with({"feature.0"}), 2, "did you mean 'features.0'?");
  workplace.refuses(with({"fc"}), 2, "'fc.weight' has rank 2 (expected 4");
  workplace.refuses(with({"q"}), 2, "'q.weight' has type F8_E4M3");
  workplace.refuses(with({"plain", "plain"}), 2, "would be written for 'plain' and for 'plain'");
  workplace.refuses(with({"plain", "--all"}), 2, "--all: ");
  workplace.refuses(with({"--out-dir", "k"}), 2, "--out-dir: ");
  workplace.refuses(with({"plain", "--out-dir", "a.pgm"}), 2, "a.pgm");
  std::filesystem::create_hard_link(workplace.file("model/m.safetensors"), workplace.file("k/plain.json"));
  workplace.refuses(with({"plain", "--out-dir", "k"}), 2, "which this run reads");
  workplace.refuses({"kernels", "import", "net.json"}, 2, "net.json: ");
  workplace.refuses({"kernels", "import", "none.safetensors"}, 2, "none.safetensors: no such file");
  workplace.write("short.safetensors", safetensors(header, data.substr(1)));
  workplace.refuses({"kernels", "import", "short.safetensors"}, 2,
                    "short.safetensors: is a damaged safetensors file: 'q.weight' lies at bytes 29 to 30 of 29");
  workplace.refuses({"kernels", "import", "folder.safetensors"}, 2, "no such file");
}

TEST_CASE("import warns of a bias that it leaves out, and refuses names that cannot be file names") {
  const NetworkFolder workplace;
  const std::string header = R"({"up.weight":{"dtype":"F32","shape":[2,1,1,1],"data_offsets":[0,8]},)"
                             R"("up.bias":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},)"
                             R"(".weight":{"dtype":"U8","shape":[1,1,1,1],"data_offsets":[12,13]},)"
                             R"("a/b.weight":{"dtype":"U8","shape":[1,1,1,1],"data_offsets":[13,14]},)"
                             R"("a-b.weight":{"dtype":"U8","shape":[1,1,1,1],"data_offsets":[14,15]},)"
                             R"("none":{"dtype":"U8","shape":[1,0,1,1],"data_offsets":[15,15]}})";
  const std::string file = safetensors(header, raw_bytes(std::vector<float>{1, 2, 3}) + "\1\2\3");
  workplace.write("m.SAFETENSORS", file);
  CHECK(workplace.run({"kernels", "import", "m.SAFETENSORS"}).out.find("a kernel, but not with up.bias") !=
        std::string::npos);
  const ProgramResult up = workplace.run({"kernels", "import", "m.SAFETENSORS", "up"});
  CHECK(up.code == 0);
  CHECK(up.err ==
        "convtool: warning: m.SAFETENSORS: up.bias has the shape 1x1 (expected 2, one per output channel); it is "
        "left out\n");
  CHECK(workplace.run({"apply", "a.pgm", "-k", "up.json", "-o", "y.npy"}).code == 0);
  workplace.refuses({"kernels", "import", "m.SAFETENSORS", ".weight"}, 2, "gives no name for a kernel file");
  workplace.refuses({"kernels", "import", "m.SAFETENSORS", "a/b", "a-b"}, 2,
                    "would be written for 'a/b.weight' and for 'a-b.weight'");
  std::filesystem::create_directory(workplace.file("p.safetensors#q"));
  workplace.write("p.safetensors#q/m.safetensors", file);
  workplace.refuses({"kernels", "import", "p.safetensors#q/m.safetensors", "up"}, 2, "rename the folder");
}

TEST_CASE("references must be to regular files with valid names") {
  const NetworkFolder workplace;
  REQUIRE(run_shell("mkfifo f.npy && ln -s /dev/zero z.npy", workplace).code == 0);
  for (const char* name : {"f.npy", "z.npy"})
    workplace.refuses({"apply", "a.pgm", "-k", std::string(R"({"weight":")") + name + R"("})"}, 2,
                      "is not a regular file");
  workplace.refuses({"apply", "a.pgm", "-k", R"({"weight":"M.npy\u0000.npy"})"}, 2,
                    "'M.npy\\x00.npy' contains a zero byte");
  workplace.refuses({"apply", "a.pgm", "-k", R"({"pool":"max","size":9})"}, 1,
                    "use a smaller window, or fewer layers before it");
}

}  // namespace convtool
