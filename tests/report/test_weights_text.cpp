// Kernels in a window: numbers up to 11x11 where they fit, shades else.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "report/weights_text.h"

using namespace convtool;

namespace {

Layer matrix(std::int64_t height, std::int64_t width, float value) {
  Layer layer{.name = "k"};
  layer.shape = {.c_o = 1, .c_i_per_group = 1, .kh = height, .kw = width};
  layer.weights.assign(static_cast<std::size_t>(height * width), value);
  return layer;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("a large kernel becomes shades that fit the window, and without a window stays numbers") {
  Layer kernel = matrix(31, 31, 0.25F);
  kernel.weights[0] = -1;
  kernel.weights[31 * 31 - 1] = 0;
  const std::vector<std::string> numbers = split_lines(weights_text(kernel));
  CHECK(numbers.size() == 31);
  CHECK(numbers[1].size() == 3 + 31 * 5);

  const std::vector<std::string> shades = split_lines(weights_text(kernel, false, 80));
  REQUIRE(shades.size() == 32);
  CHECK(shades[0].starts_with("    -#+.+."));
  CHECK(shades[30].ends_with("+.  "));
  CHECK(shades[30].size() == 4 + 2 * 31);
  CHECK(shades[31] == "    weights from -1 to 0.25");

  const std::vector<std::string> halved = split_lines(weights_text(kernel, false, 40));  // 18 cells
  REQUIRE(halved.size() == 17);
  CHECK(halved[0].size() == 4 + 2 * 16);
  CHECK(halved[0].starts_with("    -#"));
  CHECK(halved[16] == "    weights from -1 to 0.25; a cell is the largest of 2x2 weights");
  for (std::size_t columns = 1; columns < 90; ++columns)
    for (const std::string& line : split_lines(weights_text(kernel, false, columns)))
      if (line.starts_with("    weights"))
        continue;
      else
        CHECK(line.size() <= std::max<std::size_t>(columns, 6));
}

TEST_CASE("a small kernel keeps its numbers unless they are wider than the window") {
  const Layer kernel = matrix(3, 11, 0.123456F);
  const std::string numbers = weights_text(kernel);
  CHECK(weights_text(kernel, false, 103) == numbers);  // 4 + 11 * 9 as the first cell begins in the indent
  CHECK(split_lines(weights_text(kernel, false, 101))[0] == "    +#+#+#+#+#+#+#+#+#+#+#");
}

TEST_CASE("planes are titled by their channels, whatever their order") {
  Layer layer{.name = "k", .rank = 4};
  layer.shape = {.c_o = 2, .c_i_per_group = 1, .kh = 1, .kw = 2};
  layer.weights = {1, 2, 3, 4};
  const auto titles = [&] {
    std::vector<std::string> lines = split_lines(weights_text(layer));
    return std::vector<std::string>{lines[0], lines[2]};
  };
  CHECK(titles() == std::vector<std::string>{"    output 0, input 0", "    output 1, input 0"});
  layer.params.groups = 2;
  CHECK(titles() == std::vector<std::string>{"    output 0, input 0", "    output 1, input 1"});
  layer.enlarging = Enlarging::transposed;
  CHECK(titles() == std::vector<std::string>{"    output 0, input 0", "    output 1, input 1"});
  layer.params.groups = 1;
  CHECK(titles() == std::vector<std::string>{"    output 0, input 0", "    output 0, input 1"});
}

TEST_CASE("backgrounds go from white to orange and blue") {
  Layer kernel = matrix(1, 3, 1);
  kernel.weights = {-2, 0, 2};
  CHECK(weights_text(kernel, true) ==
        "   \x1b[38;5;16;48;5;33m -2\x1b[0m\x1b[38;5;16;48;5;231m  0\x1b[0m\x1b[38;5;16;48;5;208m  2\x1b[0m\n");
}
