// Networks: banks that run one after another, with float between them, and the output maps.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "network/layers.h"

namespace convtool {
namespace {

TEST_CASE("a network equals its banks run one after another, with float between them") {
  Random random(81);
  for (const DType dtype : {DType::u8, DType::u16, DType::f32}) {
    const Tensor x = random_picture(dtype, {2, 3, 9, 11}, random);
    Layer first = make_layer(4, {4, 3, 3, 3}, floats(108, [&] { return random.rough(); }), {}, {1, -2, 3, -4});
    first.activation = Activation::relu;
    const Bank banks[] = {bank_of({first}),
                          bank_of({plane(1, 2, {0.3F, -0.3F}, Params{.padding = kSame}),
                                   plane(3, 3, floats(9, [&] { return random.rough(); }), Params{.padding = kSame})}),
                          bank_of({make_layer(3, {1, 8, 2, 2}, floats(32, [&] { return random.rough(); })),
                                   make_layer(3, {1, 8, 2, 2}, floats(32, [&] { return random.rough(); }))},
                                  Combine::magnitude)};
    const Tensor a = run_bank(banks[0], x.ref());
    const Tensor b = run_bank(banks[1], a.ref());
    const Tensor c = run_bank(banks[2], b.ref());
    const Tensor got = run_network(network_of({banks[0], banks[1], banks[2]}), x.ref());
    CHECK(got.shape() == Shape{2, 1, 6, 8});
    CHECK(values_of(got.ref()) == values_of(c.ref()));
  }
}

TEST_CASE("intermediate results have the layout that suits the banks, and the same values in any layout") {
  Random random(83);
  int seen[2] = {};
  for (int repeat = 0; repeat < 30; ++repeat) {
    CAPTURE(repeat);
    const auto whole = [&](std::int64_t count) { return floats(count, [&] { return random.between(-2, 2); }); };
    const std::int64_t c = random.pick(std::vector<std::int64_t>{1, 3, 8, 16, 40});
    const Tensor x = random_picture(DType::u8, {random.between(1, 2), 3, 24, random.between(16, 40)}, random);
    std::vector<Bank> banks = {bank_of({make_layer(4, {c, 3, 3, 3}, whole(c * 27))})};
    if (random.chance(2)) banks.push_back(bank_of({plane(3, 3, whole(9), Params{.padding = kSame})}));
    if (random.chance(2)) {
      Layer pool = plane(2, 2, std::vector<float>(4, 1.0F), Params{.stride = {2, 2}});
      pool.pooling = Pooling::max;
      banks.push_back(bank_of({pool}));
    }
    banks.push_back(bank_of({make_layer(4, {c, c, 1, 1}, whole(c * c))}));
    Tensor expected;
    ConstTensorRef by_hand = x.ref();
    for (const Bank& bank : banks) {
      Tensor next = run_bank(bank, by_hand);
      expected = std::move(next);
      by_hand = std::as_const(expected).ref();
    }
    // Sums of integers below 2^24 are exact with any algorithm.
    for (const bool in : {false, true})
      for (const bool out : {false, true}) {
        const NetworkPlan plan(network_of(banks), x.dtype(), x.shape(), false,
                               {.input_channels_last = in, .output_channels_last = out});
        Tensor got(DType::f32, plan.output_shape());
        const TensorRef placed = out ? channels_last(got) : got.ref();
        plan.run(x.ref(), placed, OutputMap::clip, [&](std::size_t bank, const ConstTensorRef& responses) {
          if (bank + 1 < banks.size()) ++seen[responses.shape.c > 1 && responses.strides.c == 1];
        });
        CHECK(values_of(placed) == values_of(expected.ref()));
      }
  }
  CHECK(seen[false] > 20);
  CHECK(seen[true] > 20);
}

TEST_CASE("values between two banks are neither rounded nor clipped") {
  const Tensor x = tensor_of(DType::u8, {1, 1, 1, 4}, {0, 1, 100, 255});
  const Network network = network_of({bank_of({plane(1, 1, {-2.5F})}), bank_of({plane(1, 1, {-0.4F})})});
  CHECK(values_of(run_network(network, x.ref(), DType::u8).ref()) == std::vector<double>{0, 1, 100, 255});
  const Network tenth = network_of({bank_of({plane(1, 1, {0.125F})}), bank_of({plane(1, 1, {8})})});
  CHECK(values_of(run_network(tenth, x.ref(), DType::u8).ref()) == std::vector<double>{0, 1, 100, 255});
}

TEST_CASE("the output is rescaled from the units of the network's input, not of intermediate results") {
  const Tensor x = tensor_of(DType::u8, {1, 1, 1, 3}, {0, 1, 255});
  const Network twice = network_of({bank_of({plane(1, 1, {1})}), bank_of({plane(1, 1, {1})})});
  CHECK(values_of(run_network(twice, x.ref(), DType::u16).ref()) == std::vector<double>{0, 257, 65535});
  CHECK(values_of(run_network(twice, x.ref(), DType::f32).ref()) == std::vector<double>{0, 1, 255});
  const Tensor deep = tensor_of(DType::u16, {1, 1, 1, 3}, {0, 257, 65535});
  CHECK(values_of(run_network(twice, deep.ref(), DType::u8).ref()) == std::vector<double>{0, 1, 255});
}

TEST_CASE("padding is applied at every layer, with the layer's own mode") {
  const Tensor x = tensor_of(DType::f32, {1, 1, 1, 2}, {1, 2});
  const Params zeros{.padding = pads(0, 1, 0, 1)};
  Params circular = zeros;
  circular.padding_mode = PaddingMode::circular;
  // (0 1 2 0) -> 1 3 2; (2 | 1 3 2 | 1) -> 3 4 5 3
  const Network network = network_of({bank_of({plane(1, 2, {1, 1}, zeros)}), bank_of({plane(1, 2, {1, 1}, circular)})});
  CHECK(values_of(run_network(network, x.ref()).ref()) == std::vector<double>{3, 4, 5, 3});
}

TEST_CASE("maps: clip, abs, offset") {
  const Tensor x = tensor_of(DType::u8, {1, 1, 1, 4}, {10, 30, 30, 5});
  const Network difference = network_of({bank_of({plane(1, 2, {-1, 1})})});  // 20 0 -25
  CHECK(values_of(run_network(difference, x.ref(), DType::u8, OutputMap::clip).ref()) == std::vector<double>{20, 0, 0});
  CHECK(values_of(run_network(difference, x.ref(), DType::u8, OutputMap::abs).ref()) == std::vector<double>{20, 0, 25});
  // 128 + 10, 128, 128 - 12.5 = 115.5, a tie that rounds to the even 116.
  CHECK(values_of(run_network(difference, x.ref(), DType::u8, OutputMap::offset).ref()) ==
        std::vector<double>{138, 128, 116});
  CHECK(values_of(run_network(difference, x.ref(), DType::f32, OutputMap::clip).ref()) ==
        std::vector<double>{20, 0, -25});
}

TEST_CASE("normalize takes a second pass over all kernels and channels") {
  const Tensor x = tensor_of(DType::u8, {1, 2, 1, 3}, {0, 10, 20, 30, 40, 41});
  // The responses are 0 10 20 30 40 41 and 0 -10 .. -41, so they range from -41 to 41.
  const Network network = network_of({bank_of({plane(1, 1, {1}), plane(1, 1, {-1})})});
  const NetworkPlan plan(network, DType::u8, x.shape(), false, {});
  Tensor y(DType::u8, plan.output_shape());
  const ResponseStats stats = plan.run(x.ref(), y.ref(), OutputMap::normalize);
  CHECK(stats.min == -41);
  CHECK(stats.max == 41);
  CHECK(stats.clipped_low == 0);
  CHECK(stats.clipped_high == 0);
  std::vector<double> expected;
  for (const double response : {0, 10, 20, 30, 40, 41, 0, -10, -20, -30, -40, -41})
    expected.push_back(
        std::nearbyint((response + 41) * 255 / 82));  // without ties, since 82 does not divide 255 * odd / 2
  CHECK(values_of(y.ref()) == expected);
  CHECK(expected[5] == 255);
  CHECK(expected[11] == 0);
}

TEST_CASE("normalize after several banks measures the last one") {
  Random random(82);
  const Tensor x = random_picture(DType::u16, {1, 1, 8, 9}, random);
  const Network network = network_of(
      {bank_of({plane(3, 3, random_weights(9, random))}), bank_of({plane(2, 2, random_weights(4, random))})});
  const std::vector<double> responses = values_of(run_network(network, x.ref()).ref());
  const std::vector<double> y = values_of(run_network(network, x.ref(), DType::u8, OutputMap::normalize).ref());
  const auto [low, high] = std::minmax_element(responses.begin(), responses.end());
  for (std::size_t i = 0; i < y.size(); ++i) {
    // Rounding adds half a unit. Float responses and the scale add less than 2^-20 of the range of 255.
    CHECK(std::fabs(y[i] - 255 * (responses[i] - *low) / (*high - *low)) <= 0.5 + 255 * 0x1p-20);
  }
  CHECK(*std::min_element(y.begin(), y.end()) == 0);
  CHECK(*std::max_element(y.begin(), y.end()) == 255);
}

TEST_CASE("normalize refuses infinities, and gives 0 for a constant response") {
  const Tensor x = tensor_of(DType::f32, {1, 1, 1, 2}, {1, std::numeric_limits<double>::infinity()});
  const Network identity = network_of({bank_of({plane(1, 1, {1})})});
  CHECK(error_of([&] { run_network(identity, x.ref(), DType::u8, OutputMap::normalize); }).kind() == ErrorKind::shape);
  const Tensor flat = tensor_of(DType::f32, {1, 1, 1, 2}, {7, 7});
  CHECK(values_of(run_network(identity, flat.ref(), DType::u8, OutputMap::normalize).ref()) ==
        std::vector<double>{0, 0});
}

TEST_CASE("input and output may have any layout") {
  Random random(83);
  const Tensor x = random_picture(DType::u8, {1, 3, 6, 7}, random);
  const Network network = network_of({bank_of({plane(3, 3, random_weights(9, random), Params{.padding = kSame})}),
                                      bank_of({plane(2, 2, random_weights(4, random), Params{.padding = kSame})})});
  const std::vector<double> planar = values_of(run_network(network, x.ref(), DType::u8, OutputMap::normalize).ref());

  std::vector<std::uint8_t> bgr(126), out(126);
  const TensorRef input{bgr.data() + 2, DType::u8, {1, 3, 6, 7}, {0, -1, 21, 3}};
  const auto from = x.ref().view<std::uint8_t>();
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t i = 0; i < 6; ++i)
      for (std::int64_t j = 0; j < 7; ++j) input.view<std::uint8_t>().at(0, c, i, j) = from.at(0, c, i, j);
  const TensorRef output{out.data() + 2, DType::u8, {1, 3, 6, 7}, {0, -1, 21, 3}};
  NetworkPlan(network, DType::u8, {1, 3, 6, 7}, false, {}).run(input, output, OutputMap::normalize);
  CHECK(values_of(output) == planar);
}

TEST_CASE("flip rotates the kernels of every bank") {
  const Tensor x = counting({1, 1, 1, 4});
  const Network network = network_of({bank_of({plane(1, 2, {1, 10})}), bank_of({plane(1, 2, {1, 100})})});
  const NetworkPlan plan(network, DType::f32, x.shape(), true, {});
  Tensor y(DType::f32, plan.output_shape());
  plan.run(x.ref(), y.ref(), OutputMap::clip);
  // With flipped kernels: 10 * x + next = 1 12 23, then 100 * that + next.
  CHECK(values_of(y.ref()) == std::vector<double>{112, 1223});
}

TEST_CASE("the error for a layer that does not fit names it and the shape of its input") {
  const Layer five = plane(5, 5, std::vector<float>(25, 1.0F));
  const auto plan_error = [](const Network& network) {
    return error_of([&] { const NetworkPlan plan(network, DType::u8, {1, 2, 8, 9}, false, {}); });
  };
  const Error second = plan_error(network_of({bank_of({five}), bank_of({five})}));
  CHECK(second.kind() == ErrorKind::shape);
  CHECK(second.where() == "layer 2 on 2x4x5");
  CHECK(contains(second, "kernel 5x5, padded input 4x5"));
  const Error first = plan_error(network_of({bank_of({make_layer(3, {1, 3, 1, 1}, {1, 1, 1})}), bank_of({five})}));
  CHECK(first.where() == "layer 1 on 2x8x9");
  const Error only = plan_error(network_of({bank_of({make_layer(3, {1, 3, 1, 1}, {1, 1, 1})})}));
  CHECK(only.where() == "");
  const Error alike =
      plan_error(network_of({bank_of({plane(1, 1, {1})}), bank_of({five, plane(1, 1, {1})}, Combine::max)}));
  CHECK(alike.kind() == ErrorKind::kernel);
  CHECK(contains(alike, "layer 2"));
}

TEST_CASE("a size beyond a limit is refused in the input and in the output of every layer") {
  const auto padded = [](std::int64_t pixels) {  // on every side
    return bank_of({plane(3, 3, std::vector<float>(9, 1.0F), {.padding = pads(pixels, pixels, pixels, pixels)})});
  };
  const auto plan_with = [](const Network& network, std::int64_t max_pixels) {
    const NetworkPlan plan(network, DType::u8, {1, 2, 8, 9}, false, {.max_pixels = max_pixels});
  };
  const Network grows = network_of({padded(1), padded(2)});  // 8x9, then 10x11
  CHECK_NOTHROW(plan_with(grows, 110));
  const Error result = error_of([&] { plan_with(grows, 109); });
  CHECK(result.kind() == ErrorKind::shape);
  CHECK(result.where() == "layer 2 on 2x8x9");
  CHECK(contains(result, "the result is too large (11x10, at most 109 pixels)"));
  CHECK(contains(error_of([&] { plan_with(grows, 71); }), "the input is too large (9x8, at most 71 pixels)"));

  // 2 * (2p + 6) * (2p + 7) values: above 2^47 with p = 2^22, above 2^63 with p = 2^30.
  for (const std::int64_t p : {std::int64_t{1} << 22, std::int64_t{1} << 30}) {
    const Network large = network_of({padded(1), padded(p)});
    const Error memory = error_of([&] { plan_with(large, std::numeric_limits<std::int64_t>::max()); });
    CHECK(memory.kind() == ErrorKind::memory);
    CHECK(memory.where() == "layer 2 on 2x8x9");
  }
}

TEST_CASE("a threshold gives the full range or 0, and nothing counts as clipped") {
  const Network difference = network_of({bank_of({plane(1, 2, {-1, 1})})});
  const Tensor x = tensor_of(DType::u8, {1, 1, 1, 5}, {0, 20, 10, 10, 255});  // responses 20, -10, 0, 245
  const NetworkPlan plan(difference, DType::u8, {1, 1, 1, 5}, false, {});
  const auto seen = [&](OutputMap map, double threshold, DType dtype) {
    Mapping mapping(map);
    mapping.threshold = threshold;
    Tensor y(dtype, plan.output_shape());
    const ResponseStats stats = plan.run(x.ref(), y.ref(), mapping);
    CHECK(stats.clipped_low + stats.clipped_high == 0);
    CHECK(stats.min == -10);
    CHECK(stats.max == 245);
    return values_of(y.ref());
  };
  CHECK(seen(OutputMap::clip, 10, DType::u8) == std::vector<double>{255, 0, 0, 255});
  // Values must exceed the threshold.
  CHECK(seen(OutputMap::clip, 20, DType::u16) == std::vector<double>{0, 0, 0, 65535});
  CHECK(seen(OutputMap::abs, 9.5, DType::f32) == std::vector<double>{1, 1, 0, 1});
  CHECK(seen(OutputMap::clip, -10, DType::u8) == std::vector<double>{255, 0, 255, 255});
}

TEST_CASE("normalize between percentiles saturates and counts values outside, and ignores NaN") {
  const Network identity = network_of({bank_of({plane(1, 1, {1})})});
  std::vector<double> values = {-1000, 1000, std::numeric_limits<double>::quiet_NaN()};
  for (int i = 0; i < 98; ++i) values.push_back(100 + i % 2 * 51);
  const Tensor x = tensor_of(DType::f32, {1, 1, 1, 101}, values);
  const NetworkPlan plan(identity, DType::f32, x.shape(), false, {});
  Mapping mapping(OutputMap::normalize);
  mapping.percentiles = {2, 99};
  Tensor y(DType::u8, x.shape());
  const ResponseStats stats = plan.run(x.ref(), y.ref(), mapping);
  const std::vector<double> seen = values_of(y.ref());
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 255);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 255);
  CHECK(stats.clipped_low == 1);
  CHECK(stats.clipped_high == 1);
  CHECK(stats.nan_count == 1);
  CHECK(stats.max == 1000);
}

}  // namespace
}  // namespace convtool
