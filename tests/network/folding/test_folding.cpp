// Neighbouring layers that run as one kernel.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "network/folding/folding.h"
#include "network/layers.h"

namespace convtool {
namespace {

constexpr Shape kPicture{1, 1, 240, 320};

std::optional<Folding> fold_on_picture(const std::vector<Layer>& layers, DType dtype = DType::u8,
                                       const PlanOptions& options = {.threads = 1}) {
  std::vector<Bank> banks;
  for (const Layer& layer : layers) banks.push_back(bank_of({layer}));
  return fold(network_of(std::move(banks)), dtype, kPicture, false, options);
}

Layer divided(Layer layer, double divisor) {
  layer.divisor = {divisor};
  return layer;
}

/// How much `layer` may enlarge the largest value: the sum of its absolute weights over the divisor, at least 1.
double gain_of(const Layer& layer) {
  double sum = 0;
  for (const float weight : layer.weights) sum += std::fabs(static_cast<double>(weight));
  return std::max(1.0, sum / std::fabs(layer.divisor.empty() ? 1 : layer.divisor[0]));
}

/// How far rounding may take the responses of `plan`, of `network`, from the exact ones, on values up to `largest`. The
/// error of each layer is enlarged by those after it.
double error_bound(const NetworkPlan& plan, const Network& network, double largest) {
  double bound = 0;
  for (std::size_t i = 0; i < network.banks.size(); ++i) {
    const double gain = gain_of(network.banks[i].layers[0]);
    bound = bound * gain + plan.banks()[i].plans().front().error_bound(largest + bound);
    largest *= gain;
  }
  return bound;
}

}  // namespace

TEST_CASE("a row and a column of whole weights are one kernel, whose divisor is the product of both") {
  const auto folding = fold_on_picture({divided(plane(1, 3, {1, 2, 1}), 4), divided(plane(3, 1, {1, 0, -1}), 2)});
  REQUIRE(folding);
  CHECK(folding->counts == std::vector<std::size_t>{2});
  REQUIRE(folding->network.banks.size() == 1);
  const Layer& layer = folding->network.banks[0].layers[0];
  CHECK(layer.shape == KernelShape{1, 1, 3, 3});
  CHECK(layer.weights == std::vector<float>{1, 2, 1, 0, 0, 0, -1, -2, -1});
  CHECK(layer.divisor == std::vector<double>{8});
  CHECK(layer.name == "layer then layer");
}

TEST_CASE("a folded layer has a name that no layer of the network has") {
  std::vector<Bank> banks = {bank_of({divided(plane(1, 3, {1, 2, 1}), 4)}), bank_of({plane(3, 1, {1, 0, -1})}),
                             bank_of({plane(3, 3, std::vector<float>(9, 0.1F))})};  // not whole: it stays as it is
  banks[2].name = "layer then layer";
  const auto folding = fold(network_of(std::move(banks)), DType::u8, kPicture, false, {.threads = 1});
  REQUIRE(folding);
  REQUIRE(folding->counts == std::vector<std::size_t>{2, 1});
  CHECK(folding->network.banks[0].name == "layer then layer'");
  CHECK(folding->network.banks[1].name == "layer then layer");
}

TEST_CASE("a layer that reads an earlier one is not folded into the layer before it") {
  std::vector<Layer> layers = {plane(1, 1, {2}), plane(1, 1, {3}), plane(1, 1, {5})};
  CHECK(fold_on_picture(layers)->counts == std::vector<std::size_t>{3});
  std::vector<Bank> banks;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    banks.push_back(bank_of({layers[i]}));
    banks.back().name = std::to_string(i);
  }
  banks[2].layers.front().from = "0";
  const auto folding = fold(network_of(banks), DType::u8, kPicture, false, {.threads = 1});
  CHECK(!folding);
}

TEST_CASE("a stride of the first layer spreads the weights of the second") {
  const auto folding =
      fold_on_picture({plane(1, 2, {1, 10}, Params{.stride = {1, 2}, .padding = {Padding::Rule::fixed, {0, 1, 0, 1}}}),
                       plane(1, 2, {1, 100}, Params{.stride = {2, 1}})});
  REQUIRE(folding);
  const Layer& layer = folding->network.banks[0].layers[0];
  CHECK(layer.weights == std::vector<float>{1, 10, 100, 1000});
  CHECK(layer.params.stride == Extent{2, 2});
  CHECK(layer.params.padding == Padding{Padding::Rule::fixed, {0, 1, 0, 1}});
}

TEST_CASE("a single weight moves into the divisor of the layer before or after it, of any type") {
  const Layer blur =
      plane(3, 3, std::vector<float>(9, 0.11F), Params{.padding = kSame, .padding_mode = PaddingMode::replicate});
  for (const DType dtype : {DType::u8, DType::u16, DType::f32}) {
    for (const bool is_first : {true, false}) {
      const Layer scale = plane(1, 1, {0.3F});
      const auto folding = fold_on_picture(is_first ? std::vector{scale, blur} : std::vector{blur, scale}, dtype);
      REQUIRE(folding);
      const Layer& layer = folding->network.banks[0].layers[0];
      CHECK(layer.weights == blur.weights);
      CHECK(layer.divisor == std::vector<double>{1 / static_cast<double>(0.3F)});
      CHECK(layer.params.padding_mode == PaddingMode::replicate);
    }
  }
}

TEST_CASE("what would change the result is not folded") {
  const Layer row = plane(1, 3, {1, 2, 1}), column = plane(3, 1, {1, 2, 1}), scale = plane(1, 1, {2});
  const auto stays = [](const std::vector<Layer>& layers, DType dtype = DType::u8) {
    return !fold_on_picture(layers, dtype).has_value();
  };
  REQUIRE_FALSE(stays({row, column}));
  const auto with = [](Layer layer, const auto& change) {
    change(layer);
    return layer;
  };
  // The second layer would show responses to places outside the picture, not the border of the responses.
  const Layer padded = with(column, [](Layer& l) { l.params.padding = kSame; });
  CHECK(stays({row, padded}));
  CHECK_FALSE(stays({with(row, [](Layer& l) { l.params.padding = kSame; }), column}));
  CHECK_FALSE(stays({scale, padded}));
  CHECK(stays({scale, with(padded, [](Layer& l) {
                 l.params.padding_mode = PaddingMode::constant;
                 l.params.padding_value = 3;
               })}));
  CHECK(stays({with(scale, [](Layer& l) { l.params.stride = {2, 2}; }), column}));
  // Neither is anything nonlinear between them, or more than one kernel.
  CHECK(stays({with(row, [](Layer& l) { l.activation = Activation::relu; }), column}));
  CHECK(stays({with(row, [](Layer& l) { l.bias = {1}; }), column}));
  CHECK_FALSE(stays({row, with(column, [](Layer& l) { l.bias = {1}; })}));
  CHECK(stays({with(row, [](Layer& l) { l.params.dilation = {1, 2}; }), column}));
  CHECK(stays({row, make_layer(3, {1, 1, 3, 1}, {1, 2, 1})}));
  // Products of other weights would be rounded, and so would sums over floats.
  CHECK(stays({plane(1, 3, {0.1F, 0.2F, 0.1F}), column}));
  CHECK(stays({row, column}, DType::f32));
  CHECK(stays({plane(1, 2, {4097, 1}), plane(2, 1, {4097, 1})}));  // 4097^2 is no float
  CHECK(stays({plane(1, 1, {0}), column}));                        // it would divide by 0
  CHECK(!fold(network_of({bank_of({row, row}), bank_of({column})}), DType::u8, kPicture, false, {}));
  CHECK(!fold_on_picture({row, column}, DType::u8, {.algorithm = "rows"}));
}

TEST_CASE("strides and gaps that are too large for one kernel are left to two") {
  constexpr std::int64_t kStride = kLargestParameter;
  const auto strided = [](Layer layer, std::int64_t stride, std::int64_t padding = 0) {
    layer.params.stride = {stride, stride};
    layer.params.padding.pads = {padding, padding, padding, padding};
    return layer;
  };
  const auto fold_single = [&](std::int64_t stride) {
    return fold_on_picture({strided(plane(1, 1, {2}), stride), strided(plane(1, 1, {3}), stride)});
  };
  CHECK(fold_single(1 << 15)->network.banks[0].layers[0].params.stride == Extent{kStride, kStride});
  CHECK(!fold_single(1 << 16));
  CHECK(!fold_single(kStride));
  const Layer square = plane(3, 3, {1, 2, 1, 2, 4, 2, 1, 2, 1});
  CHECK(!fold_on_picture({strided(square, kStride / 2, kStride - 1), square}));  // 2^60 weights
}

TEST_CASE("one kernel that is slower than two is not run") {
  const auto rough = [](std::int64_t side, std::int64_t stride) {
    return plane(side, side, floats(side * side, [i = 0]() mutable { return (i++ * 29) % 17 - 8; }),
                 Params{.stride = {stride, stride}});
  };
  // For each output 25 + 81 multiplications, or with the weights of the second spread out, 37 * 37.
  CHECK(!fold_on_picture({rough(5, 4), rough(9, 1)}));
}

TEST_CASE("random chains give the same numbers folded, within the bound of those that are not") {
  Random random(77);
  constexpr PaddingMode kOthers[] = {PaddingMode::zeros, PaddingMode::replicate, PaddingMode::reflect,
                                     PaddingMode::circular, PaddingMode::symmetric};
  int folded_whole = 0, folded_scales = 0, several = 0;
  for (int repeat = 0; repeat < 400; ++repeat) {
    CAPTURE(repeat);
    const bool is_whole = random.chance(2);
    const DType dtype = is_whole ? random.pick(std::vector{DType::u8, DType::u16}) : DType::f32;
    const Shape shape{random.between(1, 2), random.pick(std::vector<std::int64_t>{1, 3}), random.between(12, 30),
                      random.between(12, 30)};
    const Tensor x = filled(dtype, shape, [&] { return random.between(0, 255); });
    const bool flip = random.chance(3);
    std::vector<Bank> banks;
    for (std::int64_t i = random.between(2, 4); i > 0; --i) {
      const bool is_single = !is_whole || random.chance(3);
      const std::int64_t kh = is_single && random.chance(2) ? 1 : random.between(1, 3);
      const std::int64_t kw = kh == 1 && is_single ? 1 : random.between(1, 3);
      const Params params{.stride = {random.between(1, 2), random.between(1, 2)},
                          .padding = random.chance(2) ? Padding{} : kSame,
                          .padding_mode = random.pick(kOthers)};
      Layer layer =
          plane(kh, kw,
                floats(kh * kw, [&] { return is_whole ? static_cast<float>(random.between(-2, 2)) : random.rough(); }),
                params);
      if (random.chance(2)) layer.divisor = {is_whole ? 4.0 : 3.7};
      banks.push_back(bank_of({std::move(layer)}));
    }
    const Network network = network_of(banks);
    const PlanOptions options{.threads = 1, .direct_error = true};
    std::optional<Folding> folding;
    try {
      folding = fold(network, dtype, shape, flip, options);
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::shape);  // a kernel that is larger than what is left
      continue;
    }
    if (!folding) continue;
    (is_whole ? folded_whole : folded_scales) += 1;
    several += *std::max_element(folding->counts.begin(), folding->counts.end()) > 2 ? 1 : 0;
    const NetworkPlan apart(network, dtype, shape, flip, options);
    const NetworkPlan as_one(folding->network, dtype, shape, flip, options);
    REQUIRE(apart.output_shape() == as_one.output_shape());
    Tensor expected(DType::f32, apart.output_shape()), got(DType::f32, apart.output_shape());
    apart.run(x.ref(), expected.ref(), {});
    as_one.run(x.ref(), got.ref(), {});
    const std::vector<double> a = values_of(std::as_const(expected).ref()), b = values_of(std::as_const(got).ref());
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::fabs(a[i] - b[i]));
    // Whole weights over powers of two: every sum is exact either way.
    const double bound = is_whole ? 0 : error_bound(apart, network, 255) + error_bound(as_one, folding->network, 255);
    CHECK(most <= bound);
  }
  CHECK(folded_whole > 30);
  CHECK(folded_scales > 30);
  CHECK(several > 5);
}

}  // namespace convtool
