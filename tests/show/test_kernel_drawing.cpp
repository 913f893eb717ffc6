// Pictures of kernels.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "show/kernel_drawing.h"

using namespace convtool;

namespace {

Layer layer_of(int rank, const KernelShape& shape, std::vector<float> weights) {
  return {.name = "k",
          .description = "",
          .rank = rank,
          .shape = shape,
          .weights = std::move(weights),
          .bias = {},
          .divisor = {}};
}

std::vector<std::string> texts(const Drawing& drawing) {
  std::vector<std::string> all;
  for (const auto& shape : drawing.shapes)
    if (const auto* text = std::get_if<Drawing::Text>(&shape)) all.push_back(text->text);
  return all;
}

std::vector<Colour> fills(const Drawing& drawing) {
  std::vector<Colour> all;
  for (const auto& shape : drawing.shapes)
    if (const auto* cell = std::get_if<Drawing::Rectangle>(&shape); cell != nullptr && cell->fill)
      all.push_back(*cell->fill);
  return all;
}

template <class Shape>
std::int64_t count(const Drawing& drawing) {
  return std::count_if(drawing.shapes.begin(), drawing.shapes.end(),
                       [](const auto& shape) { return std::holds_alternative<Shape>(shape); });
}

}  // namespace

TEST_CASE("a small kernel has its numbers in the cells, white for 0 and full colour at the largest weight") {
  const Drawing drawing = kernel_drawing(layer_of(2, {.kh = 2, .kw = 2}, {-4, 0, 2, 4}));
  CHECK(texts(drawing) == std::vector<std::string>{"-4", "0", "2", "4"});
  const std::vector<Colour> colours = fills(drawing);
  REQUIRE(colours.size() == 4);
  CHECK(colours[1] == Colour{255, 255, 255});
  CHECK(colours[0] == Colour{0, 128, 255});  // as --map signed
  CHECK(colours[3] == Colour{255, 128, 0});
  const auto is_halfway = [](int half, int full) { return std::abs(2 * half - full - 255) <= 1; };
  CHECK((is_halfway(colours[2].r, colours[3].r) && is_halfway(colours[2].b, colours[3].b)));
  CHECK(largest_weight(layer_of(2, {.kh = 1, .kw = 2}, {-4, 2})) == 4);
}

TEST_CASE("the numbers of a kernel have the same size and digits, whatever their sign") {
  const std::vector<float> weights = {0.0966F, 6e-19F, -0.0966F, 0.0131F, 0, -0.0131F, 2e-4F, 1e-6F, -2e-4F};
  for (const std::int64_t copies : {1, 3}) {  // 3x3 in large cells, 9x3 in small ones
    std::vector<float> all;
    for (std::int64_t i = 0; i < copies; ++i) all.insert(all.end(), weights.begin(), weights.end());
    const Drawing drawing = kernel_drawing(layer_of(2, {.kh = 3 * copies, .kw = 3}, all));
    const std::vector<std::string> numbers = texts(drawing);
    REQUIRE(std::ssize(numbers) == 9 * copies);
    for (std::size_t row = 0; row < numbers.size(); row += 3) {
      CHECK(numbers[row + 1] == "0");  // nothing beside the others
      CHECK(numbers[row + 2] == "-" + numbers[row]);
    }
    CHECK(numbers[0] == ".0966");
    double size = 0;
    for (const auto& shape : drawing.shapes)
      if (const auto* text = std::get_if<Drawing::Text>(&shape)) {
        CHECK((size == 0 || text->size == size));
        size = text->size;
      }
  }
}

TEST_CASE("two kernels may share a scale") {
  const Layer layer = layer_of(2, {.kh = 1, .kw = 1}, {1});
  CHECK(fills(kernel_drawing(layer, 2.0)) == fills(kernel_drawing(layer_of(2, {.kh = 1, .kw = 1}, {3}), 6.0)));
  CHECK(fills(kernel_drawing(layer, 2.0)) != fills(kernel_drawing(layer)));
}

TEST_CASE("kernels beyond 11x11 are shades") {
  const auto draw = [](std::int64_t size) {
    return kernel_drawing(
        layer_of(2, {.kh = size, .kw = size}, std::vector<float>(static_cast<std::size_t>(size * size), 1)));
  };
  CHECK(texts(draw(11)).size() == 121);
  const Drawing shades = draw(12);
  CHECK(texts(shades).empty());
  REQUIRE(count<Drawing::Raster>(shades) == 1);
  for (const auto& shape : shades.shapes)
    if (const auto* raster = std::get_if<Drawing::Raster>(&shape))
      CHECK(raster->picture.all().shape == Shape{.c = 3, .h = 12, .w = 12});
  CHECK(draw(301).width == doctest::Approx(draw(12).width));
}

TEST_CASE("layers are maps by output and input, and of many only the first are drawn, with a word") {
  const auto layer = [](std::int64_t c_o, std::int64_t c_i) {
    return layer_of(4, {.c_o = c_o, .c_i_per_group = c_i, .kh = 1, .kw = 1},
                    std::vector<float>(static_cast<std::size_t>(c_o * c_i), 5));
  };
  const Drawing small = kernel_drawing(layer(2, 3));
  CHECK(texts(small) ==
        std::vector<std::string>{"output 0, inputs 0 to 2", "5", "5", "5", "output 1, inputs 0 to 2", "5", "5", "5"});
  const Drawing large = kernel_drawing(layer(64, 128));
  CHECK(fills(large).size() == 4 * 6);
  CHECK(texts(large).back() == "the first 4 of 64 outputs, and 6 of 128 inputs");
  CHECK(texts(kernel_drawing(layer(64, 1))).back() == "the first 4 of 64 outputs");
  CHECK(texts(kernel_drawing(layer(1, 7))).back() == "the first 6 of 7 inputs");
}

TEST_CASE("maps of groups and of transposed convolutions are titled by their channels") {
  Layer layer = layer_of(4, {.c_o = 2, .c_i_per_group = 2, .kh = 1, .kw = 1}, {5, 5, 5, 5});
  layer.params.groups = 2;
  CHECK(texts(kernel_drawing(layer)) ==
        std::vector<std::string>{"output 0, inputs 0 to 1", "5", "5", "output 1, inputs 2 to 3", "5", "5"});
  layer.enlarging = Enlarging::transposed;
  CHECK(texts(kernel_drawing(layer)) ==
        std::vector<std::string>{"input 0, outputs 0 to 1", "5", "5", "input 1, outputs 2 to 3", "5", "5"});
  Layer large = layer_of(4, {.c_o = 5, .c_i_per_group = 1, .kh = 1, .kw = 1}, {5, 5, 5, 5, 5});
  large.enlarging = Enlarging::transposed;
  CHECK(texts(kernel_drawing(large)).front() == "input 0, output 0");
  CHECK(texts(kernel_drawing(large)).back() == "the first 4 of 5 inputs");
}

TEST_CASE("a kernel of zeros is white") {
  for (const Colour& colour : fills(kernel_drawing(layer_of(2, {.kh = 1, .kw = 2}, {0, 0}))))
    CHECK(colour == Colour{255, 255, 255});
}
