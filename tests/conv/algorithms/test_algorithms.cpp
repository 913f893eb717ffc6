// Every algorithm against `reference`: all small sizes, the sizes around vector lengths, layouts, groups and threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "support/conv_cases.h"
#include "support/params.h"

namespace convtool {
namespace {

constexpr DType kTypes[] = {DType::u8, DType::u16, DType::f32};
constexpr PaddingMode kModes[] = {PaddingMode::zeros,     PaddingMode::constant,  PaddingMode::reflect,
                                  PaddingMode::symmetric, PaddingMode::replicate, PaddingMode::circular};

/// One axis of a problem.
struct Axis {
  std::int64_t in, k, stride, dilation, begin, end;
};

bool is_valid(const Axis& axis, PaddingMode mode) {
  if (axis.dilation * (axis.k - 1) + 1 > axis.in + axis.begin + axis.end) return false;
  return mode != PaddingMode::reflect || (axis.begin < axis.in && axis.end < axis.in);
}

/// Every axis with 1..7 pixels, 1..4 taps, strides and dilations 1..4, and pads from none to more than the picture.
std::vector<Axis> all_axes(PaddingMode mode) {
  std::vector<Axis> axes;
  for (std::int64_t in = 1; in <= 7; ++in)
    for (std::int64_t k = 1; k <= 4; ++k)
      for (std::int64_t stride = 1; stride <= 4; ++stride)
        for (std::int64_t dilation = 1; dilation <= 4; ++dilation)
          for (const std::int64_t begin : {0, 1, 2, 5})
            for (const std::int64_t end : {0, 1, 3, 8})
              if (const Axis axis{in, k, stride, dilation, begin, end}; is_valid(axis, mode)) axes.push_back(axis);
  return axes;
}

TEST_CASE("all small sizes") {
  // Height and width do not know of each other, so every axis is met as a height with some width, and as a width with
  // some height: two walks through the same list, the second in shuffled order.
  constexpr std::uint64_t kSeed = 1;
  ConvTester tester("all small sizes", kSeed);
  Random random(kSeed);
  std::int64_t turn = 0;
  for (const PaddingMode mode : kModes) {
    const std::vector<Axis> heights = all_axes(mode);
    std::vector<Axis> widths = heights;
    for (std::size_t i = widths.size(); i > 1; --i)
      std::swap(widths[i - 1], widths[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(i) - 1))]);
    for (std::size_t i = 0; i < heights.size(); ++i, ++turn) {
      const Axis &h = heights[i], &w = widths[i];
      ConvCase c = make_case(kTypes[turn % 3], {1, 1, h.in, w.in}, {1, 1, h.k, w.k},
                             Params{.stride = {h.stride, w.stride},
                                    .dilation = {h.dilation, w.dilation},
                                    .padding = pads(h.begin, w.begin, h.end, w.end),
                                    .padding_mode = mode,
                                    .padding_value = 3},
                             Numbers::exact, random);
      c.input_layout = kLayouts[turn % 5];
      c.output_layout = kLayouts[turn / 5 % 5];
      tester.check(c);
    }
  }
  CHECK(turn > 30000);
}

TEST_CASE("widths around every vector length") {
  constexpr std::uint64_t kSeed = 2;
  ConvTester tester("widths", kSeed);
  Random random(kSeed);
  for (std::int64_t width = 1; width <= 70; ++width)
    for (const DType dtype : kTypes)
      for (const std::int64_t k : {1, 2, 3, 5, 7})
        for (const std::int64_t stride : {1, 2, 3}) {
          const KernelShape kernel{1, 1, random.between(1, 3), k};
          const Params params{.stride = {1, stride}, .padding = kSame, .padding_mode = PaddingMode::replicate};
          ConvCase c = make_case(dtype, {1, 1, 3, width}, kernel, params,
                                 random.chance(2) ? Numbers::exact : Numbers::rough, random);
          c.output_dtype = random.pick(kTypes);
          c.input_layout = random.pick(kLayouts);
          c.output_layout = random.pick(kLayouts);
          tester.check(c);
        }
}

TEST_CASE("dilated rows, from fewer than a block of them to several") {
  constexpr std::uint64_t kSeed = 8;
  ConvTester tester("dilated rows", kSeed);
  Random random(kSeed);
  for (std::int64_t height = 1; height <= 26; ++height)
    for (const std::int64_t dilation : {2, 3, 5})
      for (const std::int64_t stride : {1, 1, 1, 2}) {
        ConvCase c = make_case(random.pick(kTypes), {2, 1, height, random.between(1, 70)},
                               {1, 1, random.between(2, 3), random.between(1, 3)},
                               Params{.stride = {stride, 1},
                                      .dilation = {dilation, random.between(1, 2)},
                                      .padding = kSame,
                                      .padding_mode = height > 5 ? random.pick(kModes) : PaddingMode::circular},
                               random.chance(2) ? Numbers::exact : Numbers::rough, random);
        if (random.chance(2)) c.kernel.bias[0] = 0;
        c.input_layout = random.pick(kLayouts);
        c.output_layout = random.pick(kLayouts);
        tester.check(c);
      }
}

TEST_CASE("the largest dilation of a kernel of one row") {
  Random random(9);
  ConvTester tester("large dilation", 9);
  for (const DType dtype : kTypes)
    tester.check(make_case(dtype, {1, 1, 9, 33}, {1, 1, 1, 3}, Params{.dilation = {std::int64_t{1} << 30, 1}},
                           Numbers::exact, random));
}

TEST_CASE("rows wider than a panel") {
  constexpr std::uint64_t kSeed = 7;
  ConvTester tester("wide rows", kSeed);
  Random random(kSeed);
  for (const DType dtype : kTypes)
    for (const std::int64_t stride : {1, 2})
      for (const std::int64_t channels : {1, 3}) {  // flat where channels share weights
        ConvCase c = make_case(
            dtype, {1, channels, 5, 16390 / channels * stride + random.between(0, 40)}, {channels, 1, 3, 5},
            Params{.stride = {1, stride}, .padding = kSame, .padding_mode = PaddingMode::reflect, .groups = channels},
            Numbers::exact, random);
        for (std::int64_t o = 1; o < channels; ++o) {
          std::copy_n(c.kernel.weights.begin(), 15, c.kernel.weights.begin() + 15 * o);
          c.kernel.bias[static_cast<std::size_t>(o)] = c.kernel.bias[0];
        }
        c.input_layout = c.output_layout = Layout::interleaved;
        tester.check(c);
      }
}

TEST_CASE("colour pictures in every pair of layouts and types") {
  constexpr std::uint64_t kSeed = 3;
  ConvTester tester("layouts", kSeed);
  Random random(kSeed);
  for (const DType input : kTypes)
    for (const DType output : kTypes)
      for (const Layout input_layout : kLayouts)
        for (const Layout output_layout : kLayouts)
          for (const std::int64_t channels : {2, 3, 4}) {
            ConvCase c = make_case(
                input, {2, channels, 6, random.between(5, 40)}, {channels, 1, 3, 3},
                Params{.padding = pads(1, 1, 1, 1), .padding_mode = PaddingMode::symmetric, .groups = channels},
                random.chance(2) ? Numbers::exact : Numbers::rough, random);
            c.input_layout = input_layout;
            c.output_layout = output_layout;
            c.output_dtype = output;
            tester.check(c);
          }
}

TEST_CASE("batches, channels and groups") {
  constexpr std::uint64_t kSeed = 4;
  ConvTester tester("groups", kSeed);
  Random random(kSeed);
  for (const std::int64_t n : {1, 2, 3})
    for (const std::int64_t groups : {1, 2, 3, 5})
      for (const std::int64_t inputs : {1, 2, 3, 8})       // per group
        for (const std::int64_t outputs : {1, 2, 3, 9}) {  // per group
          ConvCase c = make_case(
              random.pick(kTypes), {n, groups * inputs, random.between(3, 6), random.between(3, 20)},
              {groups * outputs, inputs, random.between(1, 3), random.between(1, 3)},
              Params{.stride = {random.between(1, 2), random.between(1, 2)}, .padding = kSame, .groups = groups},
              random.chance(2) ? Numbers::exact : Numbers::rough, random);
          c.input_layout = random.pick(kLayouts);
          c.output_layout = random.pick(kLayouts);
          tester.check(c);
        }
}

TEST_CASE("every combine over its kernels") {
  constexpr std::uint64_t kSeed = 5;
  ConvTester tester("combines", kSeed);
  Random random(kSeed);
  for (const Combine combine :
       {Combine::magnitude, Combine::l1, Combine::max, Combine::min, Combine::sum, Combine::mean})
    for (const Activation activation : {Activation::none, Activation::relu, Activation::abs})
      for (const std::int64_t count : {1, 2, 3, 5})
        for (const Numbers numbers : {Numbers::exact, Numbers::rough}) {
          const std::int64_t channels = random.between(1, 3);
          ConvCase c = make_case(
              random.pick(kTypes), {2, channels, 5, random.between(3, 30)}, {channels * count, 1, 3, 2},
              Params{.padding = kSame, .padding_mode = PaddingMode::circular, .groups = channels}, numbers, random);
          c.epilogue = {.activation = activation, .combine = combine, .combine_count = count};
          c.output_dtype = random.pick(kTypes);
          c.output_layout = random.pick(kLayouts);
          tester.check(c);
          // Without bias and map, floats may be stored as they are summed; but not under every combine.
          std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
          c.map = {};
          c.output_dtype = DType::f32;
          tester.check(c);
        }
}

TEST_CASE("a magnitude of one kernel is an absolute value") {
  constexpr std::uint64_t kSeed = 7;
  ConvTester tester("magnitudes of one", kSeed);
  Random random(kSeed);
  for (const DType dtype : {DType::u8, DType::u16})
    for (const Layout layout : kLayouts)
      for (const std::int64_t channels : {1, 3, 8})
        for (const std::int64_t width : {16, 21}) {
          ConvCase c = make_case(dtype, {1, channels, 6, width}, {channels, 1, 3, 3},
                                 Params{.padding = kSame, .groups = channels}, Numbers::exact, random);
          std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
          c.epilogue = {.combine = Combine::magnitude, .combine_count = 1};
          c.output_layout = layout;
          tester.check(c);
        }
}

TEST_CASE("any number of threads gives the same bytes and statistics") {
  // At least 1e6 multiply-adds each, so that no plan falls back to one thread (kSingleThreadedNs in conv/plan.cpp).
  constexpr std::uint64_t kSeed = 6;
  ConvTester tester("threads", kSeed);
  Random random(kSeed);
  struct Row {
    Shape input;
    KernelShape kernel;
    std::int64_t groups;
  };
  const Row rows[] = {{{1, 1, 150, 160}, {1, 1, 7, 7}, 1},  // one plane
                      {{1, 3, 120, 131}, {3, 1, 5, 5}, 3},  // a colour picture
                      {{1, 8, 36, 36}, {16, 8, 3, 3}, 1},   // a layer
                      {{7, 2, 41, 40}, {6, 2, 5, 3}, 1},    // a batch; bands cross its items
                      {{1, 4, 2, 3000}, {8, 4, 2, 9}, 1}};  // as few rows as threads
  std::int64_t cases = 0;
  for (const Row& row : rows)
    for (const DType input : kTypes)
      for (const DType output : kTypes) {
        ConvCase c = make_case(input, row.input, row.kernel,
                               Params{.padding = kSame, .padding_mode = PaddingMode::symmetric, .groups = row.groups},
                               Numbers::rough, random);
        REQUIRE(mac_count(c.problem) >= 1e6);
        c.input_layout = random.pick(kLayouts);
        c.output_layout = random.pick(kLayouts);
        c.output_dtype = output;
        c.map = {.absolute = random.chance(2), .shift = 0, .scale = is_integer(input) ? 0.25 : 300.0, .offset = 20};
        tester.check(c);
        ++cases;
      }
  CHECK(tester.threaded_cases() == cases);
}

}  // namespace
}  // namespace convtool
