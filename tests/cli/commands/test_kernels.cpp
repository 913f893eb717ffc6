// Runs convtool kernels show and convtool kernels convert.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "support/program.h"
#include "support/skip.h"

namespace {

using nlohmann::json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

ProgramResult convert(const TempFolder& folder, std::vector<std::string> arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), {"kernels", "convert"});
  return run_convtool(arguments, folder, input);
}

void refuses(const TempFolder& folder, const std::vector<std::string>& arguments, const std::string& part) {
  const std::vector<std::string> before = folder.names();
  const ProgramResult result = convert(folder, arguments);
  CAPTURE(result.err);
  CHECK(result.code == 2);
  CHECK(result.out == "");
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  CHECK(contains(result.err, part));
  CHECK(folder.names() == before);
}

}  // namespace

TEST_CASE("list says which shipped kernels differ from the generated ones of the same names") {
  const TempFolder folder;
  const std::string text = run_convtool({"kernels", "list"}, folder).out;
  CHECK(contains(text, "unsharp and log without parameters are the shipped kernels"));
  const auto written = [&](const std::string& kernel) {
    const ProgramResult result = run_convtool({"kernels", "convert", kernel, "--to", "npy", "-o", "-"}, folder);
    REQUIRE(result.code == 0);
    return result.out;
  };
  for (const char* name : {"unsharp:amount=1", "log:sigma=1.4"})
    CHECK(written(name) != written(std::string(name).substr(0, std::string(name).find(':'))));
  for (const char* name : {"sharpen:amount=1", "emboss:amount=1", "box:size=3"})
    CHECK(written(name) == written(std::string(name).substr(0, std::string(name).find(':'))));
}

TEST_CASE("kernels --json is kernels list --json") {
  const TempFolder folder;
  const ProgramResult result = run_convtool({"kernels", "--json"}, folder);
  CHECK(result.code == 0);
  CHECK(result.out == run_convtool({"kernels", "list", "--json"}, folder).out);
  CHECK(run_convtool({"kernels", "--json", "list"}, folder).err ==
        "convtool: options follow the command, as in 'convtool kernels list --json'\n");
}

TEST_CASE("list --json has the names, sizes and parameters of list") {
  const TempFolder folder;
  const std::string text = run_convtool({"kernels", "list"}, folder).out;
  const json report = json::parse(run_convtool({"kernels", "list", "--json"}, folder).out);
  CHECK(report["version"] == 1);
  REQUIRE(report["shipped"].size() > 10);
  for (const json& kernel : report["shipped"]) {
    const std::string name = kernel["name"];
    CAPTURE(name);
    CHECK(contains("\n" + text, "\n" + name + " "));
    const json shown = json::parse(run_convtool({"kernels", "show", name, "--json"}, folder).out);
    CHECK(kernel["description"] == shown["description"]);
    REQUIRE(kernel["layers"].size() == shown["layers"].size());
    for (std::size_t i = 0; i < shown["layers"].size(); ++i) {
      CHECK(kernel["layers"][i]["combine"] == shown["layers"][i]["combine"]);
      REQUIRE(kernel["layers"][i]["kernels"].size() == shown["layers"][i]["kernels"].size());
      for (std::size_t k = 0; k < shown["layers"][i]["kernels"].size(); ++k)
        for (const char* key : {"name", "shape"})
          CHECK(kernel["layers"][i]["kernels"][k][key] == shown["layers"][i]["kernels"][k][key]);
    }
  }
  REQUIRE(!report["generated"].empty());
  for (const json& generator : report["generated"]) {
    CHECK(contains(text, generator["name"].get<std::string>() + " "));
    for (const json& parameter : generator["parameters"]) {
      CHECK(contains(text, parameter["name"].get<std::string>() + "="));
      CHECK(contains(text, parameter["meaning"].get<std::string>() + "\n"));
    }
  }
}

TEST_CASE("show prints the traits of the weights, and the algorithm that apply would choose") {
  const TempFolder folder;
  const std::string text = run_convtool({"kernels", "show", "sobel-x"}, folder).out;
  CHECK(contains(text, "    -1  0  1\n    -2  0  2\n    -1  0  1\n"));
  CHECK(contains(text, "sum 0, stride 1, padding same replicate\n"));
  CHECK(contains(text, "response at frequency 0: 0\n"));
  CHECK(contains(text, "rank 1: column 1 2 1 times row -1 0 1\n"));
  CHECK(contains(
      text,
      "symmetric when mirrored top to bottom; antisymmetric when mirrored left to right, rotated by 180 degrees\n"));
  CHECK(contains(text, "apply, on 1x1080x1920 u8: "));
  const std::string box = run_convtool({"kernels", "show", "box"}, folder).out;
  CHECK(contains(box, "divided by 9\n"));
  CHECK(contains(box, "sum 9, "));
  CHECK(contains(box, "response at frequency 0: 1\n"));
  CHECK(contains(box,
                 "symmetric when mirrored left to right, mirrored top to bottom, rotated by 180 degrees, rotated by 90 "
                 "degrees\n"));
  CHECK(contains(run_convtool({"kernels", "show", "[[1,2],[3,5]]"}, folder).out, "no symmetry\n"));
  const std::string planes = run_convtool({"kernels", "show", "[[[1,2],[2,4]],[[1,2],[3,4]]]"}, folder).out;
  CHECK(contains(planes, "rank 1 in 1 plane, rank 2 in 1 plane\n"));
  CHECK(contains(planes, "apply, on 2x1080x1920 u8: "));
  const std::string biased =
      run_convtool({"kernels", "show", R"({"layers":[[[1]],{"weight":[[1]],"bias":[1,2]}]})"}, folder).out;
  CHECK(contains(biased, "cannot run (layer 2 on 1x1080x1920: the bias"));  // it fits two channels
}

TEST_CASE("show --short has a line per layer, without weights") {
  const TempFolder folder;
  const std::string network =
      R"({"name": "net", "layers": [{"name": "stem", "weight": [[[1, 2]]], "activation": "relu", "stride": 2},
          {"name": "norm", "batch_norm": {"weight": [2]}}, {"pool": "max", "size": 2},
          {"bank": [[[1]], [[2]]], "combine": "max"}]})";
  const ProgramResult result = run_convtool({"kernels", "show", network, "--short"}, folder);
  CHECK(result.code == 0);
  CHECK(result.out ==
        "net\n"
        "  1  stem   1x1x2    stride 2, padding valid, activation relu\n"
        "  2  norm   1x1x1x1  batch normalisation, stride 1, padding valid\n"
        "  3  net-3  max of 2x2, stride 2x2, padding 0x0\n"
        "  4  net-4  1x1      stride 1, padding valid\n"
        "            1x1      stride 1, padding valid\n"
        "            combined by max\n");
  CHECK(run_convtool({"kernels", "show", "sobel", "--short", "--json"}, folder).code == 2);
}

TEST_CASE("show --json has all traits") {
  const TempFolder folder;
  const json report = json::parse(run_convtool({"kernels", "show", "sobel", "--json"}, folder).out);
  CHECK(report["version"] == 1);
  CHECK(report["typical_input"] == json({{"shape", {1, 1080, 1920}}, {"dtype", "u8"}}));
  CHECK(report["refusal"].is_null());
  REQUIRE(report["layers"].size() == 1);
  const json& bank = report["layers"][0];
  CHECK(bank["combine"] == "magnitude");
  CHECK(bank["algorithm"].is_string());
  REQUIRE(bank["kernels"].size() == 2);
  const json& kernel = bank["kernels"][1];
  CHECK(kernel["name"] == "sobel-y");
  CHECK(kernel["weight"] == json({{-1, -2, -1}, {0, 0, 0}, {1, 2, 1}}));
  CHECK(kernel["padding"] == "same");
  CHECK(kernel["sum"] == 0);
  CHECK(kernel["response_at_frequency_0"] == json::array({0}));
  CHECK(kernel["planes"][0]["rank"] == 1);
  CHECK(kernel["planes"][0]["separable"] == json({{"column", {-1, 0, 1}}, {"row", {1, 2, 1}}}));
  CHECK(kernel["planes"][0]["symmetry"]["top_bottom"] == "antisymmetric");
  const json laplacian = json::parse(run_convtool({"kernels", "show", "laplacian-4", "--json"}, folder).out);
  CHECK(laplacian["layers"][0]["kernels"][0]["planes"][0]["separable"].is_null());
}

TEST_CASE("show prints the options of a pool, and no rank for too many weights") {
  const TempFolder folder;
  const json pool = json::parse(run_convtool({"kernels", "show", R"({"pool":"max","size":3})", "--json"}, folder).out);
  CHECK(pool["layers"][0]["kernels"][0] == json({{"name", "inline"},
                                                 {"pool", "max"},
                                                 {"shape", {3, 3}},
                                                 {"stride", {3, 3}},
                                                 {"pads", {0, 0, 0, 0}},
                                                 {"dilation", {1, 1}},
                                                 {"ceil_mode", false},
                                                 {"count_include_pad", true},
                                                 {"activation", "none"}}));
  std::string row = "[[1";
  for (int i = 1; i < 512 * 512 + 1; ++i) row += ",1";
  folder.write("long.json", row + "]]");
  const ProgramResult text = run_convtool({"kernels", "show", "long.json"}, folder);
  CHECK(contains(text.out, "rank unknown: too many weights"));
  CHECK(json::parse(run_convtool({"kernels", "show", "long.json", "--json"}, folder)
                        .out)["layers"][0]["kernels"][0]["planes"][0]["rank"]
            .is_null());
  CHECK(contains(run_convtool({"kernels", "show", "[[3e38,3e38]]"}, folder).out, "sum 6"));
}

TEST_CASE("show runs a transposed convolution on its input channels") {
  const TempFolder folder;
  const ProgramResult result = run_convtool(
      {"kernels", "show", R"({"weight": [[[[1, 2]]], [[[3, 4]]]], "transposed": true, "stride": 2})", "--json"},
      folder);
  REQUIRE(result.code == 0);
  const json report = json::parse(result.out);
  CHECK(report["refusal"].is_null());
  CHECK(report["typical_input"]["shape"] == json({2, 1080, 1920}));
}

TEST_CASE("colours are printed only to terminals that support and allow them") {
  const TempFolder folder;
  if (run_shell("command -v script", folder).code != 0) return skip("needs script");
  // script(1) gives the program a terminal.
  const auto on_terminal = [&](const std::string& settings) {
    return run_shell("script -qec 'env " + settings + " \"$CONVTOOL\" kernels show sobel-x' /dev/null < /dev/null",
                     folder)
        .out;
  };
  const std::string drawn = on_terminal("-u NO_COLOR TERM=xterm");
  // -2 and 2 are the largest and have the last of five shades; -1 and 1 are half of that and have the third.
  CHECK(contains(drawn,
                 "\x1b[38;5;16;48;5;33m -2\x1b[0m\x1b[38;5;16;48;5;231m  0\x1b[0m\x1b[38;5;16;48;5;208m  2\x1b[0m"));
  CHECK(contains(drawn,
                 "\x1b[38;5;16;48;5;111m -1\x1b[0m\x1b[38;5;16;48;5;231m  0\x1b[0m\x1b[38;5;16;48;5;216m  1\x1b[0m"));
  for (const char* settings : {"NO_COLOR=1 TERM=xterm", "-u NO_COLOR TERM=dumb", "-u NO_COLOR -u TERM"})
    CHECK(!contains(on_terminal(settings), "\x1b["));
  CHECK(!contains(run_convtool({"kernels", "show", "sobel-x"}, folder).out, "\x1b["));
}

TEST_CASE("convert reads a name, a file, standard input or text, and writes a file or standard output") {
  const TempFolder folder;
  CHECK(convert(folder, {"gaussian-5", "-o", "g.mat"}).code == 0);
  CHECK(read_text(folder.file("g.mat")).starts_with("5 5 273 0\n1 4 7 4 1\n"));
  const ProgramResult back = convert(folder, {"g.mat"});
  CHECK(back.err == "");
  const json kernel = json::parse(back.out);
  CHECK(kernel["weight"][2][2] == 41);
  CHECK(kernel["divisor"] == 273);
  CHECK(convert(folder, {"g.mat", "--to", "vips"}).out == read_text(folder.file("g.mat")));
  CHECK(convert(folder, {"-", "--to", "vips", "-o", "-"}, read_text(folder.file("g.mat"))).out ==
        read_text(folder.file("g.mat")));
  CHECK(convert(folder, {"3x3: 0,-1,0 -1,4,-1 0,-1,0", "--to", "magick"}).out == "3x3+1+1: 0,-1,0 -1,4,-1 0,-1,0\n");
  CHECK(convert(folder, {"0,-1,0 -1,4,-1 0,-1,0", "--from", "magick", "-o", "l.json"}).code == 0);
  CHECK(json::parse(read_text(folder.file("l.json"))) == json({{"name", "l"},
                                                               {"weight", {{0, -1, 0}, {-1, 4, -1}, {0, -1, 0}}},
                                                               {"padding", "same"},
                                                               {"padding_mode", "replicate"}}));
  CHECK(convert(folder, {R"({"kernel":[[1,2,1]],"factor":0.25})", "--to", "openeo"}).out ==
        R"({"kernel":[[1,2,1]],"factor":0.25,"border":0})"
        "\n");
  CHECK(convert(folder, {"g.mat", "--to", "sharp", "-o", "s.json"}).code == 0);
  CHECK(convert(folder, {"s.json", "--to", "vips"}).out == read_text(folder.file("g.mat")));
  folder.write("k.txt", "1 1\n5\n");
  CHECK(convert(folder, {"k.txt", "--to", "magick"}).out == "1x1+0+0: 5\n");
}

TEST_CASE("a converted kernel gives the same result as the original") {
  const TempFolder folder;
  std::string rows;
  for (int y = 0; y < 12; ++y) {
    rows += y == 0 ? "[[" : "],[";
    for (int x = 0; x < 14; ++x) rows += (x == 0 ? "" : ",") + std::to_string((37 * x + 11 * y * x + 5 * y) % 256);
  }
  folder.write("x.json", rows + "]]");
  const auto filtered = [&](const std::string& kernel) {
    return run_convtool({"apply", "x.json", "-k", kernel, "-o", "-", "-q"}, folder).out;
  };
  for (const char* format : {"vips", "magick", "sharp", "openeo"}) {
    CAPTURE(format);
    CHECK(convert(folder, {"sobel-x", "--to", format, "-o", "foreign"}).code == 0);
    CHECK(convert(folder, {"foreign", "--from", format, "-o", "back.json"}).code == 0);
    CHECK(filtered("back.json") == filtered("sobel-x"));
  }
}

TEST_CASE("a kernel from another program gives the same result as there") {
  const TempFolder folder;
  const auto differs = [&](const std::string& kernel, const std::string& theirs, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"apply", TEST_DATA_DIR "/pictures/input.png", "-k", kernel, "-o", "ours.png", "-q"});
    const ProgramResult result = run_convtool(more, folder);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return cv::norm(cv::imread(folder.file("ours.png"), cv::IMREAD_UNCHANGED),
                    cv::imread(TEST_DATA_DIR "/learned/" + theirs, cv::IMREAD_UNCHANGED), cv::NORM_INF);
  };
  // tests/make_golden_learned.sh wrote the pictures. They may differ by one level, since vips truncates fractions and
  // ImageMagick's weights are written in decimals.
  folder.write("mask.mat", "3 3 16 0\n1 2 1\n2 4 2\n1 2 1\n");
  CHECK(convert(folder, {"mask.mat", "-o", "vips.json"}).code == 0);
  CHECK(differs("vips.json", "vips-conv.png") <= 1);
  CHECK(convert(folder, {"3x3: 0,-0.1,0 -0.1,1.3,-0.1 0,-0.1,0.1", "-o", "magick.json"}).code == 0);
  CHECK(differs("magick.json", "magick-sharpen.png", {"--flip"}) <= 1);  // -morphology Convolve
  CHECK(differs("magick.json", "magick-sharpen.png") > 5);
}

TEST_CASE("a kernel is not written over the weights that it refers to") {
  const TempFolder folder;
  CHECK(convert(folder, {"[[1,2,1]]", "-o", "W.NPY"}).code == 0);
  folder.write("r.json", R"({"weight":"W.NPY","divisor":4})");
  const std::string before = read_text(folder.file("W.NPY"));
  const ProgramResult result = convert(folder, {"r.json", "-o", "W.NPY"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "which this run reads"));
  CHECK(read_text(folder.file("W.NPY")) == before);
}

TEST_CASE("convert warns if the other format does not store the border") {
  const TempFolder folder;
  const ProgramResult bare = convert(folder, {"[[0,1,0],[1,1,1],[0,1,0]]", "--to", "vips"});
  CHECK(bare.code == 0);
  CHECK(bare.err.starts_with("convtool: warning: inline: the kernel has no padding"));
  const ProgramResult npy = convert(folder, {"box", "-o", "box.npy"});
  CHECK(npy.code == 0);
  CHECK(npy.err ==
        "convtool: warning: box: .npy stores only the weights; apply them with --padding same --padding-mode "
        "replicate\n");
  CHECK(convert(folder, {"box.npy", "--to", "magick"}).out.starts_with("3x3+1+1: 0.11111111,0.11111111,"));
}

TEST_CASE("when convert refuses, it writes nothing") {
  const TempFolder folder;
  folder.write("k.json", "[[1,2],[3,4]]");
  std::filesystem::create_symlink("k.json", folder.file("link.json"));
  refuses(folder, {"k.json", "-o", "k.json"}, "which this run reads");
  refuses(folder, {"k.json", "-o", "link.json"}, "which this run reads");
  CHECK(read_text(folder.file("k.json")) == "[[1,2],[3,4]]");
  refuses(folder, {"k.json", "-o", "k.txt"}, "'k.txt' has no known extension");
  refuses(folder, {"k.json", "-o", "k.npy", "--to", "vips"}, "'vips' contradicts the extension of 'k.npy'");
  refuses(folder, {"k.json", "--to", "vip"}, "did you mean 'vips'?");
  refuses(folder, {"k.json", "--from", "openeo", "--to", "vips"}, "k.json: not the arguments of apply_kernel");
  refuses(folder, {"missing.mat", "--to", "magick"}, "missing.mat");
  refuses(folder, {"sobell-x", "--to", "magick"}, "did you mean 'sobel-x'?");
  refuses(folder, {"sobel", "--to", "vips"}, "sobel: a vips matrix cannot store a bank of 2 kernels");
  refuses(folder, {"luma", "--to", "magick"}, "cannot store weights of rank 3, 3x1x1");
  refuses(folder, {"Sobel", "--from", "magick"}, "names a kernel that is built into ImageMagick");
  folder.write("words", "neither this nor that");
  refuses(folder, {"words"}, "words: is in none of the formats of kernels");
  const ProgramResult piped = convert(folder, {"-"}, "neither this nor that");
  CHECK(piped.code == 2);
  CHECK(piped.err == "convtool: standard input: unknown format; name it with --from\n");
  const ProgramResult unwritable = convert(folder, {"box", "-o", "no/such/folder/k.mat"});
  CHECK(unwritable.code == 1);
}
