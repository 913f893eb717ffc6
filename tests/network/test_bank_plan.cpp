// Banks applied to an input. Stacked outputs are ordered by kernel; combined outputs equal separate outputs that the
// test combines.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "network/layers.h"

namespace convtool {
namespace {

TEST_CASE("rank 2 filters every channel alone") {
  Random random(71);
  const Tensor x = random_picture(DType::u8, {2, 3, 6, 9}, random);
  const Layer layer = plane(2, 3, random_weights(6, random));
  const Tensor y = run_bank(bank_of({layer}), x.ref());
  CHECK(y.shape() == Shape{2, 3, 5, 7});
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t c = 0; c < 3; ++c) {
      ConstTensorRef channel = x.ref();
      channel.shape = {1, 1, 6, 9};
      channel.data = x.data<std::uint8_t>() + (n * 3 + c) * 54;
      const std::vector<double> alone = values_of(run_bank(bank_of({layer}), channel).ref());
      const float* got = y.data<float>() + (n * 3 + c) * 35;
      CHECK(std::equal(alone.begin(), alone.end(), got, [](double a, float b) { return a == static_cast<double>(b); }));
    }
}

TEST_CASE("rank 3 sums all channels into one; rank 4 is nn.Conv2d") {
  const Tensor x = tensor_of(DType::f32, {1, 3, 1, 2}, {1, 2, 10, 20, 100, 200});
  CHECK(values_of(run_bank(bank_of({make_layer(3, {1, 3, 1, 1}, {1, 2, 3})}), x.ref()).ref()) ==
        std::vector<double>{321, 642});
  const Layer rank4 = make_layer(4, {2, 3, 1, 1}, {1, 0, 0, 0, 1, -1}, {}, {0.5F, 1});
  CHECK(values_of(run_bank(bank_of({rank4}), x.ref()).ref()) == std::vector<double>{1.5, 2.5, -89, -179});
  const Layer depthwise = make_layer(4, {3, 1, 1, 1}, {1, 2, 3}, Params{.groups = 3});
  CHECK(values_of(run_bank(bank_of({depthwise}), x.ref()).ref()) == std::vector<double>{1, 2, 20, 40, 300, 600});
}

TEST_CASE("stacked outputs are ordered by kernel") {
  const Tensor x = tensor_of(DType::f32, {1, 3, 1, 1}, {1, 10, 100});
  const Bank bank = bank_of({plane(1, 1, {2}), plane(1, 1, {3}), make_layer(3, {1, 3, 1, 1}, {1, 1, 1})});
  const BankPlan plan(bank, DType::f32, x.shape(), false, {});
  CHECK(plan.output_shape() == Shape{1, 7, 1, 1});
  CHECK(plan.plans().size() == 3);
  CHECK(values_of(run_bank(bank, x.ref()).ref()) == std::vector<double>{2, 20, 200, 3, 30, 300, 111});
}

TEST_CASE("a stack writes the outputs of its separate kernels, in any layout, and its statistics cover all kernels") {
  Random random(72);
  const Tensor x = random_picture(DType::u8, {1, 2, 5, 8}, random);
  const Params same{.padding = kSame, .padding_mode = PaddingMode::replicate};
  const std::vector<Layer> layers = {plane(3, 3, random_weights(9, random), same),
                                     plane(1, 5, random_weights(5, random), same),
                                     make_layer(4, {3, 2, 2, 2}, random_weights(24, random), same, {1, 2, 3})};
  std::vector<Tensor> apart;
  for (const Layer& layer : layers) apart.push_back(run_bank(bank_of({layer}), x.ref()));

  const BankPlan plan(bank_of(layers), DType::u8, x.shape(), false, {});
  REQUIRE(plan.output_shape() == Shape{1, 7, 5, 8});
  std::vector<float> interleaved(7 * 5 * 8);
  const TensorRef output{interleaved.data() + 6, DType::f32, {1, 7, 5, 8}, {0, -1, 56, 7}};
  const ResponseStats stats = plan.run(x.ref(), output, {});
  const std::vector<double> expected = joined(apart);
  CHECK(values_of(output) == expected);

  const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
  CHECK(stats.min == *low);
  CHECK(stats.max == *high);
  const ResponseStats measured = plan.measure(x.ref(), output.strides);
  CHECK(measured.min == *low);
  CHECK(measured.max == *high);
}

TEST_CASE("clipped values are counted over all kernels of a stack") {
  const Tensor x = tensor_of(DType::u8, {1, 1, 1, 3}, {1, 2, 200});
  const BankPlan plan(bank_of({plane(1, 1, {2}), plane(1, 1, {-1}), plane(1, 1, {3})}), DType::u8, x.shape(), false,
                      {});
  Tensor y(DType::u8, plan.output_shape());
  const ResponseStats stats = plan.run(x.ref(), y.ref(), {});
  CHECK(values_of(y.ref()) == std::vector<double>{2, 4, 255, 0, 0, 0, 3, 6, 255});
  CHECK(stats.clipped_low == 3);
  CHECK(stats.clipped_high == 2);
}

double combined(Combine combine, const std::vector<double>& parts) {
  const auto fold = [&](double first, auto&& step) {
    return std::accumulate(parts.begin() + 1, parts.end(), first, step);
  };
  const double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  switch (combine) {
    case Combine::magnitude: return std::sqrt(fold(parts[0] * parts[0], [](double a, double b) { return a + b * b; }));
    case Combine::l1: return fold(std::fabs(parts[0]), [](double a, double b) { return a + std::fabs(b); });
    case Combine::max: return *std::max_element(parts.begin(), parts.end());
    case Combine::min: return *std::min_element(parts.begin(), parts.end());
    case Combine::mean: return sum / static_cast<double>(parts.size());
    case Combine::none:
    case Combine::sum: break;
  }
  return sum;
}

TEST_CASE("combining a bank equals combining the outputs of its separate kernels, channel by channel") {
  Random random(73);
  const Params same{.padding = kSame, .padding_mode = PaddingMode::symmetric};
  struct Form {
    int rank;
    KernelShape shape;
    std::int64_t groups;
  };
  // A kernel for each channel; a kernel that sums over channels; a layer; a layer with groups.
  const Form forms[] = {{2, {1, 1, 3, 2}, 1}, {3, {1, 4, 2, 3}, 1}, {4, {3, 4, 1, 3}, 1}, {4, {6, 2, 3, 1}, 2}};
  for (const Form& form : forms)
    for (const std::size_t count : {1U, 2U, 3U, 4U})
      for (const Activation activation : {Activation::none, Activation::relu, Activation::abs})
        for (const Combine combine :
             {Combine::magnitude, Combine::l1, Combine::max, Combine::min, Combine::sum, Combine::mean}) {
          const Tensor x = random_picture(DType::u8, {2, 4, 5, 7}, random);
          std::vector<Layer> layers;
          std::vector<std::vector<double>> apart;
          for (std::size_t i = 0; i < count; ++i) {
            Params params = same;
            params.groups = form.groups;
            layers.push_back(make_layer(form.rank, form.shape, random_weights(form.shape.count(), random), params,
                                        {static_cast<float>(random.between(-50, 50))}));
            layers.back().activation = activation;
            apart.push_back(values_of(run_bank(bank_of({layers.back()}), x.ref()).ref()));
          }
          const std::vector<double> got = values_of(run_bank(bank_of(layers, combine), x.ref()).ref());
          REQUIRE(got.size() == apart.front().size());
          std::size_t wrong = 0;
          for (std::size_t i = 0; i < got.size(); ++i) {
            std::vector<double> parts;
            for (const auto& values : apart) parts.push_back(values[i]);
            // Responses to integers are exact, so only the combination is rounded, and equally on both sides.
            wrong += got[i] != static_cast<double>(static_cast<float>(combined(combine, parts)));
          }
          CAPTURE(form.rank);
          CAPTURE(count);
          CAPTURE(std::string(kCombines[static_cast<int>(combine)]));
          CHECK(wrong == 0);
        }
}

TEST_CASE("flip applies to every kernel of a bank") {
  const Tensor x = counting({1, 1, 1, 3});
  const Bank bank = bank_of({plane(1, 3, {1, 10, 100}), plane(1, 3, {0, 0, 1})});
  CHECK(values_of(run_bank(bank, x.ref(), false).ref()) == std::vector<double>{210, 2});
  CHECK(values_of(run_bank(bank, x.ref(), true).ref()) == std::vector<double>{12, 0});
  const Bank sum = bank_of(bank.layers, Combine::sum);
  CHECK(values_of(run_bank(sum, x.ref(), true).ref()) == std::vector<double>{12});
}

TEST_CASE("with percentiles, signed responses beyond the limit keep its colour") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  // The 75th percentile of the six numbers is 2, and the 25th -2.
  const Tensor input = tensor_of(DType::f32, {1, 1, 1, 7}, {-10, 10, -2, 2, 1, 0, nan});
  const BankPlan plan(bank_of({plane(1, 1, {1})}), DType::f32, input.shape(), false, {});
  const auto colours = [&](SignedZero zero) {
    Mapping mapping = OutputMap::signs;
    mapping.percentiles = {25, 75};
    mapping.zero = zero;
    Tensor output(DType::u8, {1, 3, 1, 7});
    run_mapped(plan, input.ref(), DType::f32, output.ref(), mapping);
    std::vector<std::vector<int>> pixels(7);
    for (std::int64_t x = 0; x < 7; ++x)
      for (std::int64_t c = 0; c < 3; ++c)
        pixels[static_cast<std::size_t>(x)].push_back(std::as_const(output).ref().view<std::uint8_t>().at(0, c, 0, x));
    return pixels;
  };
  using Pixels = std::vector<std::vector<int>>;
  CHECK(
      colours(SignedZero::white) ==
      Pixels{{0, 128, 255}, {255, 128, 0}, {0, 128, 255}, {255, 128, 0}, {255, 191, 128}, {255, 255, 255}, {0, 0, 0}});
  CHECK(colours(SignedZero::black) ==
        Pixels{{0, 128, 255}, {255, 128, 0}, {0, 128, 255}, {255, 128, 0}, {128, 64, 0}, {0, 0, 0}, {0, 0, 0}});
}

TEST_CASE("banks that do not fit are refused") {
  const auto plan_error = [](const Bank& bank, const Shape& input) {
    return error_of([&] { const BankPlan plan(bank, DType::u8, input, false, {}); });
  };
  Layer three = plane(3, 3, std::vector<float>(9, 1.0F)), five = plane(5, 5, std::vector<float>(25, 1.0F));
  three.name = "three";
  five.name = "five";

  const Error sizes = plan_error(bank_of({three, five}), {1, 1, 9, 8});
  CHECK(sizes.kind() == ErrorKind::shape);
  for (const std::string_view words : {"'three' gives 7x6", "'five' gives 5x4", "give both padding \"same\""})
    CHECK(contains(sizes, words));

  const Error combined_sizes = plan_error(bank_of({three, five}, Combine::sum), {1, 1, 9, 8});
  CHECK(combined_sizes.kind() == ErrorKind::kernel);

  const Error channels = plan_error(bank_of({make_layer(3, {1, 3, 1, 1}, {1, 1, 1})}), {1, 4, 9, 8});
  CHECK(channels.kind() == ErrorKind::shape);
  CHECK(contains(channels, "expected 3 channels, got 4"));

  const Error large = plan_error(bank_of({five}), {1, 1, 4, 8});
  CHECK(large.kind() == ErrorKind::shape);
  CHECK(contains(large, "kernel 5x5, padded input 4x8"));

  const Error algorithm = error_of([&] {
    const BankPlan plan(bank_of({three}), DType::u8, {1, 1, 9, 8}, false, {.algorithm = "nonesuch"});
  });
  CHECK(algorithm.kind() == ErrorKind::usage);
}

}  // namespace
}  // namespace convtool
