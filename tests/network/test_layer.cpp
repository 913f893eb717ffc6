// Layers and banks as kernel files describe them, and how they are bound to an input.
#include <doctest/doctest.h>

#include <string>

#include "conv/padding.h"
#include "network/layers.h"
#include "network/residual.h"

namespace convtool {
namespace {

/// The problem of a bank that consists of `layer`, on an f32 input.
ConvProblem problem_on(const Layer& layer, const Shape& input) {
  return bank_geometry(bank_of({layer}), DType::f32, input).problems.at(0);
}

std::int64_t groups_on(const Layer& layer, std::int64_t c_i) { return problem_on(layer, {1, c_i, 9, 9}).groups; }

TEST_CASE("a layer keeps the dimensions of its weights as written") {
  CHECK(plane(2, 3, std::vector<float>(6)).dimensions() == std::vector<std::int64_t>{2, 3});
  CHECK(make_layer(3, {1, 4, 2, 3}, {}).dimensions() == std::vector<std::int64_t>{4, 2, 3});
  CHECK(make_layer(4, {5, 4, 2, 3}, {}).dimensions() == std::vector<std::int64_t>{5, 4, 2, 3});
}

TEST_CASE("a rank-2 kernel is bound to each channel") {
  const Layer layer = plane(2, 2, {1, 2, 3, 4});
  const Kernel kernel = bind_kernel(layer, 3, false);
  CHECK(kernel.shape == KernelShape{3, 1, 2, 2});
  CHECK(kernel.weights == std::vector<float>{1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4});
  CHECK(kernel.bias == std::vector<float>{0, 0, 0});
  CHECK(groups_on(layer, 3) == 3);
  CHECK(bind_kernel(layer, 1, false).shape == KernelShape{1, 1, 2, 2});
  CHECK(groups_on(layer, 1) == 1);
}

TEST_CASE("ranks 3 and 4 keep their shape and groups") {
  const Layer rank3 = make_layer(3, {1, 2, 1, 2}, {1, 2, 3, 4});
  CHECK(bind_kernel(rank3, 2, false).shape == rank3.shape);
  CHECK(bind_kernel(rank3, 2, false).weights == rank3.weights);
  CHECK(groups_on(rank3, 2) == 1);
  const Layer rank4 = make_layer(4, {4, 2, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}, Params{.groups = 2});
  CHECK(bind_kernel(rank4, 4, false).shape == rank4.shape);
  CHECK(groups_on(rank4, 4) == 2);
}

TEST_CASE("other options pass through") {
  const Params params{.stride = {2, 3}, .dilation = {4, 5}, .padding = kSame, .padding_mode = PaddingMode::reflect};
  const ConvProblem problem = problem_on(plane(2, 2, {1, 2, 3, 4}, params), {1, 7, 20, 30});
  CHECK(problem.stride == params.stride);
  CHECK(problem.dilation == params.dilation);
  CHECK(problem.pads == resolve_pads(kSame, {20, 30}, dilated_kernel({7, 1, 2, 2}, params.dilation), params.stride));
  CHECK(problem.padding_mode == PaddingMode::reflect);
  CHECK(problem.groups == 7);
}

TEST_CASE("flip rotates every plane of weights by 180 degrees, and changes nothing else") {
  CHECK(bind_kernel(plane(2, 3, {1, 2, 3, 4, 5, 6}), 1, true).weights == std::vector<float>{6, 5, 4, 3, 2, 1});
  CHECK(bind_kernel(plane(1, 2, {1, 2}), 2, true).weights == std::vector<float>{2, 1, 2, 1});
  const Layer rank4 = make_layer(4, {2, 2, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8}, {}, {10, 20});
  CHECK(bind_kernel(rank4, 2, true).weights == std::vector<float>{2, 1, 4, 3, 6, 5, 8, 7});
  CHECK(bind_kernel(rank4, 2, true).bias == std::vector<float>{10, 20});
}

TEST_CASE("a layer has no bias, one for all channels, or one for each output channel") {
  const auto bias_of = [](Layer layer, std::vector<float> bias, std::int64_t c_i) {
    layer.bias = std::move(bias);
    return bind_kernel(layer, c_i, false).bias;
  };
  const Layer rank2 = plane(1, 1, {1}), rank4 = make_layer(4, {3, 1, 1, 1}, {1, 2, 3});
  CHECK(bias_of(rank2, {}, 2) == std::vector<float>{0, 0});
  CHECK(bias_of(rank2, {5}, 2) == std::vector<float>{5, 5});
  CHECK(bias_of(rank2, {5, 6}, 2) == std::vector<float>{5, 6});
  CHECK(bias_of(rank4, {}, 1) == std::vector<float>{0, 0, 0});
  CHECK(bias_of(rank4, {5}, 1) == std::vector<float>{5, 5, 5});
  CHECK(bias_of(rank4, {5, 6, 7}, 1) == std::vector<float>{5, 6, 7});

  for (const std::size_t count : {std::size_t{2}, std::size_t{4}}) {
    Layer wrong = rank4;
    wrong.bias = std::vector<float>(count, 1.0F);
    const Error error = error_of([&] { problem_on(wrong, {1, 1, 9, 9}); });
    CHECK(error.kind() == ErrorKind::shape);
    CHECK(contains(error, "expected 1 or 3 numbers, got " + std::to_string(count)));
    CHECK(contains(error, "one per output channel"));
  }
}

TEST_CASE("kernels to be combined must have the same shape and options") {
  const Layer base = plane(3, 3, std::vector<float>(9, 1.0F), Params{.padding = kSame});
  const auto error_with = [&](const Layer& other) {
    Layer named = other;
    named.name = "other";
    Bank bank = bank_of({base, base, named}, Combine::magnitude);
    bank.name = "bank";
    return error_of([&] { check_bank(bank); });
  };
  CHECK_NOTHROW(check_bank(bank_of({base, base, base}, Combine::magnitude)));
  CHECK_NOTHROW(check_bank(bank_of({base}, Combine::max)));

  Layer size = plane(3, 1, {1, 1, 1}, base.params);
  Layer rank = make_layer(3, base.shape, base.weights, base.params);
  Layer stride = base, dilation = base, padding = base, mode = base, activation = base, bias = base;
  stride.params.stride = {2, 1};
  dilation.params.dilation = {1, 2};
  padding.params.padding = kSameLower;
  mode.params.padding_mode = PaddingMode::reflect;
  activation.activation = Activation::relu;
  bias.bias = {3};

  for (const Layer& other : {size, rank}) CHECK(contains(error_with(other), "differ in size"));
  CHECK(contains(error_with(stride), "differ in stride"));
  for (const Layer& other : {dilation, padding, mode})
    CHECK(contains(error_with(other), "differ in dilation, padding or groups"));
  CHECK(contains(error_with(activation), "differ in activation"));

  const Error error = error_with(size);
  CHECK(error.kind() == ErrorKind::kernel);
  CHECK(error.where() == "bank");
  CHECK(contains(error, "'layer' and 'other'"));
  CHECK(contains(error, "\"combine\": \"none\""));

  CHECK_NOTHROW(check_bank(bank_of({base, bias}, Combine::sum)));  // biases may differ
  for (const Layer& other : {size, rank, padding, activation}) CHECK_NOTHROW(check_bank(bank_of({base, other})));
  CHECK(contains(error_of([&] { check_bank(bank_of({base, stride})); }), "stacked must be alike"));
}

TEST_CASE("kernels that sum to zero, up to float rounding") {
  CHECK(sums_to_zero(plane(1, 2, {1, -1})));
  CHECK(sums_to_zero(plane(3, 3, {-1, 0, 1, -2, 0, 2, -1, 0, 1})));
  CHECK(sums_to_zero(plane(1, 1, {0})));
  CHECK_FALSE(sums_to_zero(plane(3, 3, std::vector<float>(9, 1.0F))));
  CHECK_FALSE(sums_to_zero(plane(1, 2, {1, -0.9999F})));
  CHECK(sums_to_zero(plane(1, 4, {0.1F, 0.2F, 0.3F, -0.6F})));  // 0.6F is 2^-24 off the sum of the others
  // Each output channel must sum to zero separately, over all of its input channels.
  CHECK(sums_to_zero(make_layer(4, {2, 2, 1, 1}, {3, -3, -5, 5})));
  CHECK_FALSE(sums_to_zero(make_layer(4, {2, 2, 1, 1}, {3, 3, -3, -3})));
  CHECK_FALSE(sums_to_zero(make_layer(4, {2, 2, 1, 1}, {3, -3, 5, 5})));
  CHECK_FALSE(sums_to_zero(make_layer(4, {2, 2, 1, 1}, {5, 5, 3, -3})));
}

TEST_CASE("a kernel whose weights nearly sum to zero is a difference, unless flat areas stay visible") {
  CHECK(is_difference(plane(1, 2, {1, -1})));
  CHECK(is_difference(plane(1, 2, {1, -0.99F})));  // 0.01 of 1.99
  CHECK_FALSE(is_difference(plane(1, 2, {1, -0.9F})));
  CHECK_FALSE(is_difference(plane(1, 1, {0.001F})));           // small, but nothing is subtracted
  CHECK_FALSE(is_difference(plane(1, 3, {-100, 201, -100})));  // sharpens: flat areas are kept
  CHECK_FALSE(is_difference(make_layer(4, {2, 1, 1, 2}, {1, -1, 1, 0})));
  Layer divided = plane(1, 2, {64, -60});
  CHECK_FALSE(is_difference(divided));
  divided.divisor = {-256};
  CHECK_FALSE(is_difference(divided));  // 4/256 is 1/64, but of 124/256
  divided.weights = {256, -252};
  CHECK(is_difference(divided));
  Layer pool = plane(2, 2, {});
  pool.pooling = Pooling::max;
  CHECK_FALSE(is_difference(pool));
}

TEST_CASE("the automatic map is abs for plain differences in integers, and clip otherwise") {
  const Layer difference = plane(1, 2, {1, -1}), mean = plane(1, 2, {0.5F, 0.5F});
  const auto automatic = [](const Bank& bank, DType dtype) {
    return resolve_map(OutputMap::automatic, {.name = "", .description = "", .banks = {bank}, .files = {}}, dtype);
  };
  for (const DType dtype : {DType::u8, DType::u16}) {
    CHECK(automatic(bank_of({difference}), dtype) == OutputMap::abs);
    CHECK(automatic(bank_of({difference, difference}), dtype) == OutputMap::abs);
    CHECK(automatic(bank_of({mean}), dtype) == OutputMap::clip);
    CHECK(automatic(bank_of({difference, mean}), dtype) == OutputMap::clip);
    CHECK(automatic(bank_of({difference, difference}, Combine::magnitude), dtype) == OutputMap::clip);
  }
  CHECK(automatic(bank_of({difference}), DType::f32) == OutputMap::clip);
  for (const OutputMap asked :
       {OutputMap::clip, OutputMap::abs, OutputMap::normalize, OutputMap::offset, OutputMap::signs})
    for (const DType dtype : {DType::u8, DType::f32})
      CHECK(resolve_map(asked, {.name = "", .description = "", .banks = {bank_of({difference})}, .files = {}}, dtype) ==
            asked);
}

TEST_CASE("the size of a layer in a table") {
  CHECK(plane(3, 5, std::vector<float>(15, 1)).size_text() == "3x5");
  CHECK(plane(1, 1, {1}).size_text() == "1x1");
  Layer layer = plane(1, 1, {1});
  layer.activation = Activation::relu;
  CHECK(layer.size_text() == "");
  layer.bias = {1};
  CHECK(layer.size_text() == "1x1");
  CHECK(plane(1, 1, {1}, {.padding = {.pads = {1, 0, 0, 0}}}).size_text() == "border");
  layer = plane(1, 1, {1});
  layer.add = "stem";
  CHECK(layer.size_text() == "add stem");
  layer = plane(2, 3, {});
  layer.pooling = Pooling::max;
  CHECK(layer.size_text() == "max 2x3");
  layer.pool.is_global = true;
  CHECK(layer.size_text() == "max global");
  layer = plane(1, 1, {});
  layer.enlarging = Enlarging::bilinear;
  layer.params.stride = {2, 4};
  CHECK(layer.size_text() == "bilinear 2x4");
  layer = make_layer(4, {2, 3, 4, 5}, std::vector<float>(120, 1));
  layer.enlarging = Enlarging::transposed;
  CHECK(layer.size_text() == "transposed 4x5");
  layer = input_copy();
  CHECK(layer.size_text() == "");
}

TEST_CASE("responses of small weights are doubled until they can be as large as those of Sobel's kernels") {
  const auto gain = [](const std::vector<float>& weights) {
    return visible_gain(bank_of({plane(1, std::ssize(weights), weights)}));
  };
  CHECK(gain({1, -1}) == 1);
  CHECK(gain({0.5F, 0, -0.5F}) == 1);
  CHECK(gain({1 / 6.0F, 1 / 6.0F, 1 / 6.0F, -0.5F}) == 1);  // thirds of a half, rounded down
  CHECK(gain({0.499F, -0.499F}) == 16);
  CHECK(gain({0.25F, -0.25F}) == 16);
  CHECK(gain({0.1F, 0.1F, -0.2F}) == 32);
  CHECK(gain({0, 0}) == 1);
  CHECK(gain({0.25F, -0.25F, 0.25F, -0.25F}) == 8);  // a wave gives 1/2, but an edge only 1/4
  CHECK(visible_gain(bank_of({plane(2, 2, {0.25F, -0.25F, -0.25F, 0.25F})})) == 8);
  CHECK(visible_gain(bank_of({plane(2, 2, {1, -1, -1, 1})})) == 1);           // corners give 1
  CHECK(visible_gain(bank_of({make_layer(3, {1, 2, 1, 1}, {1, -1})})) == 1);  // of two channels

  Layer small = plane(1, 2, {0.1F, -0.1F}), divided = plane(1, 2, {4, -4}), biased = small;
  divided.divisor = {-32};
  CHECK(visible_gain(bank_of({divided})) == 32);
  CHECK(visible_gain(bank_of({small, plane(1, 2, {0.3F, -0.3F})})) == 16);  // the stronger one counts
  biased.bias = {1};
  CHECK(visible_gain(bank_of({biased})) == 1);

  const auto resolved = [](OutputMap asked, std::vector<Bank> banks, DType dtype) {
    return resolve_map(asked, {.name = "", .description = "", .banks = std::move(banks), .files = {}}, dtype);
  };
  CHECK(resolved(OutputMap::automatic, {bank_of({small})}, DType::u8).gain == 64);
  CHECK(resolved(OutputMap::abs, {bank_of({small})}, DType::u8).gain == 1);  // as asked
  CHECK(resolved(OutputMap::automatic, {bank_of({small})}, DType::f32).gain == 1);
  CHECK(resolved(OutputMap::automatic, {bank_of({small}), bank_of({small})}, DType::u8).gain == 1);  // of any input
}

}  // namespace
}  // namespace convtool
