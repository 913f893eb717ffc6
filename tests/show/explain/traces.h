// Traces of small examples: the engine's results on tensors, as the program would give them.
#pragma once

#include <utility>
#include <vector>

#include "network/network_plan.h"
#include "show/explain/explanation.h"

namespace convtool {

/// A trace and the memory behind it.
struct TraceOf {
  Tensor input, stored;
  std::vector<Tensor> responses;
  Trace trace;

  TraceOf(Network network, Tensor values, bool flip = false) : input(std::move(values)) {
    const NetworkPlan plan(network, input.dtype(), input.shape(), flip, {});
    stored = Tensor(DType::f32, plan.output_shape());
    plan.run(std::as_const(input).ref(), stored.ref(), OutputMap::clip,
             [this](std::size_t, const ConstTensorRef& seen) {
               Tensor& copy = responses.emplace_back(DType::f32, seen.shape);
               identity_plan(DType::f32, seen.shape, {}).run(seen, copy.ref(), {});
             });
    trace = {.name = "x", .network = std::move(network), .flip = flip, .rank = 3, .input = input.shape()};
    for (const BankPlan& bank : plan.banks()) trace.banks.push_back(bank.geometry());
    Trace::Numbers& numbers = trace.numbers.emplace();
    numbers.input = std::as_const(input).ref();
    for (const Tensor& seen : responses) numbers.responses.push_back(seen.ref());
    numbers.stored = std::as_const(stored).ref();
  }
};

inline Tensor tensor_of(const Shape& shape, const std::vector<float>& values) {
  Tensor tensor(DType::f32, shape);
  std::copy(values.begin(), values.end(), tensor.data<float>());
  return tensor;
}

/// 0 to 8 in three rows.
inline Tensor digits() { return tensor_of({.c = 1, .h = 3, .w = 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8}); }

/// A trace without numbers.
inline Trace shape_trace(Network network, const Shape& input) {
  Trace trace{.name = "shape", .network = std::move(network), .flip = false, .rank = 3, .input = input};
  Shape shape = input;
  for (const Bank& bank : trace.network.banks) {
    trace.banks.push_back(bank_geometry(bank, DType::f32, shape));
    shape = trace.banks.back().output;
  }
  return trace;
}

}  // namespace convtool
