// Input scaling as a layer, against a loop over pixels.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "network/input_scaling.h"
#include "network/layers.h"

namespace convtool {
namespace {

double pick(const std::vector<double>& numbers, std::int64_t channel, double otherwise) {
  if (numbers.empty()) return otherwise;
  return numbers[numbers.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
}

/// The definition, in double.
double scaled(const InputScaling& scaling, const ConstTensorRef& x, std::int64_t n, std::int64_t c, std::int64_t h,
              std::int64_t w) {
  const std::int64_t from = scaling.order == ChannelOrder::bgr && c < 3 ? 2 - c : c;
  double pixel = 0;
  visit_dtype(x.dtype, [&]<class T>(T) { pixel = static_cast<double>(x.view<T>().at(n, from, h, w)); });
  return (pixel * scaling.scale - pick(scaling.mean, from, 0)) / pick(scaling.deviation, from, 1);
}

Network scaled_identity(const InputScaling& scaling, std::int64_t channels) {
  std::vector<float> weights(static_cast<std::size_t>(channels * channels));
  for (std::int64_t c = 0; c < channels; ++c) weights[static_cast<std::size_t>(c * channels + c)] = 1;
  Network network = network_of({bank_of({make_layer(4, {channels, channels, 1, 1}, weights)})});
  network.input = scaling;
  return with_scaling_as_layer(network);
}

}  // namespace

TEST_CASE("the layer of a scaling computes (x * scale - mean) / std, and swaps colours for bgr") {
  Random random(5);
  const auto numbers = [&](std::int64_t channels, double least, double most) {
    std::vector<double> list;
    const std::int64_t count = random.pick(std::vector<std::int64_t>{0, 1, channels});
    for (std::int64_t i = 0; i < count; ++i)
      list.push_back(least + (most - least) * static_cast<double>(random.between(0, 1000)) / 1000);
    return list;
  };
  int swapped = 0;
  for (int repeat = 0; repeat < 100; ++repeat) {
    CAPTURE(repeat);
    const std::int64_t channels = random.between(1, 4);
    InputScaling scaling{.scale = random.pick(std::vector<double>{1, 1.0 / 255, 2, -0.5}),
                         .mean = numbers(channels, -2, 2),
                         .deviation = numbers(channels, 0.2, 3)};
    if (channels >= 3 && random.chance(2)) {
      scaling.order = ChannelOrder::bgr;
      ++swapped;
    }
    REQUIRE(!find_flaw(scaling));
    const DType dtype = random.pick(std::vector<DType>{DType::u8, DType::u16, DType::f32});
    const Tensor x = random_picture(dtype, {random.between(1, 2), channels, 5, random.between(1, 20)}, random);
    const Tensor y = run_network(scaled_identity(scaling, channels), x.ref());
    REQUIRE(y.shape() == x.shape());
    const auto got = y.ref().view<float>();
    for (std::int64_t n = 0; n < x.shape().n; ++n)
      for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t h = 0; h < x.shape().h; ++h)
          for (std::int64_t w = 0; w < x.shape().w; ++w) {
            const double expected = scaled(scaling, x.ref(), n, c, h, w);
            const std::int64_t from = scaling.order == ChannelOrder::bgr && c < 3 ? 2 - c : c;
            const double offset = std::fabs(pick(scaling.mean, from, 0) / pick(scaling.deviation, from, 1));
            // The quotient, the bias and their sum are each rounded to float: at most 2^-24 of their sizes, where the
            // quotient is no larger than the sum plus the bias. A hundredth more for the products of these errors.
            const double bound = 1.01 * 0x1p-24 * (2 * std::fabs(expected) + 2 * offset) + 0x1p-149;
            REQUIRE(std::fabs(static_cast<double>(got.at(n, c, h, w)) - expected) <= bound);
          }
  }
  CHECK(swapped > 10);
}

TEST_CASE("a scaling that is the same for all channels fits any number of them") {
  Network network = network_of({bank_of({plane(1, 1, {1})})});
  network.input = InputScaling{.scale = 0.5, .mean = {1}};
  const Network layers = with_scaling_as_layer(network);
  REQUIRE(layers.banks.size() == 2);
  CHECK(!layers.input);
  CHECK(layers.banks.front().name == "input");
  CHECK(layers.banks.front().layers.front().rank == 2);
  CHECK(layers.banks.front().layers.front().divisor == std::vector<double>{2});
  CHECK(layers.banks.front().layers.front().bias == std::vector<float>{-1});
  network.input.reset();
  CHECK(with_scaling_as_layer(network) == network);
}

TEST_CASE("a scaling for another number of channels than the first layer takes is refused") {
  Network network = network_of({bank_of({make_layer(3, {1, 2, 1, 1}, {1, 1})})});
  network.name = "net";
  network.input = InputScaling{.mean = {1, 2, 3}};
  CHECK(
      std::string(error_of([&] { with_scaling_as_layer(network); }).what()) ==
      "net: the input is scaled with 3 numbers of mean or std, but its first layer takes 2 channels; give one number, "
      "or one per channel");
  network.input = InputScaling{.order = ChannelOrder::bgr};
  CHECK(std::string(error_of([&] { with_scaling_as_layer(network); }).what()) ==
        "net: the order bgr is one of three colours, but its first layer takes 2 channels; leave the order out");
}

}  // namespace convtool
