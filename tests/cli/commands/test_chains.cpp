// Kernels that run one after another: --then, and names in kernel files.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/program.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

using nlohmann::json;

constexpr const char* kColours = TEST_DATA_DIR "/pictures/color.png";

std::vector<float> values_in(const std::string& path) {
  const std::string text = read_text(path);
  const RankedTensor tensor = parse_npy(std::as_bytes(std::span(text)));
  const float* data = tensor.tensor.data<float>();
  return {data, data + tensor.tensor.shape().count()};
}

/// Runs convtool, which has to succeed without a word on standard error.
std::string run_well(const TempFolder& folder, const std::vector<std::string>& arguments) {
  const ProgramResult result = run_convtool(arguments, folder);
  CAPTURE(result.err);
  CHECK(result.code == 0);
  CHECK(result.err == "");
  return result.out;
}

/// Runs convtool, which has to refuse in one line that contains `part`, and to write nothing.
void refuses(const TempFolder& folder, const std::vector<std::string>& arguments, int code, const std::string& part) {
  const std::vector<std::string> before = folder.names();
  const ProgramResult result = run_convtool(arguments, folder);
  CAPTURE(result.err);
  CHECK(result.code == code);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  CHECK(result.err.find(part) != std::string::npos);
  CHECK(folder.names() == before);
}

/// Four grey pixels and a picture of colours with alpha, with values that sums of whole weights keep exact.
class ChainFolder : public TempFolder {
 public:
  ChainFolder() {
    write("a.pgm", "P2\n4 4\n255\n1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
    write("x.json", "[[1,2,3,4],[5,6,7,8],[9,10,11,12],[13,14,15,16]]");
  }
};

}  // namespace

TEST_CASE("--then equals two runs with a tensor of floats between them") {
  const TempFolder folder;
  run_well(folder, {"apply", kColours, "-k", "gaussian:sigma=2", "--then", "sobel", "-o", "one.npy"});
  run_well(folder, {"apply", kColours, "-k", "gaussian:sigma=2", "-o", "mid.npy"});
  run_well(folder, {"apply", "mid.npy", "-k", "sobel", "-o", "two.npy"});
  const std::vector<float> one = values_in(folder.file("one.npy")), two = values_in(folder.file("two.npy"));
  REQUIRE(one.size() == two.size());
  // A float sum of n products errs by at most (n + 4) * 2^-24 * sum|x||w|, whatever the algorithm. Of the Gaussian, sum
  // |x||w| <= 255 and n = 169, so both middle values are within b of the exact one, and the derivatives, whose absolute
  // weights sum to 8, within 8b + 13 * 2^-24 * 8 * (255 + b). A magnitude moves by at most the root of 2 times that,
  // and its own root is rounded.
  const double b = 173 * 0x1p-24 * 255;
  const double one_run = std::sqrt(2.0) * (8 * b + 13 * 0x1p-24 * 8 * (255 + b)) + 0x1p-23 * 1443;
  double most = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    most = std::max(most, std::fabs(static_cast<double>(one[i]) - static_cast<double>(two[i])));
  CHECK(most <= 2 * one_run);
  CHECK(*std::max_element(one.begin(), one.end()) > 10);  // there are edges
}

TEST_CASE("a chain rounds once: every stage would have lost a half") {
  const ChainFolder folder;
  // (x / 2) * 2: in pictures between the stages, odd values would round to even ones.
  run_well(folder, {"apply", "a.pgm", "-k", "[[0.5]]", "--then", "[[2]]", "-o", "out.json"});
  CHECK(read_text(folder.file("out.json")) == "[[[1,2,3,4],[5,6,7,8],[9,10,11,12],[13,14,15,16]]]\n");
  const std::string report = run_well(
      folder, {"apply", "a.pgm", "-k", "[[0.5]]", "--then", "[[2]]", "--then", "[[1]]", "-o", "b.pgm", "--json"});
  CHECK(read_text(folder.file("b.pgm")).find(std::string("\1\2\3\4\5", 5)) != std::string::npos);
  const json object = json::parse(report);
  CHECK(object["kernel"]["name"] == "inline then inline then inline");
  REQUIRE(object["layers"].size() == 3);
  CHECK(object["layers"][1]["kernel"]["name"] == "inline");
}

TEST_CASE("names in a kernel file, --then, and the file that convert writes of it are the same network") {
  const TempFolder folder;
  folder.write("net.json", R"({"layers": ["gaussian:sigma=2", "sobel"]})");
  run_well(folder, {"apply", kColours, "-k", "net.json", "-o", "file.png"});
  run_well(folder, {"apply", kColours, "-k", R"({"layers": ["gaussian:sigma=2", "sobel"]})", "-o", "inline.png"});
  run_well(folder, {"apply", kColours, "-k", "gaussian:sigma=2", "--then", "sobel", "-o", "then.png"});
  run_well(folder, {"kernels", "convert", "gaussian:sigma=2", "--then", "sobel", "-o", "chain.json"});
  run_well(folder, {"apply", kColours, "-k", "chain.json", "-o", "converted.png"});
  const std::string file = read_text(folder.file("file.png"));
  CHECK(read_text(folder.file("inline.png")) == file);
  CHECK(read_text(folder.file("then.png")) == file);
  CHECK(read_text(folder.file("converted.png")) == file);

  run_well(folder,
           {"apply", kColours, "-k", R"({"bank": ["sobel-x", "sobel-y"], "combine": "magnitude"})", "-o", "bank.npy"});
  run_well(folder, {"apply", kColours, "-k", "sobel", "-o", "sobel.npy"});
  CHECK(read_text(folder.file("bank.npy")) == read_text(folder.file("sobel.npy")));
}

TEST_CASE("a chain of banks and networks, with colours, alpha and a batch") {
  const ChainFolder folder;
  run_well(folder,
           {"apply", "x.json", "-k", "[[1,1]]", "-k", "[[1,-1]]", "--combine", "l1", "--then",
            R"({"layers": [[[2]], {"pool": "max", "size": 2}]})", "--then", "[[1]]", "--bias", "0.5", "-o", "y.json"});
  // |x + right| + |x - right| is twice the right value here; doubled, the largest of 2x2, plus the bias. 3 columns.
  CHECK(read_text(folder.file("y.json")) == "[[28.5],[60.5]]\n");

  folder.write("stacked.json", R"({"layers": [{"bank": ["sobel-x", "sobel-y"]}, "gaussian-3"]})");
  refuses(folder, {"apply", kColours, "-k", "stacked.json", "-o", "s.png"}, 1, "6 channels");

  // Colours keep to themselves, and the alpha follows the centres of the receptive fields.
  run_well(folder, {"apply", TEST_DATA_DIR "/pictures/input.png", kColours, "-k", "gaussian-3", "--then", "sharpen",
                    "--out-dir", "out", "-q"});
  CHECK(std::filesystem::exists(folder.file("out/input.gaussian-3-then-sharpen.png")));
  CHECK(std::filesystem::exists(folder.file("out/color.gaussian-3-then-sharpen.png")));
}

TEST_CASE("layer options belong to the kernel before them") {
  const ChainFolder folder;
  const auto shape = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"shape", "3x40x60"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return lines_of(run_well(folder, all)).at(0);
  };
  CHECK(shape({"-k", "box", "--then", "box:size=5", "--stride", "2"}) == "3x20x30");
  CHECK(shape({"-k", "box", "--stride", "2", "--then", "box", "--stride", "2"}) == "3x10x15");
  CHECK(shape({"--stride", "2x1", "-k", "box", "--then", "box", "--padding", "valid"}) == "3x18x58");
  CHECK(shape({"-k", "box", "--padding", "valid", "--then", "box:size=5", "--pads", "0,1,0,2"}) == "3x34x57");
  CHECK(shape({"-k", "sobel-x", "-k", "sobel-y", "--combine", "max", "--then", "box"}) == "3x40x60");
  CHECK(shape({"-k", "sobel-x", "-k", "sobel-y", "--then", "box"}) == "6x40x60");

  const std::string one = run_well(folder, {"apply", "x.json", "-k", "[[1,1]]", "--divisor", "2", "--then", "[[2,2]]",
                                            "--normalize", "-o", "-", "-q"});
  const std::string two =
      run_well(folder, {"apply", "x.json", "-k", "[[0.5,0.5]]", "--then", "[[0.5,0.5]]", "-o", "-", "-q"});
  CHECK(one == two);

  refuses(folder, {"apply", "a.pgm", "-k", "box", "--then", "box", "--stride", "2", "--stride", "2"}, 2,
          "--stride: is given more than once");
  refuses(folder, {"apply", "a.pgm", "-k", "box", "--then", "box", "--pads", "1,1,1,1", "--padding", "1"}, 2,
          "--pads: cannot be used together with --padding");
  folder.write("net.json", R"({"layers": ["box", "box"]})");
  refuses(folder, {"apply", "a.pgm", "-k", "box", "--then", "net.json", "--stride", "2"}, 2,
          "--stride: applies to one layer, but 'net' is a network of 2 layers");
}

TEST_CASE("what a chain cannot be is refused in one line") {
  const ChainFolder folder;
  refuses(folder, {"apply", kColours, "-k", "luma", "--then", "sepia"}, 2,
          "luma then sepia: layer 2, 'sepia', takes 3 channels, but layer 1, 'luma', gives 1");
  refuses(folder, {"kernels", "show", "luma", "--then", "sepia"}, 2, "takes 3 channels");
  refuses(folder, {"kernels", "show", R"({"layers": ["luma", "sepia"]})"}, 2, "takes 3 channels");
  for (const char* command : {"shape", "explain"}) {  // whatever the input is
    refuses(folder, {command, kColours, "-k", "luma", "--then", "sepia"}, 2, "takes 3 channels, but layer 1");
    refuses(folder, {command, "3x9x9", "-k", R"({"layers": ["luma", "sepia"]})"}, 2, "takes 3 channels, but layer 1");
  }
  refuses(folder, {"explain", "a.pgm", "-k", "[[1]]", "--then", "sepia"}, 1, "convtool: layer 2 on 1x4x4: the kernel");
  refuses(folder, {"apply", "a.pgm", "-k", "[[1]]", "--then", "sepia"}, 1, "layer 2 on 1x4x4");
  refuses(folder, {"apply", "a.pgm", "-k", "[[1]]", "--then", "[[1,1,1,1,1]]"}, 1, "layer 2 on 1x4x4: the kernel");
  refuses(folder, {"apply", "a.pgm", "-k", "box", "--then", "sobl"}, 2,
          "--then: no kernel is called 'sobl' (expected a kernel file, a name or inline JSON); did you mean");
  refuses(folder, {"apply", "a.pgm", "--then", "box"}, 2, "no kernel given; add one");
  refuses(folder, {"apply", "a.pgm", "--then", "sobel", "-k", "box"}, 2,
          "--then: 'sobel' would run before a kernel of -k; name all kernels of -k first: -k box --then sobel");
  refuses(folder, {"apply", "a.pgm", "-k", "box", "--then"}, 2, "--then: needs a value, K");
  refuses(folder, {"apply", "a.pgm", "-k", "box", "--then", "gaussian", "sigma=2"}, 2,
          "'sigma=2' is not a file; did you mean --then gaussian:sigma=2?");
  refuses(folder, {"apply", "a.pgm", "-k", "box", "--then", "sobel", "edge"}, 2,
          "a second kernel needs its own option: --then sobel --then edge");
  refuses(folder, {"shape", "3x9x9", "--kernel-size", "3", "--then", "box"}, 2, "--then: runs after the kernel of -k");
  refuses(folder, {"edges", "a.pgm", "--then", "box"}, 2, "'convtool apply' has --then");
  refuses(folder, {"apply", "a.pgm", "-k", "box", "--then", "./chain.json", "-o", "./chain.json"}, 2, "chain.json");
  refuses(folder, {"kernels", "convert", "box", "--then", "sobel", "--to", "vips"}, 2, "a network of 2 layers");
}

TEST_CASE("shape, explain, kernels show and reports name every kernel of a chain") {
  const ChainFolder folder;
  const std::vector<std::string> chain = {"-k", "gaussian-3", "--then", "sobel-x"};
  const auto with_chain = [&](std::vector<std::string> arguments, const std::vector<std::string>& more = {}) {
    arguments.insert(arguments.end(), chain.begin(), chain.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_well(folder, arguments);
  };
  const json shape = json::parse(with_chain({"shape", "1x9x9"}, {"--json"}));
  REQUIRE(shape["layers"].size() == 2);
  CHECK(shape["layers"][0]["name"] == "gaussian-3");
  CHECK(shape["layers"][1]["name"] == "sobel-x");
  CHECK(shape["receptive_field"]["size"] == json({5, 5}));

  const json explained = json::parse(with_chain({"explain", "a.pgm", "--at", "1,2"}, {"--json"}));
  REQUIRE(explained["layers"].size() == 2);
  CHECK(explained["layers"][0]["name"] == "sobel-x");  // from the last back to the first
  CHECK(explained["layers"][1]["name"] == "gaussian-3");

  const std::string shown = run_well(folder, {"kernels", "show", "gaussian-3", "--then", "sobel-x"});
  CHECK(shown.find("gaussian-3 then sobel-x") == 0);
  CHECK(shown.find("layer gaussian-3") != std::string::npos);
  CHECK(shown.find("layer sobel-x") != std::string::npos);

  const std::string text = with_chain({"apply", "a.pgm", "-o", "b.pgm", "-v", "--report", "page.html"});
  CHECK(text.find("network gaussian-3 then sobel-x of 2 layers") != std::string::npos);
  CHECK(text.find("kernel gaussian-3 3x3") != std::string::npos);
  CHECK(text.find("kernel sobel-x 3x3") != std::string::npos);
  const std::string page = read_text(folder.file("page.html"));
  CHECK(page.find("gaussian-3") != std::string::npos);
  CHECK(page.find("sobel-x") != std::string::npos);

  // explain's value is the one that apply stores.
  run_well(folder, {"apply", "a.pgm", "-k", "gaussian-3", "--then", "sobel-x", "-o", "stored.json", "--map", "abs"});
  const json stored = json::parse(read_text(folder.file("stored.json")));
  const json again = json::parse(with_chain({"explain", "x.json", "--at", "1,2"}, {"--json", "--map", "abs"}));
  CHECK(again["stored"] == stored[0][1][2]);
}

TEST_CASE("layers that run as one are reported, and give the bits of layers that run apart") {
  const TempFolder folder;
  const std::vector<std::string> blur = {"apply",  kColours,        "-k",          "[[1,2,1]]", "--normalize",
                                         "--then", "[[1],[2],[1]]", "--normalize", "--then",    "sharpen"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = blur;
    all.insert(all.end(), more.begin(), more.end());
    return run_well(folder, all);
  };
  // Every sum is exact: whole weights, and divisors of 4.
  const json report = json::parse(with({"-o", "folded.npy", "--json"}));
  with({"-o", "apart.npy", "--algorithm", "rows"});
  CHECK(values_in(folder.file("folded.npy")) == values_in(folder.file("apart.npy")));
  REQUIRE(report["folded"].size() == 1);
  CHECK(report["folded"][0]["layers"] == json({1, 2}));
  CHECK(report["folded"][0]["kernel"] == json({{"name", "inline then inline"}, {"shape", {3, 3}}}));
  REQUIRE(report["layers"].size() == 3);
  CHECK(report["layers"][0]["algorithm"] == "folded");
  CHECK(report["layers"][1]["algorithm"] == "folded");
  CHECK(report["layers"][2]["algorithm"] != "folded");
  CHECK(with({"-o", "folded.npy", "-v"}).find("layers 1 to 2 are folded into one:\n  kernel inline then inline 3x3") !=
        std::string::npos);
  CHECK(run_well(folder, {"kernels", "show", "[[1,2,1]]", "--then", "[[1],[2],[1]]"})
            .find("for layers 1 to 2 folded into one") != std::string::npos);

  // Each layer's output is still there to look at, and explain stores what apply stores.
  with({"-o", "folded.png", "--dump-layers", "layers", "-q", "--map", "clip"});
  CHECK(std::filesystem::exists(folder.file("layers/color.02-inline.npy")));
  CHECK(values_in(folder.file("layers/color.03-sharpen.npy")) == values_in(folder.file("apart.npy")));
}

TEST_CASE("--divisor and --normalize divide as the kernel file does, and replace its own") {
  const ChainFolder folder;
  folder.write("sum.json", R"({"weight": [[1, 1], [1, 1]], "divisor": 7})");
  const auto out = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"apply", "x.json", "-o", "-", "-q"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_well(folder, all);
  };
  const std::string mean = out({"-k", R"({"weight": [[1, 1], [1, 1]], "divisor": 4})"});
  CHECK(out({"-k", "sum.json", "--divisor", "4"}) == mean);
  CHECK(out({"-k", "sum.json", "--normalize"}) == mean);
  CHECK(out({"-k", R"({"weight": [[1, 1], [1, 1]], "normalize": true})", "--divisor", "1"}) ==
        out({"-k", "[[1, 1], [1, 1]]"}));
  CHECK(out({"-k", "[[1]]", "--divisor", "-2"}) == out({"-k", "[[-0.5]]"}));
  // Every output channel by its own sum, and the bias is not divided.
  CHECK(out({"-k", "[[[[1]]],[[[4]]]]", "--normalize", "--bias", "1"}) ==
        out({"-k", "[[[[1]]],[[[1]]]]", "--bias", "1"}));

  refuses(folder, {"apply", "x.json", "-k", "sobel-x", "--normalize"}, 2,
          "--normalize: divides by the sum of the weights, which is 0 for kernel 'sobel-x'; leave it out, or choose "
          "--divisor D");
  refuses(folder, {"apply", "x.json", "-k", "[[0.1,0.2,-0.3]]", "--normalize"}, 2, "which is 0");
  refuses(folder, {"apply", "x.json", "-k", "[[1]]", "--divisor", "0"}, 2, "--divisor: '0' is not valid");
  refuses(folder, {"apply", "x.json", "-k", "[[1]]", "--divisor", "none"}, 2, "--divisor: 'none'");
  refuses(folder, {"apply", "x.json", "-k", "[[1]]", "--divisor", "nan"}, 2, "--divisor: 'nan'");
  refuses(folder, {"apply", "x.json", "-k", "[[1e30]]", "--divisor", "1e-30"}, 2, "beyond float32");
  refuses(folder, {"apply", "x.json", "-k", "[[1]]", "--divisor", "2", "--normalize"}, 2,
          "--normalize: cannot be used together with --divisor");
  refuses(folder, {"apply", "x.json", "-k", R"({"pool": "max", "size": 2})", "--normalize"}, 2, "is a max pool");
  refuses(folder, {"shape", "9x9", "--kernel-size", "3", "--divisor", "2"}, 2, "--divisor: divides weights");
}

}  // namespace convtool
