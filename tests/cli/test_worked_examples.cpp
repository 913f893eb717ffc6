// The worked examples of course notes on convolution: the real binary prints exactly their numbers.

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cli/json_list.h"
#include "support/program.h"

namespace {

const std::string kX = "[[0,1,2],[3,4,5],[6,7,8]]";
const std::string kX2 = "[[[0,1,2],[3,4,5],[6,7,8]],[[1,2,3],[4,5,6],[7,8,9]]]";

/// The output of `apply` for a JSON tensor on standard input.
std::string apply(const std::string& input, std::vector<std::string> options) {
  const TempFolder folder;
  std::vector<std::string> arguments = {"apply", "-", "-o", "-", "-q"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const ProgramResult result = run_convtool(arguments, folder, input);
  CHECK(result.code == 0);
  CHECK(result.err == "");
  return result.out;
}

/// The first line that `shape` prints.
std::string shape(std::vector<std::string> arguments) {
  const TempFolder folder;
  arguments.insert(arguments.begin(), "shape");
  const ProgramResult result = run_convtool(arguments, folder);
  CHECK(result.code == 0);
  return result.out.substr(0, result.out.find('\n'));
}

nlohmann::json shape_json(std::vector<std::string> arguments) {
  const TempFolder folder;
  arguments.insert(arguments.begin(), "shape");
  arguments.push_back("--json");
  const ProgramResult result = run_convtool(arguments, folder);
  CHECK(result.code == 0);
  return nlohmann::json::parse(result.out);
}

}  // namespace

TEST_CASE("1: cross-correlation") { CHECK(apply(kX, {"-k", "[[0,1],[2,3]]"}) == "[[19,25],[37,43]]\n"); }

TEST_CASE("2: a layer adds a bias") {
  CHECK(apply(kX, {"-k", "[[0,1],[2,3]]", "--bias", "0.5"}) == "[[19.5,25.5],[37.5,43.5]]\n");
  CHECK(apply(kX, {"-k", R"({"weight":[[0,1],[2,3]],"bias":0.5})"}) == "[[19.5,25.5],[37.5,43.5]]\n");
}

TEST_CASE("3: the edges of an object") {
  CHECK(apply(repeated("[1,1,0,0,0,0,1,1]", 6), {"-k", "[[1,-1]]"}) == repeated("[0,1,0,0,0,-1,0]", 6) + "\n");
}

TEST_CASE("4: a kernel for vertical edges does not respond to horizontal ones") {
  const std::string ones = repeated("1", 6), zeros = repeated("0", 6);
  const std::string transposed =
      "[" + ones + "," + ones + "," + zeros + "," + zeros + "," + zeros + "," + zeros + "," + ones + "," + ones + "]";
  CHECK(apply(transposed, {"-k", "[[1,-1]]"}) == repeated(repeated("0", 5), 8) + "\n");
}

TEST_CASE("6: convolution flips the kernel") {
  CHECK(apply(kX, {"-k", "[[0,1],[2,3]]", "--flip"}) == "[[5,11],[23,29]]\n");
}

TEST_CASE("7 to 10: padding and stride") {
  CHECK(shape({"8x8", "--kernel-size", "3", "--padding", "1"}) == "1x8x8");
  CHECK(shape({"8x8", "--kernel-size", "5x3", "--padding", "2x1"}) == "1x8x8");
  CHECK(shape({"8x8", "--kernel-size", "3", "--padding", "1", "--stride", "2"}) == "1x4x4");
  CHECK(shape({"1x8x8", "--kernel-size", "3x5", "--padding", "0x1", "--stride", "3x4"}) == "1x2x2");

  const std::string x = repeated(repeated("1", 8), 8);
  const auto size = [](const std::string& text) {
    const nlohmann::json y = nlohmann::json::parse(text);
    return std::make_pair(y.size(), y.at(0).size());
  };
  const std::string k33 = repeated(repeated("1", 3), 3), k53 = repeated(repeated("1", 3), 5),
                    k35 = repeated(repeated("1", 5), 3);
  CHECK(size(apply(x, {"-k", k33, "--padding", "1"})) == std::pair<std::size_t, std::size_t>{8, 8});
  CHECK(size(apply(x, {"-k", k53, "--padding", "2x1"})) == std::pair<std::size_t, std::size_t>{8, 8});
  CHECK(size(apply(x, {"-k", k33, "--padding", "1", "--stride", "2"})) == std::pair<std::size_t, std::size_t>{4, 4});
  CHECK(size(apply(x, {"-k", k35, "--padding", "0x1", "--stride", "3x4"})) ==
        std::pair<std::size_t, std::size_t>{2, 2});
}

TEST_CASE("11: input channels are summed") {
  // A 3-D input gives a 3-D result.
  CHECK(apply(kX2, {"-k", "[[[0,1],[2,3]],[[1,2],[3,4]]]"}) == "[[[56,72],[104,120]]]\n");
}

TEST_CASE("12: several output channels") {
  const std::string k = "[[[[0,1],[2,3]],[[1,2],[3,4]]],[[[1,2],[3,4]],[[2,3],[4,5]]],[[[2,3],[4,5]],[[3,4],[5,6]]]]";
  CHECK(apply(kX2, {"-k", k}) == "[[[56,72],[104,120]],[[76,100],[148,172]],[[96,128],[192,224]]]\n");
}

TEST_CASE("13: a 1x1 convolution is a matrix product over channels") {
  const std::string x = "[[[1,2],[3,4]],[[5,6],[7,8]],[[9,10],[11,12]]]";
  CHECK(apply(x, {"-k", "[[[[1]],[[2]],[[3]]],[[[-1]],[[0.5]],[[0.25]]]]"}) ==
        "[[[38,44],[50,56]],[[3.75,3.5],[3.25,3]]]\n");
}

TEST_CASE("14: the receptive field of one 2x2 layer") {
  const nlohmann::json report = shape_json({"1x3x3", "--kernel-size", "2"});
  CHECK(report["receptive_field"] ==
        nlohmann::json({{"size", {2, 2}}, {"stride", {1, 1}}, {"offset", {0, 0}}, {"centre", {0.5, 0.5}}}));
}

TEST_CASE("15: each layer shrinks the picture") {
  const nlohmann::json report = shape_json({"1x32x32", "--kernel-size", "5", "--repeat", "7"});
  std::vector<int> heights;
  for (const auto& layer : report["layers"]) heights.push_back(layer["output_shape"][1]);
  CHECK(heights == std::vector<int>{28, 24, 20, 16, 12, 8, 4});

  const TempFolder folder;
  const ProgramResult eighth = run_convtool({"shape", "1x32x32", "--kernel-size", "5", "--repeat", "8"}, folder);
  CHECK(eighth.code != 0);
  CHECK(eighth.out.substr(0, eighth.out.find('\n')) == "1x4x4");
  CHECK(eighth.err.find("layer 8 on 1x4x4") != std::string::npos);
}

TEST_CASE("16: the cost of a layer") {
  const nlohmann::json report = shape_json({"100x68x68", "--kernel-size", "5", "--out-channels", "100"});
  CHECK(report["output_shape"] == nlohmann::json({100, 64, 64}));
  CHECK(report["macs"] == 1024000000);
  const TempFolder folder;
  const ProgramResult text =
      run_convtool({"shape", "100x68x68", "--kernel-size", "5", "--out-channels", "100"}, folder);
  CHECK(text.out.find("1.024e9 MACs") != std::string::npos);
  // Ten such layers over a million pictures.
  CHECK(shape_json({"1000000x100x64x64", "--kernel-size", "5", "--out-channels", "100", "--padding", "same", "--repeat",
                    "10"})["macs"] == 1.024e16);
}

TEST_CASE("17: why convolution: a fully connected layer sees every pixel") {
  // A fully connected layer is a kernel as large as the picture.
  const nlohmann::json dense = shape_json({"1x1000x1000", "--kernel-size", "1000", "--out-channels", "100"});
  CHECK(dense["parameters"] == 100000000);
  CHECK(dense["fully_connected_weights"] == 1e8);
  CHECK(shape_json({"1x1000x1000", "--kernel-size", "5"})["parameters"] == 25);
}
