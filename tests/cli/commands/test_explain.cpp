// Runs convtool explain: its text, its JSON against what apply writes, every kind of input, and refusals.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "cli/picture_files.h"
#include "support/program.h"
#include "support/random.h"

namespace {

using nlohmann::json;
using Arguments = std::vector<std::string>;

const std::string kInput = "[[0,1,2],[3,4,5],[6,7,8]]", kKernel = "[[0,1],[2,3]]";

ProgramResult explain(const TempFolder& folder, Arguments arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), "explain");
  return run_convtool(arguments, folder, input);
}

std::string explained(const TempFolder& folder, const Arguments& arguments) {
  const ProgramResult result = explain(folder, arguments);
  CHECK(result.err == "");
  CHECK(result.code == 0);
  return result.out;
}

json explained_json(const TempFolder& folder, Arguments arguments) {
  arguments.push_back("--json");
  return json::parse(explained(folder, arguments));
}

/// The message of a run that fails with `code`.
std::string refusal(const TempFolder& folder, const Arguments& arguments, int code = 2) {
  const ProgramResult result = explain(folder, arguments);
  CHECK(result.code == code);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  return result.err;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the text of a small example") {
  const TempFolder folder;
  folder.write("x.json", kInput);
  folder.write("k.json", kKernel);
  CHECK(explained(folder, {"x.json", "-k", "k.json"}) ==
        "output (0, 0) = 19\n"
        "\n"
        "  input        kernel     products\n"
        "  0  1         0  1       0  1\n"
        "  3  4    x    2  3   =   6 12      sum 19\n");
  CHECK(explained(folder, {"x.json", "-k", "k.json", "--at", "1,1"}) ==
        "output (1, 1) = 43\n"
        "\n"
        "  window: rows 1 to 2, columns 1 to 2 of 1x3x3\n"
        "\n"
        "  input        kernel     products\n"
        "  4  5         0  1       0  5\n"
        "  7  8    x    2  3   =  14 24      sum 43\n");
}

TEST_CASE("the text shows what stands in for pixels outside, and the steps to the stored value") {
  const TempFolder folder;
  const std::string text =
      explained(folder, {kInput, "-k", kKernel, "--pads", "1,1,0,0", "--padding-mode", "reflect", "--bias", "0.5"});
  // Row -1 shows row 1, column -1 shows column 1: 0*4 + 1*3 + 2*1 + 3*0.
  CHECK(has(text, "window: rows -1 to 0, columns -1 to 0 of 1x3x3"));
  CHECK(has(text, "( ) is outside the input: padding reflect, as in dcb|abcd|cba"));
  CHECK(has(text,
            " (4) (3)        0  1       0  3\n"
            " (1)   0   x    2  3   =   2  0      sum 5\n"));
  CHECK(has(text,
            "  sum            =   5\n"
            "  + 0.5 (bias)   = 5.5\n"
            "  stored as f32  = 5.5\n"));
}

TEST_CASE("explain takes a file, standard input, JSON and a shape") {
  const TempFolder folder;
  folder.write("x.json", kInput);
  const std::string first = "output (0, 0) = 19";
  CHECK(explained(folder, {"x.json", "-k", kKernel}).starts_with(first));
  CHECK(explained(folder, {kInput, "-k", kKernel}).starts_with(first));
  CHECK(explained(folder, {"tensor([[0., 1., 2.],\n        [3., 4., 5.]])", "-k", kKernel}).starts_with(first));
  CHECK(explain(folder, {"-", "-k", kKernel}, kInput).out.starts_with(first));
  folder.write("3x3", kInput);  // a file of this name is a file
  CHECK(explained(folder, {"3x3", "-k", kKernel}).starts_with(first));

  const std::string shape = explained(folder, {"5x5", "--kernel-size", "3", "--stride", "2", "--padding", "1"});
  CHECK(shape.starts_with("output (0, 0) of 1x3x3\n"));
  CHECK(has(shape, "h = floor((5 + 1 + 1 - 1*(3-1) - 1) / 2) + 1 = 3"));
  CHECK(has(shape, " (0)   .   .   x    .  .  .\n"));
  const json object = explained_json(folder, {"2x5x5", "-k", kKernel, "--at", "1,2", "--channel", "1"});
  CHECK(object["stored"].is_null());
  CHECK(object["terms"].size() == 4);
  CHECK(object["terms"][3] == json{{"channel", 1},
                                   {"y", 2},
                                   {"x", 3},
                                   {"inside", true},
                                   {"source", {2, 3}},
                                   {"input", nullptr},
                                   {"weight", 3},
                                   {"product", nullptr}});
}

TEST_CASE("the JSON of a layer") {
  const TempFolder folder;
  const json object = explained_json(folder, {kInput, "-k", kKernel, "--padding", "1", "--stride", "2", "--bias", "1"});
  CHECK(object["version"] == 1);
  CHECK(object["input_shape"] == json{1, 3, 3});
  CHECK(object["output_shape"] == json{1, 2, 2});
  CHECK(object["at"] == json{0, 0});
  CHECK(object["channel"] == 0);
  CHECK(object["terms"][0] == json{{"channel", 0},
                                   {"y", -1},
                                   {"x", -1},
                                   {"inside", false},
                                   {"source", nullptr},
                                   {"input", 0},
                                   {"weight", 0},
                                   {"product", 0}});
  CHECK(object["terms"][3] == json{{"channel", 0},
                                   {"y", 0},
                                   {"x", 0},
                                   {"inside", true},
                                   {"source", {0, 0}},
                                   {"input", 0},
                                   {"weight", 3},
                                   {"product", 0}});
  CHECK(object["sum"] == 0);
  CHECK(object["divisor"] == 1);
  CHECK(object["bias"] == 1);
  CHECK(object["activation"] == "none");
  CHECK(object["response"] == 1);
  CHECK(object["map"] == "none");
  CHECK(object["stored"] == 1);
  CHECK(object["clipped"] == "no");
}

TEST_CASE("a bank has parts, and a true convolution reads the kernel backwards") {
  const TempFolder folder;
  const json bank = explained_json(folder, {kInput, "-k", "[[3,0]]", "-k", "[[0,4]]", "--combine", "magnitude"});
  REQUIRE(bank["parts"].size() == 2);
  CHECK(bank["parts"][0]["sum"] == 0);
  CHECK(bank["parts"][1]["sum"] == 4);
  CHECK(bank["combine"] == "magnitude");
  CHECK(bank["stored"] == 4);
  const json stacked = explained_json(folder, {kInput, "-k", "[[3,0]]", "-k", "[[0,4]]", "--channel", "1"});
  REQUIRE(stacked["parts"].size() == 1);
  CHECK(stacked["parts"][0]["terms"][1]["weight"] == 4);
  CHECK(stacked["stored"] == 4);
  const json flipped = explained_json(folder, {kInput, "-k", kKernel, "--flip"});
  CHECK(flipped["terms"][0]["weight"] == 3);
  CHECK(flipped["stored"] == 0 * 3 + 1 * 2 + 3 * 1 + 4 * 0);
}

TEST_CASE("a network is a chain of windows back to the input") {
  const TempFolder folder;
  const std::string network =
      R"({"layers":[{"weight":[[1,0],[0,-1]],"activation":"relu","padding":1},{"pool":"max","size":2},)"
      R"({"weight":[[[0.5,0.25],[1,0.125]]],"bias":2}]})";
  const std::string input = "[[0,1,2,3],[4,5,6,7],[8,9,1,2],[3,4,5,6]]";
  const json object = explained_json(folder, {input, "-k", network});
  const json& layers = object["layers"];
  REQUIRE(layers.size() == 3);
  CHECK(layers[0]["layer"] == 3);
  CHECK(layers[2]["layer"] == 1);
  CHECK(layers[1]["pool"] == "max");
  CHECK(layers[1]["terms"][0]["product"].is_null());
  // Each layer explains the largest product of the layer after it.
  CHECK(layers[0]["terms"][2]["product"] == 4);
  CHECK(layers[1]["at"] == json{1, 0});
  CHECK(layers[1]["response"] == 4);
  CHECK(layers[2]["at"] == json{3, 1});
  CHECK(layers[2]["sum"] == 8 - 4);
  CHECK(layers[0]["receptive_field"] == json{{"y", {0, 1}}, {"x", {0, 1}}});
  CHECK(layers[2]["receptive_field"] == json{{"y", {-1, 3}}, {"x", {-1, 3}}});
  CHECK(object["stored"] == 6.5);
  const std::string text = explained(folder, {input, "-k", network});
  CHECK(has(text, "layer 3, "));
  CHECK(has(text, "  0  4   largest 4\n"));
  CHECK(has(text, "receptive field: rows -1 to 3, columns -1 to 3 of the input\n"));
}

TEST_CASE("explain gives the pixels that apply writes") {
  const TempFolder folder;
  convtool::Random random(7);
  for (const int type : {CV_8UC1, CV_8UC3, CV_8UC4, CV_16UC3}) {
    cv::Mat picture(17, 23, type);
    cv::theRNG().state = random.seed();
    cv::randu(picture, 0, 65536);
    cv::imwrite(folder.file("x.png"), picture);
    const std::vector<Arguments> filters = {{"-k", "sobel"},
                                            {"-k", "sobel-x", "--stride", "2"},
                                            {"-k", "gaussian:sigma=2", "--padding-mode", "symmetric"},
                                            {"-k", "laplacian-4", "--gray", "--map", "signed"},
                                            {"-k", "sharpen", "--map", "offset", "--depth", "u8"},
                                            {"-k", "box:size=5", "--map", "normalize", "--alpha", "filter"}};
    for (const Arguments& filter : filters) {
      Arguments apply = {"apply", "x.png", "-o", "y.png"};
      apply.insert(apply.end(), filter.begin(), filter.end());
      const ProgramResult applied = run_convtool(apply, folder);
      CAPTURE(applied.err);
      REQUIRE(applied.code == 0);
      const cv::Mat result = read(folder, "y.png");
      for (int i = 0; i < 3; ++i) {
        const auto y = static_cast<int>(random.between(0, result.rows - 1));
        const auto x = static_cast<int>(random.between(0, result.cols - 1));
        const auto channel = static_cast<int>(random.between(0, result.channels() < 3 ? 0 : 2));
        Arguments arguments = {"x.png", "--at", std::to_string(y) + "," + std::to_string(x), "--channel",
                               std::to_string(channel)};
        arguments.insert(arguments.end(), filter.begin(), filter.end());
        const json object = explained_json(folder, arguments);
        CAPTURE(object.dump());
        const int in_file = result.channels() < 3 ? 0 : 2 - channel;  // OpenCV has B, G, R
        const int place = x * result.channels() + in_file;
        CHECK(object["stored"] == (result.depth() == CV_8U ? static_cast<int>(result.ptr<std::uint8_t>(y)[place])
                                                           : static_cast<int>(result.ptr<std::uint16_t>(y)[place])));
      }
    }
  }
}

TEST_CASE("feature maps that no picture holds are explained as floats") {
  const TempFolder folder;
  cv::imwrite(folder.file("x.png"), cv::Mat(4, 4, CV_8UC1, cv::Scalar(200)));
  Arguments arguments = {"x.png", "--channel", "6"};
  for (int i = 0; i < 7; ++i) arguments.insert(arguments.end(), {"-k", "[[2,-0.25]]"});
  const json object = explained_json(folder, arguments);
  CHECK(object["output_dtype"] == "f32");
  CHECK(object["output_shape"] == json{7, 4, 3});
  CHECK(object["stored"] == 350);
}

TEST_CASE("text for kernels up to 5x5 fits into 80 columns, and larger kernels are cut") {
  const TempFolder folder;
  cv::Mat picture(40, 40, CV_32FC1);
  cv::randu(picture, -1e-5, 1e5);
  cv::imwrite(folder.file("x.tif"), picture);
  const auto widest = [&](const Arguments& arguments) {
    std::size_t most = 0;
    for (const std::string& line : lines_of(explained(folder, arguments))) most = std::max(most, line.size());
    return most;
  };
  CHECK(widest({"x.tif", "-k", "gaussian:sigma=1,size=5", "--padding", "2", "--padding-mode", "reflect"}) <= 80);
  CHECK(widest({"x.tif", "-k", "sobel", "--padding", "same"}) <= 80);
  const std::string large = explained(folder, {"x.tif", "-k", "box:size=13"});
  CHECK(has(large, "the middle 11x11 of 13x13; --json gives all terms"));
  CHECK(explained_json(folder, {"x.tif", "-k", "box:size=13"})["terms"].size() == 13 * 13);
}

TEST_CASE("the output file decides the format, and --format decides for standard output") {
  const TempFolder folder;
  CHECK(explained(folder, {kInput, "-k", kKernel, "-o", "y.json"}) == "y.json: output (0, 0)\n");
  CHECK(json::parse(read_text(folder.file("y.json")))["stored"] == 19);
  explained(folder, {kInput, "-k", kKernel, "-o", "y.txt"});
  CHECK(read_text(folder.file("y.txt")).starts_with("output (0, 0) = 19\n"));
  CHECK(json::parse(explained(folder, {kInput, "-k", kKernel, "--format", "json"}))["stored"] == 19);
  CHECK(json::parse(explained(folder, {kInput, "-k", kKernel, "-o", "-", "--json"}))["stored"] == 19);
}

TEST_CASE("refusals of explain are one line each, with the range or the way out") {
  const TempFolder folder;
  const auto error = [&](Arguments arguments, int code = 2) { return refusal(folder, arguments, code); };
  CHECK(error({kInput, "-k", kKernel, "--at", "2,0"}) ==
        "convtool: --at: 2,0 is outside the output (expected Y 0 to 1 and X 0 to 1, for an output of 1x2x2)\n");
  CHECK(error({kInput, "-k", kKernel, "--at=-1,0"}).starts_with("convtool: --at: -1,0 is outside the output"));
  CHECK(error({kInput, "-k", kKernel, "--at", "5"}) ==
        "convtool: --at: '5' is not valid (expected Y,X: a row and a column, such as 120,80)\n");
  CHECK(error({kInput, "-k", kKernel, "--channel", "1"}) ==
        "convtool: --channel: 1 is not a channel of the output (expected 0, for an output of 1x2x2)\n");
  CHECK(has(error({kInput}), "no kernel given; add one, such as -k sobel"));
  CHECK(has(error({kInput, "--kernel-size", "3"}), "--kernel-size: a layer without weights has no numbers"));
  CHECK(has(error({"5x5", "--kernel-size", "3", "-k", kKernel}), "give one of them"));
  CHECK(has(error({kInput, "-k", kKernel, "-o", "y.xyz"}), "names no format of explanations"));
  CHECK(has(error({kInput, "-k", kKernel, "--format", "jsn"}), "did you mean 'json'"));
  CHECK(error({"x.png", "-k", kKernel}, 1) == "convtool: x.png: no such file\n");
  CHECK(has(error({"[[1,2", "-k", kKernel}), "the brackets of '[[1,2' do not close"));
  CHECK(has(error({"[[1,2]]]", "-k", kKernel}, 1), "INPUT: line 1, column 8: not valid JSON"));
  CHECK(has(error({kInput, "-k", kKernel, "-o", "missing/y.json"}, 1), "missing/y.json: no such folder"));
  CHECK(has(error({kInput, "-k", "[[1,2,3,4]]"}, 1), "the kernel is larger than the padded input"));
  const ProgramResult failed = explain(folder, {kInput, "-k", "[[1,2,3,4]]", "--json"});
  CHECK(failed.code == 1);
  CHECK(json::parse(failed.out)["error"]["kind"] == "shape");
}

TEST_CASE("layers that change each value on its own are shown by name, without a window") {
  const TempFolder folder;
  const Arguments layers = {"1x6x6", "--layers", "conv 3 2, bn, relu, maxpool 2"};
  const std::string text = explained(folder, layers);
  CHECK(has(text, "layer 3, relu: output (1, 0), channel 0\n\n  each value is changed on its own\n"));
  CHECK(has(text, "layer 2, bn: output (1, 0), channel 0\n\n  each value is changed on its own\n"));
  Arguments figure = layers;
  figure.insert(figure.end(), {"-o", "y.svg"});
  explained(folder, figure);
  const std::string svg = read_text(folder.file("y.svg"));
  for (const char* const caption : {">1: conv 3x3, channel 0<", ">2: batch norm, channel 0<", ">3: relu, channel 0<"})
    CHECK(has(svg, caption));
}

TEST_CASE("no format takes an output that is not there") {
  const TempFolder folder;
  for (const char* const name : {"y.txt", "y.json", "y.html", "y.svg", "y.png"}) {
    CAPTURE(name);
    CHECK(has(refusal(folder, {kInput, "-k", kKernel, "--at", "2,0", "-o", name}), "--at: 2,0 is outside the output"));
    CHECK(has(refusal(folder, {kInput, "-k", kKernel, "--channel", "1", "-o", name}), "--channel: 1 is not a channel"));
  }
  CHECK(
      has(refusal(folder, {kInput, "-k", kKernel, "--channel", "1", "-o", "y.gif"}), "--channel: 1 is not a channel"));
}

TEST_CASE("figures and animations are written by their extension") {
  const TempFolder folder;
  folder.write("x.json", kInput);
  explained(folder, {"x.json", "-k", kKernel, "--at", "1,0", "-o", "step.svg"});
  const std::string svg = read_text(folder.file("step.svg"));
  CHECK(svg.starts_with("<svg "));
  CHECK(has(svg, ">3*0 + 4*1 + 6*2 + 7*3 = 37</text>"));
  explained(folder, {"x.json", "-k", kKernel, "-o", "step.png", "--cell", "20"});
  CHECK(read(folder, "step.png").cols > 100);
  CHECK(explained(folder, {"5x5", "--kernel-size", "3", "--stride", "2", "--padding", "1", "-o", "steps.gif"}) ==
        "steps.gif: 9 frames\n");
  CHECK(read_text(folder.file("steps.gif")).starts_with("GIF89a"));
  const ProgramResult many = explain(folder, {"40x40", "--kernel-size", "1", "--cell", "4", "-o", "many.gif"});
  CHECK(many.err == "convtool: an animation has at most 400 frames; it shows one of every 5 of the 1600 outputs\n");
  CHECK(many.out == "many.gif: 321 frames\n");
  CHECK(refusal(folder, {kInput, "-k", kKernel, "--fps", "3", "-o", "y.svg"}) ==
        "convtool: --fps: has no effect on svg; leave it out, or write .gif\n");
  CHECK(has(refusal(folder, {kInput, "-k", kKernel, "--cell", "3"}), "--cell: has no effect on text"));
  CHECK(has(refusal(folder, {kInput, "-k", kKernel, "--at", "1,0", "-o", "y.gif"}), "--at: has no effect on gif"));
  CHECK(has(refusal(folder, {kInput, "-k", kKernel, "--fps", "100", "-o", "y.gif"}), "0.01 to 50"));
  CHECK(has(refusal(folder, {"20x20", "--kernel-size", "1", "--cell", "400", "-o", "y.gif"}, 1),
            "too large for an animation"));
  CHECK(has(refusal(folder, {"4x20x20", "--kernel-size", "20", "--cell", "400", "-o", "y.png"}, 1),
            "20x20: too large for a picture ("));
}

TEST_CASE("options without effect on a shape are refused") {
  const TempFolder folder;
  const std::vector<Arguments> options = {{"--map", "abs"},
                                          {"--depth", "u8"},
                                          {"--threshold", "3"},
                                          {"--alpha", "drop"},
                                          {"--algorithm", "fft"},
                                          {"--signed-zero", "grey"},
                                          {"--isolate", "never"},
                                          {"--max-pixels", "9"},
                                          {"--normalize-percentile", "1,99"},
                                          {"--gray"}};
  for (const Arguments& option : options) {
    Arguments arguments = {"5x5", "-k", "sobel-x"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    const std::string error = refusal(folder, arguments);
    CAPTURE(error);
    CHECK(error.starts_with("convtool: " + option.front() + ": needs "));
    CHECK(has(error, ", but '5x5' is a shape; leave it out"));
  }
  CHECK(has(refusal(folder, {"5x5", "--kernel-size", "3", "--flip"}), "--flip: rotates weights"));
  CHECK(has(explained(folder, {"5x5", "-k", "[[1,2]]", "--flip"}), " x    2  1\n"));
}

TEST_CASE("errors are JSON where explanations are") {
  const TempFolder folder;
  for (const Arguments& format : {Arguments{"--json"}, Arguments{"--format", "json"}}) {
    Arguments arguments = {"missing.png", "-k", kKernel};
    arguments.insert(arguments.end(), format.begin(), format.end());
    const ProgramResult failed = explain(folder, arguments);
    CHECK(failed.code == 1);
    const json object = json::parse(failed.out);
    CHECK(object["status"] == "error");
    CHECK(object["error"]["kind"] == "input");
    CHECK(failed.err == "convtool: missing.png: no such file\n");
  }
  CHECK(explain(folder, {"missing.png", "-k", kKernel, "--format", "text"}).out == "");
}

TEST_CASE("a signed map is explained as a colour") {
  const TempFolder folder;
  folder.write("x.pgm", "P2\n3 1\n255\n10 110 60\n");
  const Arguments base = {"x.pgm", "-k", "[[-1,1]]", "--map", "signed"};
  const auto with = [&](const Arguments& more) {
    Arguments all = base;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const std::string text = explained(folder, with({"--channel", "2"}));
  CHECK(text.starts_with("output (0, 0), channel 2 (B) = 0\n"));
  CHECK(has(text, "the colour R, G, B  = 255, 128, 0\n"));
  CHECK(has(explained(folder, with({"--at", "0,1"})), "the colour R, G, B  = 128, 191, 255\n"));
  const std::string limited = explained(folder, with({"--normalize-percentile", "0,50"}));
  CHECK(has(limited, "limited to the percentile  ="));  // 100, beyond 50
  CHECK(has(limited, "the colour R, G, B         = 255, 128, 0\n"));
  explained(folder, with({"-o", "y.svg"}));
  const std::string svg = read_text(folder.file("y.svg"));
  CHECK(has(svg, ">output: responses in colours</text>"));
  CHECK(has(svg, ">-50</text>"));
  CHECK(has(svg, "fill=\"#80bfff\""));
}

TEST_CASE("an explanation of a million terms is written term by term, and one of more is refused") {
  const TempFolder folder;
  const ProgramResult small = explain(folder, {"1x1", "--kernel-size", "1", "--json"});
  const ProgramResult large = explain(folder, {"1000x1000", "--kernel-size", "1000", "--json"});
  CHECK(large.code == 0);
  CHECK(std::count(large.out.begin(), large.out.end(), '{') == 1'000'000 + 2);  // the terms, the object and its window
  CHECK(refusal(folder, {"1025x1024", "--kernel-size", "1025x1024"}, 1) ==
        "convtool: 1025x1024: an output comes about from 1049600 products or more, too many to explain (at most "
        "1048576); "
        "explain a smaller kernel\n");
  // A term takes about 112 bytes in memory and 96 as text; texts are there twice while they grow or are copied.
  if (kMemoryIsTheProgramsOwn) CHECK(large.peak_memory - small.peak_memory < 1'000'000 * (112 + 3 * 2 * 96));
}

TEST_CASE("a run that would not fit into memory is refused") {
  const TempFolder folder;
  std::string kernel = R"({"weight":[[[[1]]])";
  for (int i = 1; i < 60000; ++i) kernel += ",[[[1]]]";
  folder.write("k.json", kernel + "]}");
  std::string picture = "P5\n4000 4000\n255\n";
  folder.write("x.pgm", picture + std::string(16'000'000, '\1'));
  const std::string error = refusal(folder, {"x.pgm", "-k", "k.json"}, 1);  // 7 TiB
  CAPTURE(error);
  CHECK(error.starts_with("convtool: x.pgm: the responses of all layers, which are kept, need 7324219 MiB of memory"));
}

TEST_CASE("an explanation replaces no file that is read, and its format is named once") {
  const TempFolder folder;
  folder.write("x.json", kInput);
  folder.write("k.json", kKernel);
  CHECK(has(refusal(folder, {"x.json", "-k", "k.json", "-o", "k.json"}), "which this run reads"));
  CHECK(has(refusal(folder, {"x.json", "-k", "k.json", "-o", "./x.json"}), "which this run reads"));
  CHECK(read_text(folder.file("k.json")) == kKernel);
  CHECK(refusal(folder, {"x.json", "-k", "k.json", "-o", "y.svg", "--json"}) ==
        "convtool: --json: contradicts the extension of 'y.svg'; leave it out, or name the file *.json\n");
  explained(folder, {"x.json", "-k", "k.json", "-o", "y.json", "--json"});
  explained(folder, {"x.json", "-k", "k.json", "-o", "figure", "--format", "svg"});
  CHECK(read_text(folder.file("figure")).starts_with("<svg "));
  CHECK(refusal(folder, {"sobel", "-k", "box"}) ==
        "convtool: 'sobel' is a kernel, not a file; a second kernel needs its own option: -k box -k sobel\n");
  CHECK(has(refusal(folder, {"5x5", "--kernel-size", "3", "--gray"}), "--gray: needs a picture, but '5x5' is a shape"));
}
