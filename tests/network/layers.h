// Helpers to construct and run layers, banks and networks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "network/network_plan.h"
#include "support/convolve.h"
#include "support/params.h"

namespace convtool {

inline Layer make_layer(int rank, const KernelShape& shape, std::vector<float> weights, const ConvParams& params = {},
                        std::vector<float> bias = {}) {
  Layer layer;
  layer.name = "layer";
  layer.rank = rank;
  layer.shape = shape;
  layer.weights = std::move(weights);
  layer.bias = std::move(bias);
  layer.params = params;
  return layer;
}

/// A rank-2 layer, which has one plane of weights.
inline Layer plane(std::int64_t kh, std::int64_t kw, std::vector<float> weights, const ConvParams& params = {}) {
  return make_layer(2, {1, 1, kh, kw}, std::move(weights), params);
}

inline Bank bank_of(std::vector<Layer> layers, Combine combine = Combine::none) {
  Bank bank;
  bank.layers = std::move(layers);
  bank.combine = combine;
  return bank;
}

inline Network network_of(std::vector<Bank> banks) {
  Network network;
  network.banks = std::move(banks);
  return network;
}

/// Runs a bank and returns its responses in f32.
inline Tensor run_bank(const Bank& bank, const ConstTensorRef& input, bool flip = false) {
  const BankPlan plan(bank, input.dtype, input.shape, flip, {});
  Tensor output(DType::f32, plan.output_shape());
  plan.run(input, output.ref(), {});
  return output;
}

/// Runs a network on `input` and returns its output, in the given type and with the given map.
inline Tensor run_network(const Network& network, const ConstTensorRef& input, DType dtype = DType::f32,
                          OutputMap map = OutputMap::clip) {
  const NetworkPlan plan(network, input.dtype, input.shape, false, {});
  Tensor output(dtype, plan.output_shape());
  plan.run(input, output.ref(), map);
  return output;
}

inline Tensor random_picture(DType dtype, const Shape& shape, Random& random) {
  return filled(dtype, shape, [&] { return random.between(0, dtype == DType::u16 ? 65535 : 255); });
}

inline std::vector<float> random_weights(std::int64_t count, Random& random) {
  return floats(count, [&] { return random.between(-9, 9); });
}

/// The values of several outputs, as one list.
inline std::vector<double> joined(const std::vector<Tensor>& parts) {
  std::vector<double> all;
  for (const Tensor& part : parts) {
    const std::vector<double> values = values_of(part.ref());
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// Runs `body` and returns the error that it throws.
template <class Body>
Error error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  throw Error(ErrorKind::internal, "", "a test expected an error and there was none");
}

inline bool contains(const Error& error, std::string_view words) {
  return std::string_view(error.what()).find(words) != std::string_view::npos;
}

}  // namespace convtool
