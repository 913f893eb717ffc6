// Layers without weights.
#include <doctest/doctest.h>

#include <string>

#include "network/layers.h"
#include "network/outline.h"
#include "network/residual.h"

namespace convtool {
namespace {

Bank outline(Outline kind, const KernelShape& shape, std::int64_t groups, std::vector<float> bias) {
  Layer layer = make_layer(4, shape, {}, {.groups = groups}, std::move(bias));
  layer.outline = kind;
  return bank_of({layer});
}

struct Costs {
  std::int64_t parameters;
  double macs;
};

Costs costs_of(const Bank& given, const Shape& input) {
  const Bank bank = fitted(given, input);
  return {parameter_count(bank), mac_count(bank, bank_geometry(bank, DType::f32, input).problems)};
}

}  // namespace

TEST_CASE("sizes of 0 are those of the input") {
  const Shape input{1, 6, 10, 8};
  // nn.Conv2d(6, 4, (3, 5), groups=2): 4*3*3*5 weights, 4 biases; 8x4 outputs.
  Costs costs = costs_of(outline(Outline::kernel, {4, 0, 3, 5}, 2, {0}), input);
  CHECK(costs.parameters == 4 * 3 * 3 * 5 + 4);
  CHECK(costs.macs == 4.0 * 8 * 4 * 3 * 3 * 5);
  // nn.Conv2d(6, 6, 3, groups=6, bias=False).
  costs = costs_of(outline(Outline::kernel, {0, 0, 3, 3}, 0, {}), input);
  CHECK(costs.parameters == 6 * 9);
  CHECK(costs.macs == 6.0 * 8 * 6 * 9);
  // nn.Linear(480, 7) after nn.Flatten().
  costs = costs_of(outline(Outline::kernel, {7, 0, 0, 0}, 1, {0}), input);
  CHECK(costs.parameters == 480 * 7 + 7);
  CHECK(costs.macs == 480.0 * 7);
  // The copy of the input that sums need is no part of a network.
  costs = costs_of(bank_of({input_copy()}), input);
  CHECK(costs.parameters == 0);
  CHECK(costs.macs == 0);
  // nn.ConvTranspose2d(6, 4, (3, 5), groups=2): 6*2*3*5 weights, 4 biases; each of 6*10*8 inputs has 2*3*5 products.
  Bank transposed = outline(Outline::kernel, {0, 2, 3, 5}, 2, {0});
  transposed.layers.front().enlarging = Enlarging::transposed;
  costs = costs_of(transposed, input);
  CHECK(costs.parameters == 6 * 2 * 3 * 5 + 4);
  CHECK(costs.macs == 6.0 * 10 * 8 * 2 * 3 * 5);
  // nn.BatchNorm2d(6): a weight and a bias per channel.
  costs = costs_of(outline(Outline::batch_norm, {0, 0, 1, 1}, 0, {0}), input);
  CHECK(costs.parameters == 12);
  CHECK(costs.macs == 0);
  Bank activation = bank_of({plane(1, 1, {})});
  activation.layers.front().outline = Outline::activation;
  costs = costs_of(activation, input);
  CHECK(costs.parameters == 0);
  CHECK(costs.macs == 0);
  // A kernel file has the weight 1 in its place. Without an activation that is a kernel.
  Layer relu = plane(1, 1, {1});
  CHECK(costs_of(bank_of({relu}), input).parameters == 1);
  relu.activation = Activation::relu;
  CHECK(relu.is_activation());
  CHECK(costs_of(bank_of({relu}), input).parameters == 0);
  CHECK(costs_of(bank_of({relu}), input).macs == 0);
  for (const auto change : {+[](Layer& layer) { layer.weights = {2}; }, +[](Layer& layer) { layer.bias = {1}; },
                            +[](Layer& layer) { layer.divisor = {2}; },
                            +[](Layer& layer) {
                              layer.params.stride = {2, 1};
                            }}) {
    Layer kernel = relu;
    change(kernel);
    CHECK_FALSE(kernel.is_activation());
    CHECK(costs_of(bank_of({kernel}), input).parameters == 1 + std::ssize(kernel.bias));
  }
}

TEST_CASE("layers with weights are as they were, and one number of bias counts once") {
  Layer pool = plane(2, 2, {1, 1, 1, 1});
  pool.pooling = Pooling::mean;
  for (const Bank& bank : {bank_of({plane(3, 3, std::vector<float>(9, 1))}), bank_of({pool}),
                           bank_of({make_layer(4, {5, 6, 1, 1}, std::vector<float>(30, 1), {}, {2})})})
    CHECK(fitted(bank, {1, 6, 9, 9}) == bank);
  CHECK(costs_of(bank_of({pool}), {1, 6, 9, 9}).parameters == 0);
  CHECK(costs_of(bank_of({make_layer(4, {5, 6, 1, 1}, std::vector<float>(30, 1), {}, {2})}), {1, 6, 9, 9}).parameters ==
        31);
}

TEST_CASE("groups have to divide the input's channels") {
  const Error error = error_of([] { fitted(outline(Outline::kernel, {4, 0, 3, 3}, 2, {}), {1, 5, 9, 9}); });
  CHECK(error.kind() == ErrorKind::shape);
  CHECK(std::string(error.what()) ==
        "2 groups do not divide the 5 input channels; choose a number of groups that divides both channel "
        "counts");
}

TEST_CASE("commands that compute refuse layers without weights by number and name") {
  Network network = network_of({bank_of({plane(1, 1, {1})}), outline(Outline::kernel, {4, 0, 3, 3}, 1, {})});
  network.name = "net";
  CHECK(std::string(error_of([&] { check_has_weights(network); }).what()) ==
        "net: layer 2, 'layer', has no weights to compute with; give it \"weight\", or see its sizes with 'convtool "
        "shape' or 'convtool explain'");
  network.banks.pop_back();
  check_has_weights(network);
}

}  // namespace convtool
