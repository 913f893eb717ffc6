#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "show/explain/panels.h"
#include "show/explain/traces.h"

namespace convtool {
namespace {

/// The pixels of a thumbnail, row by row, channel after channel.
std::vector<int> pixels_of(const Tensor& tensor, std::int64_t channel, bool all_colours, std::int64_t most) {
  const Image image = thumbnail(tensor.ref(), channel, all_colours, most);
  const auto view = image.all().view<std::uint8_t>();
  std::vector<int> pixels;
  for (std::int64_t c = 0; c < view.shape.c; ++c)
    for (std::int64_t y = 0; y < view.shape.h; ++y)
      for (std::int64_t x = 0; x < view.shape.w; ++x) pixels.push_back(view.at(0, c, y, x));
  return pixels;
}

}  // namespace

TEST_CASE("thumbnails of integers keep their share of the full range") {
  Tensor bytes(DType::u8, {.c = 3, .h = 1, .w = 2});
  const std::vector<std::uint8_t> values = {0, 1, 127, 128, 254, 255};
  std::copy(values.begin(), values.end(), bytes.data<std::uint8_t>());
  CHECK(pixels_of(bytes, 1, false, 600) == std::vector<int>{127, 128});
  CHECK(pixels_of(bytes, 0, true, 600) == std::vector<int>{0, 1, 127, 128, 254, 255});

  Tensor words(DType::u16, {.c = 1, .h = 1, .w = 5});  // 257 to a level of 8 bits
  const std::vector<std::uint16_t> levels = {0, 128, 129, 257, 65535};
  std::copy(levels.begin(), levels.end(), words.data<std::uint16_t>());
  CHECK(pixels_of(words, 0, false, 600) == std::vector<int>{0, 0, 1, 1, 255});
}

TEST_CASE("thumbnails of floats stretch from the lowest to the highest finite value") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {-1, 0, 1, kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
  CHECK(pixels_of(tensor_of({.c = 1, .h = 2, .w = 3}, values), 0, false, 600) ==
        std::vector<int>{0, 128, 255, 255, 0, 0});
  CHECK(pixels_of(tensor_of({.c = 1, .h = 1, .w = 2}, {7, 7}), 0, false, 600) == std::vector<int>{0, 0});
}

TEST_CASE("a thumbnail of more pixels has every n-th") {
  std::vector<float> values;
  for (int i = 0; i < 25; ++i) values.push_back(static_cast<float>(i));
  // Rows and columns 0, 2 and 4; the range is that of these pixels, 0 to 24.
  CHECK(pixels_of(tensor_of({.c = 1, .h = 5, .w = 5}, values), 0, false, 3) ==
        std::vector<int>{0, 21, 43, 106, 128, 149, 213, 234, 255});
}

}  // namespace convtool
