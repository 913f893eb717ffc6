// Layers that scale each channel, folded into the layer after them, against the definition of both in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "network/folding/folding.h"
#include "network/folding/scaling_folding.h"
#include "network/input_scaling.h"
#include "network/layers.h"
#include "support/instruction_sets.h"

namespace convtool {
namespace {

/// The scaled pixel of channel c, and 0 in the padding by zeros.
double scaled_pixel(const InputScaling& scaling, const ConstTensorRef& x, const ConvProblem& problem, std::int64_t c,
                    std::int64_t h, std::int64_t w) {
  const std::int64_t y = pad_index(problem.padding_mode, h, x.shape.h),
                     z = pad_index(problem.padding_mode, w, x.shape.w);
  if (y == kOutside || z == kOutside) return 0;
  const std::int64_t from = scaling.order == ChannelOrder::bgr && c < 3 ? 2 - c : c;
  const auto of = [&](const std::vector<double>& list, double otherwise) {
    return list.empty() ? otherwise : list[list.size() == 1 ? 0 : static_cast<std::size_t>(from)];
  };
  double pixel = 0;
  visit_dtype(x.dtype, [&]<class T>(T) { pixel = static_cast<double>(x.view<T>().at(0, from, y, z)); });
  return (pixel * scaling.scale - of(scaling.mean, 0)) / of(scaling.deviation, 1);
}

/// A response of `layer` to the scaled picture.
double response(const InputScaling& scaling, const ConstTensorRef& x, const Layer& layer, const ConvProblem& problem,
                std::int64_t o, std::int64_t y, std::int64_t z) {
  const KernelShape& k = problem.kernel;
  const std::int64_t group = o / (k.c_o / problem.groups);
  double sum = 0;
  for (std::int64_t c = 0; c < k.c_i_per_group; ++c)
    for (std::int64_t u = 0; u < k.kh; ++u)
      for (std::int64_t v = 0; v < k.kw; ++v) {
        const std::int64_t kernel = layer.rank == 2 ? 0 : o;
        const auto at = static_cast<std::size_t>(((kernel * k.c_i_per_group + c) * k.kh + u) * k.kw + v);
        sum += static_cast<double>(layer.weights[at]) *
               scaled_pixel(scaling, x, problem, group * k.c_i_per_group + c,
                            y * problem.stride.h - problem.pads.top + u * problem.dilation.h,
                            z * problem.stride.w - problem.pads.left + v * problem.dilation.w);
      }
  const double divisor = layer.divisor.empty() ? 1 : layer.divisor.front();
  const double bias = layer.bias.empty()
                          ? 0
                          : static_cast<double>(layer.bias[layer.bias.size() == 1 ? 0 : static_cast<std::size_t>(o)]);
  return sum / divisor + bias;
}

InputScaling random_scaling(std::int64_t channels, Random& random) {
  const auto numbers = [&](double least, double most) {
    std::vector<double> list;
    const std::int64_t count = random.pick(std::vector<std::int64_t>{0, 1, channels});
    for (std::int64_t i = 0; i < count; ++i)
      list.push_back(least + (most - least) * static_cast<double>(random.between(0, 1000)) / 1000);
    return list;
  };
  InputScaling scaling{.scale = random.pick(std::vector<double>{1, 1.0 / 255, 0.5}),
                       .mean = numbers(-1, 1),
                       .deviation = numbers(0.2, 3)};
  if (channels >= 3 && random.chance(3)) scaling.order = ChannelOrder::bgr;
  return scaling;
}

Layer random_layer(std::int64_t channels, Random& random) {
  const std::int64_t kh = random.between(1, 4), kw = random.between(1, 4), groups = random.chance(3) ? channels : 1;
  const int rank = static_cast<int>(random.between(2, 4));
  const std::int64_t c_o = rank == 4 ? groups * random.between(1, 3) : 1;
  const std::int64_t c_i = rank == 2 ? 1 : rank == 3 ? channels : channels / groups;
  ConvParams params;
  params.groups = rank == 4 ? groups : 1;
  params.stride = {random.between(1, 2), random.between(1, 2)};
  params.dilation = {random.between(1, 2), 1};
  params.padding.pads = {random.between(0, 2), random.between(0, 2), random.between(0, 2), random.between(0, 2)};
  params.padding_mode = random.pick(std::vector<PaddingMode>{PaddingMode::zeros, PaddingMode::reflect,
                                                             PaddingMode::replicate, PaddingMode::circular});
  const KernelShape shape{c_o, c_i, kh, kw};
  Layer layer = make_layer(rank, shape, floats(shape.count(), [&] { return random.rough(); }), params);
  if (random.chance(2))
    layer.bias = floats(random.chance(2) ? 1 : rank == 2 ? channels : c_o, [&] { return random.rough(); });
  if (random.chance(2)) layer.divisor = {static_cast<double>(random.between(2, 9))};
  return layer;
}

/// The bank of a scaling, for a first layer of `channels`.
Bank scaling_bank(const InputScaling& scaling, std::int64_t channels) {
  Network network = network_of(
      {bank_of({make_layer(3, {1, channels, 1, 1}, std::vector<float>(static_cast<std::size_t>(channels), 1))})});
  network.input = scaling;
  return with_scaling_as_layer(network).banks.front();
}

}  // namespace

TEST_CASE("a scaling folded into a layer gives the responses of both, at borders too") {
  Random random(7);
  int folded = 0, refused = 0;
  for (int repeat = 0; repeat < 300; ++repeat) {
    CAPTURE(repeat);
    const std::int64_t channels = random.between(1, 4);
    const InputScaling scaling = random_scaling(channels, random);
    const Layer layer = random_layer(channels, random);
    const DType dtype = random.pick(std::vector<DType>{DType::u8, DType::u16, DType::f32});
    const Tensor x = random_picture(dtype, {1, channels, 9, random.between(9, 20)}, random);
    const Bank first = scaling_bank(scaling, channels), second = bank_of({layer});
    const ConvProblem problem = bank_geometry(second, DType::f32, x.shape()).problems.front();
    const std::optional<Bank> bank = fold_scaling(first, second, dtype, x.shape());

    const bool has_mean = std::any_of(scaling.mean.begin(), scaling.mean.end(), [](double mean) { return mean != 0; });
    const bool holds = problem.pads == Pads{} || problem.padding_mode != PaddingMode::zeros || !has_mean;
    const bool mixes = scaling.order == ChannelOrder::rgb || (layer.rank != 2 && layer.params.groups == 1);
    REQUIRE(bank.has_value() == (holds && mixes));
    if (!bank) {
      ++refused;
      continue;
    }
    ++folded;
    const BankPlan plan(*bank, dtype, x.shape(), false, {.direct_error = true});
    Tensor y(DType::f32, plan.output_shape());
    plan.run(x.ref(), y.ref(), {});
    const Layer& one = bank->layers.front();
    double weights = 0, bias = 0;
    for (const float weight : one.weights) weights += std::fabs(static_cast<double>(weight));
    for (const float value : one.bias) bias = std::max(bias, std::fabs(static_cast<double>(value)));
    double least = std::fabs(one.divisor.front());
    for (const double divisor : one.divisor) least = std::min(least, std::fabs(divisor));
    const double largest = dtype == DType::u16 ? 65535 : 255;
    // That of the engine, and of the weights and the bias, which are rounded to float when they are folded.
    const double bound =
        plan.plans().front().error_bound(x.ref()) + 1.01 * 0x1p-24 * (weights / least * largest + bias);
    const auto got = y.ref().view<float>();
    for (std::int64_t o = 0; o < y.shape().c; ++o)
      for (std::int64_t h = 0; h < y.shape().h; ++h)
        for (std::int64_t w = 0; w < y.shape().w; ++w)
          REQUIRE(std::fabs(static_cast<double>(got.at(0, o, h, w)) -
                            response(scaling, x.ref(), layer, problem, o, h, w)) <= bound);
  }
  CHECK(folded > 100);
  CHECK(refused > 50);
}

TEST_CASE("one scale for all channels of a sum becomes a part of the divisor, and weights stay whole") {
  const Shape picture{1, 3, 240, 320};
  const Bank scale = scaling_bank({.scale = 0.5, .mean = {1}}, 3);
  const std::optional<Bank> plain = fold_scaling(scale, bank_of({plane(1, 2, {3, -1})}), DType::u8, picture);
  REQUIRE(plain);
  CHECK(plain->layers[0].rank == 2);
  CHECK(plain->layers[0].weights == std::vector<float>{3, -1});
  CHECK(plain->layers[0].divisor == std::vector<double>{2});
  CHECK(plain->layers[0].bias == std::vector<float>{-2});  // -1 for each of the weights
  // A kernel for each channel: its sums have the divisor of that channel.
  const std::optional<Bank> apart =
      fold_scaling(scaling_bank({.deviation = {1, 2, 4}}, 3), bank_of({plane(1, 2, {3, -1})}), DType::u8, picture);
  REQUIRE(apart);
  CHECK(apart->layers[0].rank == 4);
  CHECK(apart->layers[0].params.groups == 3);
  CHECK(apart->layers[0].weights == std::vector<float>{3, -1, 3, -1, 3, -1});
  CHECK(apart->layers[0].divisor == std::vector<double>{1, 2, 4});
  // Other scales divide the weights of a sum over all channels.
  const std::optional<Bank> mixed = fold_scaling(scaling_bank({.deviation = {1, 2, 4}, .order = ChannelOrder::bgr}, 3),
                                                 bank_of({make_layer(3, {1, 3, 1, 1}, {8, 8, 8})}), DType::u8, picture);
  REQUIRE(mixed);
  CHECK(mixed->layers[0].weights == std::vector<float>{8, 4, 2});
}

TEST_CASE("banks are folded kernel by kernel; pools and padding by another constant are not") {
  const Shape picture{1, 1, 240, 320};
  const Bank scale = scaling_bank({.scale = 0.5}, 1), shift = scaling_bank({.mean = {1}}, 1);
  const Params same{.padding = kSame};
  const std::optional<Bank> both =
      fold_scaling(scale,
                   bank_of({plane(3, 3, std::vector<float>(9, 1), same), plane(3, 3, std::vector<float>(9, 2), same)},
                           Combine::magnitude),
                   DType::u8, picture);
  REQUIRE(both);
  CHECK(both->combine == Combine::magnitude);
  for (const Layer& layer : both->layers) CHECK(layer.divisor == std::vector<double>{2});
  Layer pool = plane(2, 2, {1, 1, 1, 1});
  pool.pooling = Pooling::mean;
  CHECK(!fold_scaling(scale, bank_of({pool}), DType::u8, picture));
  Layer padded = plane(3, 3, std::vector<float>(9, 1), same);
  CHECK(!fold_scaling(shift, bank_of({padded}), DType::u8, picture));
  padded.params.padding_mode = PaddingMode::constant;
  padded.params.padding_value = 7;
  CHECK(!fold_scaling(scale, bank_of({padded}), DType::u8, picture));
  CHECK(!fold_scaling(bank_of({padded}), scale, DType::u8, picture));
}

TEST_CASE("a layer that orders channels is folded; one that repeats or drops channels is not") {
  Random random(8);
  int folded = 0, refused = 0;
  for (int repeat = 0; repeat < 300; ++repeat) {
    CAPTURE(repeat);
    const std::int64_t c_i = random.between(1, 4), c_o = random.chance(2) ? c_i : random.between(1, 6);
    std::vector<std::int64_t> sources(static_cast<std::size_t>(c_o));
    for (std::int64_t& source : sources) source = random.between(0, c_i - 1);
    std::vector<std::int64_t> all(static_cast<std::size_t>(c_i));
    std::iota(all.begin(), all.end(), 0);
    const bool is_order = std::is_permutation(sources.begin(), sources.end(), all.begin(), all.end());
    std::vector<float> weights(static_cast<std::size_t>(c_o * c_i));
    for (std::size_t o = 0; o < sources.size(); ++o)
      weights[o * all.size() + static_cast<std::size_t>(sources[o])] = static_cast<float>(random.between(1, 3));
    const Bank first = bank_of({make_layer(4, {c_o, c_i, 1, 1}, std::move(weights))});
    const Bank second = random.chance(2) ? bank_of({plane(2, 3, random_weights(6, random))})
                                         : bank_of({make_layer(4, {2, c_o, 2, 3}, random_weights(12 * c_o, random))});
    const Tensor x = random_picture(DType::u8, {1, c_i, 6, 7}, random);
    const std::optional<Bank> bank = fold_scaling(first, second, DType::u8, x.shape());

    REQUIRE(bank.has_value() == (is_order && (sources == all || second.layers.front().rank == 4)));
    (bank ? folded : refused) += 1;
    // All numbers are whole and below 2^24.
    if (bank)
      REQUIRE(values_of(run_bank(*bank, x.ref()).ref()) ==
              values_of(run_bank(second, run_bank(first, x.ref()).ref()).ref()));
  }
  CHECK(folded > 50);
  CHECK(refused > 50);
}

TEST_CASE("the channels of a depth multiplier are not folded") {
  const Bank twice = bank_of({make_layer(4, {4, 1, 1, 1}, {1, 2, 3, 4}, {.groups = 2})});
  CHECK(!fold_scaling(twice, bank_of({plane(1, 2, {3, -1})}), DType::u8, {1, 2, 9, 9}));
  CHECK(!fold_scaling(twice, bank_of({make_layer(3, {1, 4, 1, 1}, {1, 2, 3, 4})}), DType::u8, {1, 2, 9, 9}));
}

TEST_CASE("a network folds its scaling where one layer is faster") {
  // Scaling alone costs more than this layer does. One with more products may gain more from
  // channels-last values, which the scaling can write.
  Network network = network_of({bank_of({make_layer(4, {1, 3, 1, 1}, {0.25F, 0.25F, 0.25F})})});
  network.input = InputScaling{.scale = 1.0 / 255, .mean = {0.485, 0.456, 0.406}, .deviation = {0.229, 0.224, 0.225}};
  on_each_set([&] {
    const auto folding = fold(with_scaling_as_layer(network), DType::u8, {1, 3, 240, 320}, false, {.threads = 1});
    REQUIRE(folding);
    CHECK(folding->counts == std::vector<std::size_t>{2});
  });
}

}  // namespace convtool
