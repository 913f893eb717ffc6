// Filtering with alpha as the weight of each colour.
#include <doctest/doctest.h>

#include <cmath>

#include "layers.h"
#include "network/premultiplied.h"

namespace convtool {
namespace {

const ConvParams kReplicated{.padding = {.rule = Padding::Rule::same, .pads = {}},
                             .padding_mode = PaddingMode::replicate};

/// A bank of one 1x3 box kernel, without a divisor.
Network box() { return network_of({bank_of({plane(1, 3, {1, 1, 1}, kReplicated)})}); }

std::vector<double> filtered(const Network& network, const Tensor& picture, DType dtype = DType::f32) {
  const PremultipliedPlan plan(network, picture.dtype(), picture.shape(), false, {});
  Tensor output(dtype, plan.network().output_shape());
  plan.run(picture.ref(), output.ref(), OutputMap::clip);
  return values_of(output.ref());
}

TEST_CASE("colours of transparent pixels do not bleed, and an opaque picture is filtered as if it had no alpha") {
  // The first row is colour, the second alpha. The colour 200 has alpha 0.
  const Tensor picture = tensor_of(DType::u8, {1, 2, 1, 4}, {10, 200, 40, 40, 255, 0, 255, 255});
  const std::vector<double> seen = filtered(box(), picture);
  // The mean of the opaque pixels in each window, (10 + 10) / 2, (10 + 40) / 2, (40 + 40) / 2 and 40, times 3, the sum
  // of the weights.
  const std::vector<double> wanted = {30, 75, 120, 120, 170, 170, 170, 255};
  for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(seen[i] == doctest::Approx(wanted[i]).epsilon(1e-6));

  Random random(3);
  Tensor opaque = random_picture(DType::u8, {1, 4, 9, 11}, random);
  std::fill_n(opaque.data<std::uint8_t>() + 3 * 99, 99, std::uint8_t{255});
  const std::vector<double> alone = values_of(run_network(box(), opaque.ref()).ref());
  const std::vector<double> weighed = filtered(box(), opaque);
  for (std::size_t i = 0; i < 3 * 99; ++i) CHECK(weighed[i] == doctest::Approx(alone[i]).epsilon(1e-6));
  for (std::size_t i = 3 * 99; i < 4 * 99; ++i) CHECK(weighed[i] == 255);
}

TEST_CASE("a fully transparent picture stays transparent and becomes black") {
  const Tensor picture = tensor_of(DType::u16, {1, 2, 1, 3}, {100, 200, 300, 0, 0, 0});
  CHECK(filtered(box(), picture, DType::u16) == std::vector<double>(6));
  CHECK(filtered(box(), picture, DType::f32) == std::vector<double>(6));
}

TEST_CASE("depths: alpha is rescaled as colours are") {
  const Tensor picture = tensor_of(DType::u8, {1, 2, 1, 1}, {100, 51});
  const Network identity = network_of({bank_of({plane(1, 1, {1})})});
  CHECK(filtered(identity, picture, DType::u8) == std::vector<double>{100, 51});
  CHECK(filtered(identity, picture, DType::u16) == std::vector<double>{100 * 257, 51 * 257});
}

TEST_CASE("alpha in floats is 0 to 1, and is rescaled to the full range of integers") {
  const Tensor picture = tensor_of(DType::f32, {1, 2, 1, 2}, {0.5, 0.25, 1, 0.5});
  const Network identity = network_of({bank_of({plane(1, 1, {1})})});
  CHECK(filtered(identity, picture, DType::f32) == std::vector<double>{0.5, 0.25, 1, 0.5});
  CHECK(filtered(identity, picture, DType::u8) == std::vector<double>{0, 0, 255, 128});  // colours by the map clip
  const Tensor bytes = tensor_of(DType::u8, {1, 2, 1, 1}, {100, 51});
  CHECK(filtered(identity, bytes, DType::f32) == std::vector<double>{100, 51});
}

TEST_CASE("with divisors and in networks, the sums of all kernels are used") {
  Layer mean = plane(1, 3, {1, 1, 1}, kReplicated);
  mean.divisor = {3};
  const Tensor picture = tensor_of(DType::u8, {1, 2, 1, 3}, {60, 60, 60, 255, 255, 255});
  CHECK(filtered(network_of({bank_of({mean})}), picture)[1] == doctest::Approx(60).epsilon(1e-6));
  const std::vector<double> twice = filtered(network_of({bank_of({mean}), bank_of({plane(1, 1, {2})})}), picture);
  CHECK(twice[1] == doctest::Approx(120).epsilon(1e-6));
  CHECK(twice[4] == doctest::Approx(255).epsilon(1e-6));
  const Network threefold = network_of({bank_of({plane(1, 3, {1, 1, 1}, kReplicated)}), bank_of({plane(1, 1, {2})})});
  CHECK(filtered(threefold, picture)[4] == doctest::Approx(255).epsilon(1e-6));
}

TEST_CASE("upsampling and means of what is seen weigh colours by alpha; other layers are refused by name") {
  // Colours 10 and 50 with alpha 1 and 0.5, in f32.
  const Tensor picture = tensor_of(DType::f32, {1, 2, 1, 2}, {10, 50, 1, 0.5});
  Layer bilinear = make_layer(2, {}, {}, {.stride = {1, 2}});
  bilinear.enlarging = Enlarging::bilinear;
  const std::vector<double> got = filtered(network_of({bank_of({bilinear})}), picture);
  // alpha 1, 7/8, 5/8, 1/2; colour * alpha 10, (3 * 10 + 25) / 4, (10 + 3 * 25) / 4, 25
  const std::vector<double> expected = {10, 13.75 / 0.875, 21.25 / 0.625, 50, 1, 0.875, 0.625, 0.5};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-6));

  Layer mean = make_layer(2, {}, {});
  mean.pooling = Pooling::mean;
  mean.pool = {.is_global = true, .counts_padding = false};
  const std::vector<double> whole = filtered(network_of({bank_of({mean})}), picture);
  CHECK(whole[0] == doctest::Approx(35 / 1.5).epsilon(1e-6));
  CHECK(whole[1] == doctest::Approx(0.75).epsilon(1e-6));

  const auto refusal = [&](Layer layer) {
    Bank bank = bank_of({std::move(layer)});
    bank.name = "it";
    return error_of([&] { filtered(network_of({bank}), picture); });
  };
  mean.pool = {.ceil_mode = true};
  mean.shape = {1, 1, 2, 2};
  CHECK(contains(refusal(mean), "kernel 'it' is a mean pool that counts its padding"));
  bilinear.enlarging = Enlarging::transposed;
  CHECK(contains(refusal(bilinear), "kernel 'it' is a transposed convolution"));
}

TEST_CASE("kernels that cannot be divided by filtered alpha are refused with an alternative") {
  const auto refusal = [](const Network& network) -> std::string {
    try {
      PremultipliedPlan(network, DType::u8, {1, 4, 8, 8}, false, {});
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::shape);
      return error.what();
    }
    return "none";
  };
  const auto refused = [&](const Network& network, const char* why) {
    const std::string text = refusal(network);
    return text.find(why) != std::string::npos && text.find("--alpha keep") != std::string::npos;
  };
  CHECK(refused(network_of({bank_of({plane(1, 2, {-1, 1})})}), "not above 0"));
  CHECK(refused(network_of({bank_of({plane(1, 1, {-1})})}), "not above 0"));
  CHECK(refused(network_of({bank_of({plane(1, 1, {1}), plane(1, 1, {1})})}), "several"));
  CHECK(refused(network_of({bank_of({make_layer(3, {1, 4, 1, 1}, {1, 1, 1, 1})})}), "mixes channels"));
  CHECK(refused(network_of({bank_of({make_layer(2, {1, 1, 1, 1}, {1}, {}, {5})})}), "bias"));
  Layer active = plane(1, 1, {1});
  active.activation = Activation::relu;
  CHECK(refused(network_of({bank_of({active})}), "activation"));
  const ConvParams constant{.padding_mode = PaddingMode::constant, .padding_value = 255};
  CHECK(refused(network_of({bank_of({plane(1, 1, {1}, constant)})}), "padded with a constant"));
  CHECK(refusal(box()) == "none");
}

}  // namespace
}  // namespace convtool
