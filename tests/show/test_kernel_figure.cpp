#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "core/error.h"
#include "show/kernel_figure.h"

using namespace convtool;

namespace {

Layer difference_of(const std::string& name) {
  Layer layer{.name = name};
  layer.shape = {.c_o = 1, .c_i_per_group = 1, .kh = 1, .kw = 2};
  layer.weights = {1, -1};
  return layer;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a figure has numbers in cells and a frequency response for each kernel") {
  Layer halved = difference_of("halved");
  halved.divisor = {2};
  const Drawing figure = kernel_figure({.name = "both",
                                        .description = "",
                                        .banks = {{.name = "both", .layers = {difference_of("plain"), halved}}},
                                        .files = {}});
  const std::string svg = to_svg(figure);
  CHECK(svg.find("<title>both</title>") != std::string::npos);
  CHECK(svg.find(">plain 1x2</text>") != std::string::npos);
  CHECK(svg.find(">halved 1x2</text>") != std::string::npos);
  CHECK(svg.find("white: 2, at 0: 0") != std::string::npos);
  CHECK(svg.find("white: 1, at 0: 0") != std::string::npos);
  CHECK(occurrences(svg, "<image") == 2);
  CHECK(occurrences(svg, ">-1</text>") + occurrences(svg, ">−1</text>") == 2);
}

TEST_CASE("many kernels are cut with a word, pools have no picture") {
  Bank bank{.name = "many", .layers = {}};
  for (int i = 0; i < 20; ++i) bank.layers.push_back(difference_of("d" + std::to_string(i)));
  const std::string svg = to_svg(kernel_figure({.name = "many", .description = "", .banks = {bank}, .files = {}}));
  CHECK(svg.find("the first 12 of 20 kernels") != std::string::npos);
  CHECK(occurrences(svg, "<image") == 12);

  Layer pool{.name = "pool"};
  pool.pooling = Pooling::max;
  CHECK_THROWS_AS(
      kernel_figure({.name = "pool", .description = "", .banks = {{.name = "pool", .layers = {pool}}}, .files = {}}),
      Error);
}

TEST_CASE("all text is within the figure, and a long name is cut") {
  Layer layer = difference_of(std::string(300, 'n'));
  layer.rank = 4;
  layer.weights = {1.0F / 3, -0.33333F};  // at 0: a number with an exponent
  const Network network{.name = "k", .description = "", .banks = {{.name = "k", .layers = {layer}}}, .files = {}};
  const Drawing figure = kernel_figure(network);
  int count = 0;
  for (const auto& shape : figure.shapes)
    if (const auto* text = std::get_if<Drawing::Text>(&shape); text != nullptr && text->anchor == Anchor::start) {
      CHECK(text->x + text_width(text->text, text->size) <= figure.width);
      ++count;
    }
  CHECK(count >= 4);
  CHECK(figure.width < 700);
}
