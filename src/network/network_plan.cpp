#include "network/network_plan.h"

#include <array>
#include <limits>
#include <utility>

namespace convtool {
namespace {

/// The nanoseconds that a bank is expected to take on one thread, by the layout of its input and of its output:
/// [input is channels last][output is channels last].
using LayoutCosts = std::array<std::array<double, 2>, 2>;

LayoutCosts layout_costs(const Bank& bank, const BankGeometry& geometry, bool flip, PlanOptions options) {
  LayoutCosts costs = {};
  const std::vector<BoundKernel> kernels = bind_bank(bank, geometry, flip);
  for (const bool in : {false, true})
    for (const bool out : {false, true}) {
      options.input_channels_last = in;
      options.output_channels_last = out;
      double& cost = costs[in][out];
      for (const BoundKernel& k : kernels) cost += expected_nanoseconds(k.problem, k.kernel, options);
      if (kernels.empty()) cost = MaxPool::expected_nanoseconds(geometry.problems.front(), options);
    }
  return costs;
}

/// Chooses for each bank whether its output is channels last, so that the sum of all costs is least (A. Viterbi, Error
/// bounds for convolutional codes, 1967). `first` and `last` say whether the network's input and output are channels
/// last.
std::vector<bool> choose_layouts(const std::vector<LayoutCosts>& costs, bool first, bool last) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::array<double, 2> least = {first ? kNever : 0, first ? 0 : kNever};
  std::vector<std::array<bool, 2>> best_input;
  for (const LayoutCosts& cost : costs) {
    std::array<double, 2> next = {};
    std::array<bool, 2> best = {};
    for (const bool out : {false, true}) {
      best[out] = least[true] + cost[true][out] < least[false] + cost[false][out];
      next[out] = least[best[out]] + cost[best[out]][out];
    }
    best_input.push_back(best);
    least = next;
  }
  std::vector<bool> outputs(costs.size());
  for (std::size_t i = costs.size(); i-- > 0;) {
    outputs[i] = last;
    last = best_input[i][last];
  }
  return outputs;
}

}  // namespace

NetworkPlan::NetworkPlan(const Network& network, DType input_dtype, const Shape& input, bool flip,
                         const PlanOptions& options)
    : input_dtype_(input_dtype) {
  std::vector<Shape> inputs = {input};
  std::vector<LayoutCosts> costs;
  const auto dtype_of = [&](std::size_t bank) { return bank == 0 ? input_dtype : DType::f32; };
  const auto naming = [&](std::size_t bank, const auto& work) {
    try {
      work(network.banks[bank]);
    } catch (const Error& error) {
      if (network.banks.size() == 1) throw;
      throw Error(error.kind(), "layer " + std::to_string(bank + 1) + " on " + to_string(inputs[bank]), error.what());
    }
  };
  const std::size_t count = network.banks.size();
  for (std::size_t i = 0; i < count; ++i)
    naming(i, [&](const Bank& bank) {
      const BankGeometry geometry = bank_geometry(bank, dtype_of(i), inputs[i]);
      costs.push_back(count == 1 ? LayoutCosts() : layout_costs(bank, geometry, flip, options));
      inputs.push_back(geometry.output);
    });
  channels_last_ = choose_layouts(costs, options.input_channels_last, options.output_channels_last);
  PlanOptions bank_options = options;
  for (std::size_t i = 0; i < count; ++i)
    naming(i, [&](const Bank& bank) {
      bank_options.output_channels_last = channels_last_[i];
      banks_.emplace_back(bank, dtype_of(i), inputs[i], flip, bank_options);
      bank_options.input_channels_last = channels_last_[i];
    });
}

ResponseStats NetworkPlan::run(const ConstTensorRef& input, const TensorRef& output, const Mapping& mapping,
                               const LayerObserver& observer) const {
  // Memory is reused where possible: touching fresh pages for the first time can take longer than running a layer.
  Tensor held, spare;
  const auto take = [&spare](const Shape& shape) {
    const bool fits = spare.shape().count() >= shape.count();
    if (!fits) spare = {};
    return fits ? std::exchange(spare, {}).reshaped(shape) : Tensor(DType::f32, shape);
  };
  ConstTensorRef x = input;
  for (std::size_t i = 0; i + 1 < banks_.size(); ++i) {
    Tensor next = take(banks_[i].output_shape());
    const TensorRef result = channels_last_[i] ? channels_last(next) : next.ref();
    banks_[i].run(x, result, {});
    if (!observer) spare = std::move(held);  // an observer's copies need the memory
    held = std::move(next);
    x = result;
    if (observer) observer(i, x);
  }
  spare = {};
  if (observer) {
    Tensor last(DType::f32, output_shape());
    banks_.back().run(x, last.ref(), {});
    observer(banks_.size() - 1, std::as_const(last).ref());
  }
  return run_mapped(banks_.back(), x, input_dtype_, output, mapping);
}

}  // namespace convtool
