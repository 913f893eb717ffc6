// Row functions on every instruction set of this machine, compared with the same arithmetic in plain loops.
#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "conv/engine/simd.h"
#include "support/convolve.h"
#include "support/instruction_sets.h"
#include "support/random.h"

namespace convtool {
namespace {

/// Widths around those of vectors, of blocks of eight vectors, and beyond.
const std::int64_t kCounts[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 200};

}  // namespace

/// A block of output rows, with runs of taps that read random source rows.
struct Block {
  std::vector<std::vector<float>> rows;
  std::vector<const float*> sources;
  std::vector<float> weights;
  std::vector<TapRun> runs;
  std::int64_t count = 1;

  BlockTaps taps() const { return {sources.data(), weights.data(), runs.data(), std::ssize(runs), count}; }
};

/// A block of `count` rows in which every range of rows is a run, and the first one is so twice.
template <class Number>
Block make_block(std::int64_t count, std::int64_t width, const Number& number, Random& random) {
  Block block{.rows = {}, .sources = {}, .weights = {}, .runs = {}, .count = count};
  for (std::int64_t begin = 0; begin < count; ++begin)
    for (std::int64_t end = begin + 1; end <= count; ++end)
      block.runs.push_back({.begin = begin, .end = end, .taps = random.between(0, 3)});
  block.runs.push_back(block.runs.front());
  for (const TapRun& run : block.runs)
    for (std::int64_t t = 0; t < run.taps; ++t) {
      block.rows.push_back(floats(width + kRowSlack, number));
      for (std::int64_t i = run.begin; i < run.end; ++i) block.weights.push_back(static_cast<float>(number()));
    }
  for (const std::vector<float>& row : block.rows) block.sources.push_back(row.data());
  return block;
}

TEST_CASE("sums of taps are exact on integers, in every row and at every width") {
  Random random(1);
  on_each_set([&] {
    for (const std::int64_t count : {std::int64_t{1}, kBlockRows})
      for (const std::int64_t width : kCounts) {
        CAPTURE(count);
        CAPTURE(width);
        const Block block = make_block(
            count, width, [&] { return random.between(-100, 100); }, random);
        const std::int64_t pitch = width + kRowSlack;
        std::vector<float> sums(static_cast<std::size_t>(count * pitch)), expected(sums.size());
        sum_rows(block.taps(), 0, width, sums.data(), pitch);
        std::size_t tap = 0, weight = 0;
        for (const TapRun& run : block.runs)
          for (std::int64_t t = 0; t < run.taps; ++t, ++tap)
            for (std::int64_t i = run.begin; i < run.end; ++i, ++weight)
              for (std::int64_t x = 0; x < width; ++x)
                expected[static_cast<std::size_t>(i * pitch + x)] +=
                    block.weights[weight] * block.rows[tap][static_cast<std::size_t>(x)];
        for (std::int64_t i = 0; i < count; ++i)
          for (std::int64_t x = 0; x < width; ++x)
            CHECK(sums[static_cast<std::size_t>(i * pitch + x)] == expected[static_cast<std::size_t>(i * pitch + x)]);
      }
  });
}

TEST_CASE("a sum does not depend on where its row is cut, nor on neighbouring rows") {
  Random random(2);
  const std::int64_t width = 200, pitch = width + kRowSlack;
  on_each_set([&] {
    const Block block = make_block(
        kBlockRows, width, [&] { return random.rough(); }, random);
    std::vector<float> whole(static_cast<std::size_t>(kBlockRows * pitch)), part(whole.size());
    sum_rows(block.taps(), 0, width, whole.data(), pitch);
    for (std::int64_t begin = 0; begin < 40; ++begin) {
      sum_rows(block.taps(), begin, width - 40, part.data(), pitch);
      for (std::int64_t i = 0; i < kBlockRows; ++i)
        CHECK(std::memcmp(part.data() + i * pitch, whole.data() + i * pitch + begin, 160 * sizeof(float)) == 0);
    }
    // Row 2 alone, with the same taps in the same order.
    Block alone{.rows = {}, .sources = {}, .weights = {}, .runs = {{}}, .count = 1};
    std::size_t tap = 0, weight = 0;
    for (const TapRun& run : block.runs)
      for (std::int64_t t = 0; t < run.taps; ++t, ++tap)
        for (std::int64_t i = run.begin; i < run.end; ++i, ++weight) {
          if (i != 2) continue;
          alone.sources.push_back(block.sources[tap]);
          alone.weights.push_back(block.weights[weight]);
          ++alone.runs[0].taps;
        }
    sum_rows(alone.taps(), 0, width, part.data(), pitch);
    CHECK(std::memcmp(part.data(), whole.data() + 2 * pitch, width * sizeof(float)) == 0);
  });
}

TEST_CASE("a line is split into phases") {
  on_each_set([&] {
    for (std::int64_t stride = 1; stride <= 5; ++stride)
      for (const std::int64_t count : kCounts) {
        float next = 0;
        const std::vector<float> line = floats(count, [&] { return next++; });
        const std::int64_t length = count / stride + 3;
        std::vector<float> phases(static_cast<std::size_t>(length * stride), -1);
        split_phases(line.data(), stride, count, phases.data(), length);
        for (std::int64_t p = 0; p < stride; ++p)
          for (std::int64_t k = 0; k < length; ++k) {
            const std::int64_t at = k * stride + p;
            CHECK(phases[static_cast<std::size_t>(p * length + k)] == (at < count ? static_cast<float>(at) : -1.0F));
          }
      }
  });
}

TEST_CASE("pixels of any type, step and number become floats") {
  const auto check = [&]<class T>(T) {
    Random random(3);
    for (const std::int64_t step : {std::int64_t{1}, std::int64_t{3}, std::int64_t{-2}}) {
      for (const std::int64_t count : kCounts) {
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

template <class T>
void check_planes(Random& random, std::int64_t channels, std::int64_t count) {
  std::vector<T> pixels(static_cast<std::size_t>(count * channels)), again(pixels.size());
  for (T& pixel : pixels) pixel = static_cast<T>(random.between(0, 255));
  std::vector<float> floats(pixels.size());
  std::vector<T> parts(pixels.size());
  float* planes[4];
  const T* parted[4];
  for (std::int64_t c = 0; c < channels; ++c) {
    planes[c] = floats.data() + c * count;
    parted[c] = parts.data() + c * count;
  }
  to_planes(pixels.data(), channels, count, planes);
  for (std::int64_t i = 0; i < count * channels; ++i) {
    const auto at = static_cast<std::size_t>(i % channels * count + i / channels);
    CHECK(floats[at] == static_cast<float>(pixels[static_cast<std::size_t>(i)]));
    parts[at] = pixels[static_cast<std::size_t>(i)];
  }
  interleave(parted, channels, count, again.data());
  CHECK(again == pixels);
}

TEST_CASE("interleaved pixels become planes, and planes become pixels") {
  Random random(4);
  on_each_set([&] {
    for (const std::int64_t channels : {2, 3, 4}) {
      for (const std::int64_t count : kCounts) {
        check_planes<std::uint8_t>(random, channels, count);
        check_planes<std::uint16_t>(random, channels, count);
        check_planes<float>(random, channels, count);
      }
    }
  });
}

}  // namespace convtool
