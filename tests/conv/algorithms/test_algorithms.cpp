// Compares algorithms with `reference`: all small sizes, sizes around vector lengths, layouts, groups, combines and
// threads.
//
// The least numbers of cases that an algorithm must accept follow from these conditions, with random weights:
// - `direct`, `rows` and `packed` accept all cases with max|x| * sum|w| < 2^24. Here f32 and u8 pictures always meet
//   this, and u16 pictures mostly do.
// - `depthwise` needs one input and one output channel per group.
// - `integer` needs u8, integer weights (Numbers::exact), and stride and dilation 1.
// - `fft` needs stride 1, and more than a few taps if sums are not integers.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "support/conv_cases.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {
namespace {

/// One axis of a problem.
struct Axis {
  std::int64_t in, k, stride, dilation, begin, end;
};

bool is_valid(const Axis& axis, PaddingMode mode) {
  if (axis.dilation * (axis.k - 1) + 1 > axis.in + axis.begin + axis.end) return false;
  return mode != PaddingMode::reflect || (axis.begin < axis.in && axis.end < axis.in);
}

/// Every valid axis with 1..7 pixels, 1..4 taps, strides and dilations 1..4, and pads from 0 to more than the picture.
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

/// Calls use(height, width) for pairs in which every axis occurs once as a height and once as a width. The two axes are
/// independent of each other, so such pairs test as much as all combinations. Widths are the shuffled list of heights.
template <class Use>
void for_each_pair(const std::vector<Axis>& heights, Random& random, const Use& use) {
  std::vector<Axis> widths = heights;
  for (std::size_t i = widths.size(); i > 1; --i)
    std::swap(widths[i - 1], widths[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(i) - 1))]);
  for (std::size_t i = 0; i < heights.size(); ++i) use(heights[i], widths[i]);
}

Params params_of(const Axis& h, const Axis& w, PaddingMode mode) {
  return {.stride = {h.stride, w.stride},
          .dilation = {h.dilation, w.dilation},
          .padding = pads(h.begin, w.begin, h.end, w.end),
          .padding_mode = mode,
          .padding_value = 3};
}

TEST_CASE("all small sizes") {
  // 31724 cases. 16 taps of at most 16 keep u16 sums below 2^24. 1 height in 4 and 1 width in 4 has stride 1.
  constexpr std::uint64_t kSeed = 1;
  ConvTester tester("all small sizes", kSeed,
                    {{"direct", 31000}, {"rows", 31000}, {"packed", 31000}, {"depthwise", 31000}, {"fft", 1000}},
                    Sets::in_turn);
  Random random(kSeed);
  std::int64_t turn = 0;
  for (const PaddingMode mode : kModes)
    for_each_pair(all_axes(mode), random, [&](const Axis& h, const Axis& w) {
      ConvCase c = make_case(
          {kTypes[turn % 3], {1, 1, h.in, w.in}, {1, 1, h.k, w.k}, params_of(h, w, mode), Numbers::exact}, random);
      c.input_layout = kLayouts[turn % 5];
      c.output_layout = kLayouts[turn / 5 % 5];
      tester.check(c);
      ++turn;
    });
  CHECK(turn > 31000);
}

TEST_CASE("all small sizes with integer weights at stride and dilation 1") {
  // Cases that box, integer and separable accept. Weights are all equal, the product of a column and a row, or random;
  // pictures are u8 or u16. Each pair of axes occurs in all six ways. A third of the cases has equal weights, half has
  // u8. Two thirds have the first two kinds of weights; 9 in 16 of these have more than one row and one column.
  constexpr std::uint64_t kSeed = 10;
  ConvTester tester("small whole weights", kSeed, {{"box", 3900}, {"integer", 5900}, {"separable", 4400}},
                    Sets::in_turn);
  Random random(kSeed);
  for (const PaddingMode mode : kModes) {
    std::vector<Axis> axes = all_axes(mode);
    std::erase_if(axes, [](const Axis& axis) { return axis.stride > 1 || axis.dilation > 1; });
    for (const DType dtype : {DType::u8, DType::u16})
      for (const int kind : {0, 1, 2})
        for_each_pair(axes, random, [&](const Axis& h, const Axis& w) {
          ConvCase c =
              make_case({dtype, {1, 1, h.in, w.in}, {1, 1, h.k, w.k}, params_of(h, w, mode), Numbers::exact}, random);
          std::int64_t column[4], row[4];
          for (std::int64_t i = 0; i < 4; ++i) {
            column[i] = kind == 0 ? 1 : random.between(-4, 4);
            row[i] = kind == 0 ? 5 : random.between(-4, 4);
          }
          for (std::size_t i = 0; kind < 2 && i < c.kernel.weights.size(); ++i)
            c.kernel.weights[i] =
                static_cast<float>(column[i / static_cast<std::size_t>(w.k)] * row[i % static_cast<std::size_t>(w.k)]);
          c.input_layout = random.pick(kLayouts);
          c.output_layout = random.pick(kLayouts);
          c.output_dtype = random.pick(kTypes);
          tester.check(c);
        });
  }
}

TEST_CASE("widths around every vector length") {
  constexpr std::uint64_t kSeed = 2;
  // 70 widths, 3 types, 5 kernels, 3 strides: 3150 cases. A third has stride 1, a sixth has u8 and integer weights.
  ConvTester tester(
      "widths", kSeed,
      {{"direct", 3150}, {"rows", 3100}, {"packed", 3100}, {"depthwise", 3100}, {"integer", 150}, {"fft", 300}});
  Random random(kSeed);
  for (std::int64_t width = 1; width <= 70; ++width)
    for (const DType dtype : kTypes)
      for (const std::int64_t k : {1, 2, 3, 5, 7})
        for (const std::int64_t stride : {1, 2, 3}) {
          const KernelShape kernel{1, 1, random.between(1, 3), k};
          const Params params{.stride = {1, stride}, .padding = kSame, .padding_mode = PaddingMode::replicate};
          ConvCase c = make_case(
              {dtype, {1, 1, 3, width}, kernel, params, random.chance(2) ? Numbers::exact : Numbers::rough}, random);
          c.output_dtype = random.pick(kTypes);
          c.input_layout = random.pick(kLayouts);
          c.output_layout = random.pick(kLayouts);
          tester.check(c);
        }
}

TEST_CASE("dilated rows, from less than a block of rows to several blocks") {
  constexpr std::uint64_t kSeed = 8;
  // 26 heights, 3 dilations, 4 strides: 312 cases.
  ConvTester tester("dilated rows", kSeed, {{"direct", 312}, {"rows", 310}, {"packed", 310}, {"depthwise", 310}});
  Random random(kSeed);
  for (std::int64_t height = 1; height <= 26; ++height)
    for (const std::int64_t dilation : {2, 3, 5})
      for (const std::int64_t stride : {1, 1, 1, 2}) {
        ConvCase c = make_case({random.pick(kTypes),
                                {2, 1, height, random.between(1, 70)},
                                {1, 1, random.between(2, 3), random.between(1, 3)},
                                Params{.stride = {stride, 1},
                                       .dilation = {dilation, random.between(1, 2)},
                                       .padding = kSame,
                                       .padding_mode = height > 5 ? random.pick(kModes) : PaddingMode::circular},
                                random.chance(2) ? Numbers::exact : Numbers::rough},
                               random);
        if (random.chance(2)) c.kernel.bias[0] = 0;
        c.input_layout = random.pick(kLayouts);
        c.output_layout = random.pick(kLayouts);
        tester.check(c);
      }
}

TEST_CASE("the largest dilation of a kernel of one row") {
  Random random(9);
  ConvTester tester("large dilation", 9, {{"direct", 3}, {"rows", 3}, {"packed", 3}, {"depthwise", 3}});
  for (const DType dtype : kTypes)
    tester.check(make_case(
        {dtype, {1, 1, 9, 33}, {1, 1, 1, 3}, Params{.dilation = {std::int64_t{1} << 30, 1}}, Numbers::exact}, random));
}

TEST_CASE("rows wider than a slice") {
  // 3 types, 2 strides, 2 numbers of channels: 12 cases. 1 in 6 is for `integer`, half have stride 1.
  constexpr std::uint64_t kSeed = 7;
  ConvTester tester("wide rows", kSeed,
                    {{"direct", 12}, {"rows", 12}, {"packed", 12}, {"depthwise", 12}, {"integer", 2}, {"fft", 6}},
                    Sets::in_turn);
  Random random(kSeed);
  for (const DType dtype : kTypes)
    for (const std::int64_t stride : {1, 2})
      for (const std::int64_t channels : {1, 3}) {  // read as a flat view, since channels share weights
        ConvCase c = make_case(
            {dtype,
             {1, channels, 5, 16390 / channels * stride + random.between(0, 40)},
             {channels, 1, 3, 5},
             Params{.stride = {1, stride}, .padding = kSame, .padding_mode = PaddingMode::reflect, .groups = channels},
             Numbers::exact},
            random);
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
  // 9 pairs of types, 25 of layouts, 3 numbers of channels: 675 cases. A third has equal weights: all of these are
  // separable, and the two thirds that are integer pictures are for `box`. A sixth has u8 and integer weights, for
  // `integer`, give or take three standard deviations of 7.5. A third has u8 or u16 and integer weights, so that sums
  // are integers; `fft` accepts at least these.
  ConvTester tester("layouts", kSeed,
                    {{"direct", 675},
                     {"rows", 650},
                     {"packed", 650},
                     {"depthwise", 650},
                     {"integer", 90},
                     {"box", 120},
                     {"separable", 190},
                     {"fft", 200}},
                    Sets::in_turn);
  Random random(kSeed);
  for (const DType input : kTypes)
    for (const DType output : kTypes)
      for (const Layout input_layout : kLayouts)
        for (const Layout output_layout : kLayouts)
          for (const std::int64_t channels : {2, 3, 4}) {
            ConvCase c = make_case(
                {input,
                 {2, channels, 6, random.between(5, 40)},
                 {channels, 1, 3, 3},
                 Params{.padding = pads(1, 1, 1, 1), .padding_mode = PaddingMode::symmetric, .groups = channels},
                 random.chance(2) ? Numbers::exact : Numbers::rough},
                random);
            if (random.chance(3)) std::fill(c.kernel.weights.begin(), c.kernel.weights.end(), c.kernel.weights[0]);
            c.input_layout = input_layout;
            c.output_layout = output_layout;
            c.output_dtype = output;
            tester.check(c);
          }
}

TEST_CASE("batches, channels and groups") {
  constexpr std::uint64_t kSeed = 4;
  // 3 batches, 4 groups, 4 numbers of inputs, 4 of outputs: 192 cases. 12 have one input and one output per group.
  ConvTester tester("groups", kSeed, {{"direct", 192}, {"rows", 180}, {"packed", 180}, {"depthwise", 10}, {"fft", 20}});
  Random random(kSeed);
  for (const std::int64_t n : {1, 2, 3})
    for (const std::int64_t groups : {1, 2, 3, 5})
      for (const std::int64_t inputs : {1, 2, 3, 8})       // per group
        for (const std::int64_t outputs : {1, 2, 3, 9}) {  // per group
          ConvCase c = make_case(
              {random.pick(kTypes),
               {n, groups * inputs, random.between(3, 6), random.between(3, 20)},
               {groups * outputs, inputs, random.between(1, 3), random.between(1, 3)},
               Params{.stride = {random.between(1, 2), random.between(1, 2)}, .padding = kSame, .groups = groups},
               random.chance(2) ? Numbers::exact : Numbers::rough},
              random);
          c.input_layout = random.pick(kLayouts);
          c.output_layout = random.pick(kLayouts);
          tester.check(c);
        }
}

TEST_CASE("every combine of 1 to 5 kernels per channel") {
  constexpr std::uint64_t kSeed = 5;
  // 6 combines, 3 activations, 4 numbers of kernels, 2 kinds of numbers, with and without bias: 288 cases. A sixth is
  // for `integer`. A quarter, which has one kernel, is for `depthwise`.
  ConvTester tester(
      "combines", kSeed,
      {{"direct", 288}, {"rows", 280}, {"packed", 280}, {"depthwise", 70}, {"integer", 30}, {"fft", 100}});
  Random random(kSeed);
  for (const Combine combine :
       {Combine::magnitude, Combine::l1, Combine::max, Combine::min, Combine::sum, Combine::mean})
    for (const Activation activation : {Activation::none, Activation::relu, Activation::abs})
      for (const std::int64_t count : {1, 2, 3, 5})
        for (const Numbers numbers : {Numbers::exact, Numbers::rough}) {
          const std::int64_t channels = random.between(1, 3);
          ConvCase c = make_case({random.pick(kTypes),
                                  {2, channels, 5, random.between(3, 30)},
                                  {channels * count, 1, 3, 2},
                                  Params{.padding = kSame, .padding_mode = PaddingMode::circular, .groups = channels},
                                  numbers},
                                 random);
          c.epilogue = {.activation = activation, .combine = combine, .combine_count = count};
          c.output_dtype = random.pick(kTypes);
          c.output_layout = random.pick(kLayouts);
          tester.check(c);
          // Without bias and map, float sums may be written directly to the output, but not with every combine.
          std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
          c.map = {};
          c.output_dtype = DType::f32;
          tester.check(c);
        }
}

TEST_CASE("the magnitude of one kernel is its absolute value") {
  // 2 types, 5 layouts, 3 numbers of channels, 2 widths: 60 cases, half of them u8.
  constexpr std::uint64_t kSeed = 7;
  ConvTester tester("magnitudes of one", kSeed,
                    {{"direct", 60}, {"rows", 60}, {"packed", 60}, {"depthwise", 60}, {"integer", 30}});
  Random random(kSeed);
  for (const DType dtype : {DType::u8, DType::u16})
    for (const Layout layout : kLayouts)
      for (const std::int64_t channels : {1, 3, 8})
        for (const std::int64_t width : {16, 21}) {
          ConvCase c = make_case({dtype,
                                  {1, channels, 6, width},
                                  {channels, 1, 3, 3},
                                  Params{.padding = kSame, .groups = channels},
                                  Numbers::exact},
                                 random);
          std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
          c.epilogue = {.combine = Combine::magnitude, .combine_count = 1};
          c.output_layout = layout;
          tester.check(c);
        }
}

/// Kinds of weights that algorithms require, named as in the table in src/conv/README.md.
enum class Weights { any, whole, equal, rank_1 };

void set_weights(ConvCase& c, Weights kind, Random& random) {
  const std::int64_t taps = c.kernel.shape.kh * c.kernel.shape.kw;
  for (std::size_t first = 0; first < c.kernel.weights.size(); first += static_cast<std::size_t>(taps)) {
    std::vector<float> column, row;
    for (std::int64_t u = 0; u < c.kernel.shape.kh; ++u) column.push_back(1 + random.rough() / 4);
    for (std::int64_t v = 0; v < c.kernel.shape.kw; ++v) row.push_back(1 + random.rough() / 4);
    for (std::size_t i = 0; i < static_cast<std::size_t>(taps); ++i) {
      float& weight = c.kernel.weights[first + i];
      if (kind == Weights::whole) weight = static_cast<float>(random.between(-9, 9));
      if (kind == Weights::equal) weight = i == 0 ? random.rough() : c.kernel.weights[first];
      if (kind == Weights::rank_1) weight = column[i / row.size()] * row[i % row.size()];
    }
  }
}

TEST_CASE("any number of threads gives the same bytes and statistics") {
  // The listed algorithms need more than 0.02 ms (kSingleThreadedNs in conv/plan.cpp) for each problem, so no plan
  // falls back to one thread: `integer` and `box` have 200000 outputs, the others a million multiply-adds. Each problem
  // has a case for every pair of input and output types, 9 in all, or fewer if an algorithm refuses input types.
  struct Row {
    std::vector<Tested> tested;
    Weights weights;
    std::vector<DType> inputs;
    Shape input;
    KernelShape kernel;
    std::int64_t groups = 1;
  };
  const std::vector<DType> all(std::begin(kTypes), std::end(kTypes)), whole{DType::u8, DType::u16};
  const Row rows[] = {
      {{{"direct", 9}, {"rows", 9}, {"fft", 9}}, Weights::any, all, {1, 1, 250, 260}, {1, 1, 7, 7}},  // one plane
      {{{"direct", 9}, {"rows", 9}, {"depthwise", 9}}, Weights::any, all, {1, 3, 180, 191}, {3, 1, 5, 5}, 3},
      {{{"direct", 9}, {"packed", 9}}, Weights::any, all, {1, 8, 72, 72}, {32, 8, 3, 3}},  // a layer
      // A batch in which the rows of a thread begin inside items.
      {{{"direct", 9}, {"rows", 9}, {"packed", 9}}, Weights::any, all, {7, 2, 41, 40}, {6, 2, 5, 3}},
      // No more rows than threads.
      {{{"direct", 9}, {"packed", 9}}, Weights::any, all, {1, 4, 2, 3000}, {8, 4, 2, 9}},
      {{{"depthwise", 9}}, Weights::any, all, {1, 40, 80, 80}, {40, 1, 3, 3}, 40},
      {{{"integer", 3}}, Weights::whole, {DType::u8}, {1, 1, 470, 480}, {1, 1, 3, 4}},
      {{{"integer", 3}}, Weights::whole, {DType::u8}, {2, 3, 200, 201}, {3, 1, 4, 3}, 3},
      {{{"box", 6}}, Weights::equal, whole, {1, 1, 470, 480}, {1, 1, 5, 3}},
      {{{"box", 6}}, Weights::equal, whole, {2, 3, 200, 201}, {3, 1, 3, 4}, 3},
      {{{"separable", 9}}, Weights::rank_1, all, {1, 1, 470, 480}, {1, 1, 5, 5}},
      {{{"separable", 9}}, Weights::equal, all, {1, 3, 200, 301}, {3, 1, 9, 4}, 3}};
  constexpr PaddingMode kRepeating[] = {PaddingMode::constant, PaddingMode::symmetric};
  std::uint64_t seed = 600;
  for (const Row& row : rows) {
    ConvTester tester("threads", ++seed, row.tested, Sets::in_turn);
    Random random(seed);
    std::int64_t cases = 0;
    for (const DType input : row.inputs)
      for (const DType output : kTypes) {
        const Params params{
            .padding = kSame, .padding_mode = random.pick(kRepeating), .padding_value = 77, .groups = row.groups};
        ConvCase c = make_case({input, row.input, row.kernel, params, Numbers::rough}, random);
        if (row.weights != Weights::any) set_weights(c, row.weights, random);
        c.input_layout = random.pick(kLayouts);
        c.output_layout = random.pick(kLayouts);
        c.output_dtype = output;
        c.map = {.absolute = random.chance(2), .shift = 0, .scale = is_integer(input) ? 0.25 : 300.0, .offset = 20};
        tester.check(c);
        ++cases;
      }
    for (const Tested& tested : row.tested) {
      CAPTURE(std::string(tested.algorithm));
      CHECK(tester.threaded_cases(tested.algorithm) == cases);
    }
  }
}

}  // namespace
}  // namespace convtool
