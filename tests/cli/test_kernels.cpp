// kernels show and convert, through the real binary.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/program.h"

namespace {

using nlohmann::json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("show tells what the weights tell, and what apply would choose") {
  const TempFolder folder;
  const std::string text = run_convtool({"kernels", "show", "sobel-x"}, folder).out;
  CHECK(contains(text, "    -1  0  1\n    -2  0  2\n    -1  0  1\n"));
  CHECK(contains(text, "sum 0, stride 1, padding same replicate\n"));
  CHECK(contains(text, "response at frequency 0: 0\n"));
  CHECK(contains(text, "rank 1: column 1 2 1 times row -1 0 1\n"));
  CHECK(contains(
      text,
      "symmetric when mirrored top to bottom; antisymmetric when mirrored left to right, turned by 180 degrees\n"));
  CHECK(contains(text, "apply, on 1x1080x1920 u8: "));
  const std::string box = run_convtool({"kernels", "show", "box"}, folder).out;
  CHECK(contains(box, "divided by 9\n"));
  CHECK(contains(box, "sum 9, "));
  CHECK(contains(box, "response at frequency 0: 1\n"));
  CHECK(contains(
      box,
      "symmetric when mirrored left to right, mirrored top to bottom, turned by 180 degrees, turned by 90 degrees\n"));
  CHECK(contains(run_convtool({"kernels", "show", "[[1,2],[3,5]]"}, folder).out, "no symmetry\n"));
  const std::string planes = run_convtool({"kernels", "show", "[[[1,2],[2,4]],[[1,2],[3,4]]]"}, folder).out;
  CHECK(contains(planes, "rank 1 in 1 plane, rank 2 in 1 plane\n"));
  CHECK(contains(planes, "apply, on 2x1080x1920 u8: "));
  const std::string wide = run_convtool({"kernels", "show", R"({"layers":[[[[1]],[[1]]],[[[1]],[[1]]]]})"}, folder).out;
  CHECK(contains(wide, "cannot run (layer 2 on 1x1080x1920: "));
}

TEST_CASE("show --json has all of it") {
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
  CHECK(kernel["response_at_frequency_0"] == json({0}));
  CHECK(kernel["planes"][0]["rank"] == 1);
  CHECK(kernel["planes"][0]["separable"] == json({{"column", {-1, 0, 1}}, {"row", {1, 2, 1}}}));
  CHECK(kernel["planes"][0]["symmetry"]["top_bottom"] == "antisymmetric");
  const json laplacian = json::parse(run_convtool({"kernels", "show", "laplacian-4", "--json"}, folder).out);
  CHECK(laplacian["layers"][0]["kernels"][0]["planes"][0]["separable"].is_null());
}

TEST_CASE("colours are for terminals that want them") {
  const TempFolder folder;
  // script(1) gives the program a terminal.
  const auto on_terminal = [&](const std::string& settings) {
    return run_shell("script -qec 'env " + settings + " \"$CONVTOOL\" kernels show sobel-x' /dev/null < /dev/null",
                     folder)
        .out;
  };
  const std::string drawn = on_terminal("-u NO_COLOR TERM=xterm");
  if (!contains(drawn, "sobel-x")) return;  // no script(1) here
  // -2 and 2 are the largest, -1 and 1 half of that: on the last and the third of five shades.
  CHECK(contains(drawn, "\x1b[38;5;16;48;5;39m -2\x1b[0m  0\x1b[38;5;16;48;5;214m  2\x1b[0m"));
  CHECK(contains(drawn, "\x1b[38;5;231;48;5;20m -1\x1b[0m  0\x1b[38;5;231;48;5;130m  1\x1b[0m"));
  for (const char* settings : {"NO_COLOR=1 TERM=xterm", "-u NO_COLOR TERM=dumb", "-u NO_COLOR -u TERM"})
    CHECK(!contains(on_terminal(settings), "\x1b["));
  CHECK(!contains(run_convtool({"kernels", "show", "sobel-x"}, folder).out, "\x1b["));
}
