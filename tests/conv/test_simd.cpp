// Row functions on every instruction set that this machine has, against the same arithmetic written plainly.
#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "conv/simd.h"
#include "support/convolve.h"
#include "support/instruction_sets.h"
#include "support/random.h"

namespace convtool {
namespace {

/// Around the widths of vectors, of blocks of eight of them, and beyond.
const std::int64_t kWidths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 200};

}  // namespace

TEST_CASE("sums of taps are exact on whole numbers, at every width") {
  Random random(1);
  on_each_set([&] {
    for (const std::int64_t width : kWidths) {
      CAPTURE(width);
      const std::int64_t taps = 5;
      const std::vector<float> row = floats(width + taps + kRowSlack, [&] { return random.between(-1000, 1000); });
      const std::vector<float> weights = floats(taps, [&] { return random.between(-50, 50); });
      std::vector<const float*> sources;
      for (std::int64_t t = 0; t < taps; ++t) sources.push_back(row.data() + t);
      std::vector<float> sums(static_cast<std::size_t>(width + kRowSlack));
      sum_taps(sources.data(), weights.data(), taps, sums.data(), width);
      for (std::int64_t x = 0; x < width; ++x) {
        float expected = 0;
        for (std::int64_t t = 0; t < taps; ++t)
          expected += weights[static_cast<std::size_t>(t)] * row[static_cast<std::size_t>(x + t)];
        CHECK(sums[static_cast<std::size_t>(x)] == expected);
      }
      sum_taps(nullptr, nullptr, 0, sums.data(), width);
      CHECK(sums[static_cast<std::size_t>(width - 1)] == 0);
    }
  });
}

TEST_CASE("a sum does not depend on where its row is cut") {
  Random random(2);
  const std::int64_t width = 200, taps = 9;
  const std::vector<float> row = floats(width + taps + kRowSlack, [&] { return random.rough(); });
  const std::vector<float> weights = floats(taps, [&] { return random.rough(); });
  const auto sums_from = [&](std::int64_t begin, std::int64_t count) {
    std::vector<const float*> sources;
    for (std::int64_t t = 0; t < taps; ++t) sources.push_back(row.data() + begin + t);
    std::vector<float> sums(static_cast<std::size_t>(count + kRowSlack));
    sum_taps(sources.data(), weights.data(), taps, sums.data(), count);
    sums.resize(static_cast<std::size_t>(count));
    return sums;
  };
  on_each_set([&] {
    const std::vector<float> whole = sums_from(0, width);
    for (std::int64_t begin = 0; begin < 40; ++begin) {
      const std::vector<float> part = sums_from(begin, width - 40);
      CHECK(std::memcmp(part.data(), whole.data() + begin, part.size() * sizeof(float)) == 0);
    }
  });
}

TEST_CASE("pixels become floats, whatever their type, step and number") {
  const auto check = [&]<class T>(T) {
    Random random(3);
    for (const std::int64_t step : {std::int64_t{1}, std::int64_t{3}, std::int64_t{-2}}) {
      for (const std::int64_t count : kWidths) {
        std::vector<T> pixels(static_cast<std::size_t>(count * 3));
        for (T& pixel : pixels) pixel = static_cast<T>(random.between(0, 65535));
        const T* first = step > 0 ? pixels.data() : pixels.data() + (count - 1) * 2;
        std::vector<float> got(static_cast<std::size_t>(count));
        to_floats(first, step, count, got.data());
        for (std::int64_t x = 0; x < count; ++x)
          CHECK(got[static_cast<std::size_t>(x)] == static_cast<float>(first[x * step]));
      }
    }
  };
  on_each_set([&] {
    check(std::uint8_t{});
    check(std::uint16_t{});
    check(float{});
  });
}

TEST_CASE("interleaved pixels become planes") {
  Random random(4);
  on_each_set([&] {
    for (const std::int64_t channels : {3, 4}) {
      for (const std::int64_t count : kWidths) {
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * channels));
        for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.between(0, 255));
        std::vector<float> floats(static_cast<std::size_t>(count * channels));
        float* planes[4];
        for (std::int64_t c = 0; c < channels; ++c) planes[c] = floats.data() + c * count;
        to_planes(pixels.data(), channels, count, planes);
        for (std::int64_t i = 0; i < count * channels; ++i) {
          CHECK(floats[static_cast<std::size_t>(i % channels * count + i / channels)] ==
                static_cast<float>(pixels[static_cast<std::size_t>(i)]));
        }
      }
    }
  });
}

}  // namespace convtool
