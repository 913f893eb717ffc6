// The worked examples of the course on convolution (Dive into Deep Learning, chapter 7), as layers and banks.
#include <doctest/doctest.h>

#include "network/layers.h"

namespace convtool {
namespace {

const Shape kThree{1, 1, 3, 3};

/// A 6x8 picture, white with a black band in columns 2 to 5.
Tensor band() {
  return filled(DType::f32, {1, 1, 6, 8}, [i = 0]() mutable {
    const int column = i++ % 8;
    return column >= 2 && column <= 5 ? 0 : 1;
  });
}

Tensor transposed(const Tensor& x) {
  ConstTensorRef turned = x.ref();
  turned.shape = {1, 1, x.shape().w, x.shape().h};
  turned.strides = {0, 0, 1, x.shape().w};
  return tensor_of(DType::f32, turned.shape, values_of(turned));
}

/// Two channels, 0..8 and 1..9.
Tensor two_channels() {
  return tensor_of(DType::f32, {1, 2, 3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

std::vector<double> run_layer(const Layer& layer, const Tensor& x, bool flip = false) {
  return values_of(run_bank(bank_of({layer}), x.ref(), flip).ref());
}

TEST_CASE("1: cross-correlation") {
  CHECK(run_layer(plane(2, 2, {0, 1, 2, 3}), counting(kThree)) == std::vector<double>{19, 25, 37, 43});
}

TEST_CASE("2: a layer adds a bias") {
  Layer layer = plane(2, 2, {0, 1, 2, 3});
  layer.bias = {0.5F};
  CHECK(run_layer(layer, counting(kThree)) == std::vector<double>{19.5, 25.5, 37.5, 43.5});
}

TEST_CASE("3: the edges of an object") {
  const Tensor y = run_bank(bank_of({plane(1, 2, {1, -1})}), band().ref());
  CHECK(y.shape() == Shape{1, 1, 6, 7});
  for (std::int64_t row = 0; row < 6; ++row) {
    const float* at = y.data<float>() + row * 7;
    CHECK(std::vector<float>(at, at + 7) == std::vector<float>{0, 1, 0, 0, 0, -1, 0});
  }
}

TEST_CASE("4: a kernel for vertical edges does not see horizontal ones") {
  const Tensor y = run_bank(bank_of({plane(1, 2, {1, -1})}), transposed(band()).ref());
  CHECK(y.shape() == Shape{1, 1, 8, 5});
  CHECK(values_of(y.ref()) == std::vector<double>(40, 0.0));
  const Tensor seen = run_bank(bank_of({plane(2, 1, {1, -1})}), transposed(band()).ref());
  CHECK(values_of(transposed(seen).ref()) == run_layer(plane(1, 2, {1, -1}), band()));
}

TEST_CASE("6: convolution is cross-correlation with the kernel flipped both ways") {
  CHECK(run_layer(plane(2, 2, {0, 1, 2, 3}), counting(kThree), true) == std::vector<double>{5, 11, 23, 29});
  CHECK(run_layer(plane(2, 2, {3, 2, 1, 0}), counting(kThree)) == std::vector<double>{5, 11, 23, 29});
}

TEST_CASE("7 to 10: padding and stride") {
  struct Row {
    Extent kernel, padding, stride;
    Shape output;
  };
  const Row rows[] = {{{3, 3}, {1, 1}, {1, 1}, {1, 1, 8, 8}},
                      {{5, 3}, {2, 1}, {1, 1}, {1, 1, 8, 8}},
                      {{3, 3}, {1, 1}, {2, 2}, {1, 1, 4, 4}},
                      {{3, 5}, {0, 1}, {3, 4}, {1, 1, 2, 2}}};
  const Tensor x = counting({1, 1, 8, 8});
  for (const Row& row : rows) {
    const auto [kernel, padding, stride, output] = row;
    const std::vector<float> ones(static_cast<std::size_t>(kernel.h * kernel.w), 1.0F);
    const Params params{.stride = stride, .padding = pads(padding.h, padding.w, padding.h, padding.w)};
    const Tensor y = run_bank(bank_of({plane(kernel.h, kernel.w, ones, params)}), x.ref());
    CHECK(y.shape() == output);
    // The first output is the sum of the pixels 8 * i + j that the kernel covers inside the picture.
    double first = 0;
    for (std::int64_t i = 0; i < kernel.h - padding.h; ++i)
      for (std::int64_t j = 0; j < kernel.w - padding.w; ++j) first += static_cast<double>(8 * i + j);
    CHECK(values_of(y.ref())[0] == first);
  }
}

TEST_CASE("11: several input channels are summed") {
  const Layer layer = make_layer(3, {1, 2, 2, 2}, {0, 1, 2, 3, 1, 2, 3, 4});
  CHECK(run_layer(layer, two_channels()) == std::vector<double>{56, 72, 104, 120});
}

TEST_CASE("12: several output channels") {
  std::vector<float> weights;
  for (int o = 0; o < 3; ++o)
    for (const int k : {0, 1, 2, 3, 1, 2, 3, 4}) weights.push_back(static_cast<float>(k + o));
  CHECK(run_layer(make_layer(4, {3, 2, 2, 2}, weights), two_channels()) ==
        std::vector<double>{56, 72, 104, 120, 76, 100, 148, 172, 96, 128, 192, 224});
}

TEST_CASE("13: a 1x1 convolution is a matrix product over channels") {
  Random random(13);
  const Tensor x = filled(DType::f32, {1, 3, 3, 3}, [&] { return static_cast<double>(random.between(-64, 64)) / 8; });
  const std::vector<float> weights = floats(6, [&] { return static_cast<double>(random.between(-16, 16)) / 8; });
  const std::vector<double> xs = values_of(x.ref());
  std::vector<double> product(18, 0.0);
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t p = 0; p < 9; ++p) product[o * 9 + p] += static_cast<double>(weights[o * 3 + c]) * xs[c * 9 + p];
  CHECK(run_layer(make_layer(4, {2, 3, 1, 1}, weights), x) == product);
}

TEST_CASE("15: depth shrinks the picture, until a layer cannot run") {
  const Bank five = bank_of({plane(5, 5, std::vector<float>(25, 0.04F))});
  const NetworkPlan seven(network_of(std::vector<Bank>(7, five)), DType::f32, {1, 1, 32, 32}, false, {});
  std::int64_t size = 32;
  for (const BankPlan& bank : seven.banks()) CHECK(bank.output_shape() == Shape{1, 1, size -= 4, size});
  CHECK(size == 4);
  const Error error = error_of([&] {
    const NetworkPlan eight(network_of(std::vector<Bank>(8, five)), DType::f32, {1, 1, 32, 32}, false, {});
  });
  CHECK(contains(error, "layer 8 on 1x4x4"));
}

}  // namespace
}  // namespace convtool
