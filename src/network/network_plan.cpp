#include "network/network_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "core/percentile.h"

namespace convtool {
namespace {

/// One kernel whose sum channel c * K + k is channel c of kernel k: what Epilogue::combine_count expects.
Kernel interleave_channels(const std::vector<Kernel>& kernels) {
  Kernel merged{.shape = kernels.front().shape, .weights = {}, .bias = {}};
  const std::int64_t channels = merged.shape.c_o, taps = merged.shape.taps();
  merged.shape.c_o *= static_cast<std::int64_t>(kernels.size());
  for (std::int64_t c = 0; c < channels; ++c) {
    for (const Kernel& kernel : kernels) {
      merged.weights.insert(merged.weights.end(), kernel.taps(c, 0), kernel.taps(c, 0) + taps);
      merged.bias.push_back(kernel.bias[static_cast<std::size_t>(c)]);
      merged.divisor.push_back(kernel.divisor.empty() ? 1.0 : kernel.divisor[static_cast<std::size_t>(c)]);
    }
  }
  return merged;
}

struct BoundKernel {
  ConvProblem problem;
  Kernel kernel;
  Epilogue epilogue;
};

/// What the engine runs of a bank: one kernel when it is combined, none of a max pool.
std::vector<BoundKernel> bind_bank(const Bank& bank, const BankGeometry& geometry, bool flip) {
  if (bank.layers.front().is_max_pool()) return {};
  std::vector<Kernel> kernels;
  for (const Layer& layer : bank.layers) kernels.push_back(bind_kernel(layer, geometry.problems.front().input.c, flip));
  if (bank.combine != Combine::none) {
    Kernel merged = interleave_channels(kernels);
    ConvProblem problem = geometry.problems.front();
    problem.kernel = merged.shape;
    const auto count = static_cast<std::int64_t>(kernels.size());
    return {{problem, std::move(merged),
             Epilogue{.activation = bank.layers.front().activation, .combine = bank.combine, .combine_count = count}}};
  }
  std::vector<BoundKernel> bound;
  for (std::size_t i = 0; i < kernels.size(); ++i)
    bound.push_back({geometry.problems[i], std::move(kernels[i]), Epilogue{.activation = bank.layers[i].activation}});
  return bound;
}

/// How long a bank is expected to run on one thread, by the layout of its input and output: [channels last][channels
/// last].
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

/// For each bank whether its output is channels last, so that all together are expected to be fastest (A. Viterbi,
/// Error bounds for convolutional codes, 1967); `first` and `last` are the layouts of the network's input and output.
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

/// The range between two percentiles of the responses.
ResponseStats percentile_range(const BankPlan& bank, const ConstTensorRef& input,
                               const std::array<double, 2>& percentiles) {
  Tensor responses(DType::f32, bank.output_shape());
  bank.run(input, responses.ref(), {});
  const std::span<float> all(responses.data<float>(), static_cast<std::size_t>(responses.shape().count()));
  const std::span<float> numbers(
      all.begin(), std::partition(all.begin(), all.end(), [](float value) { return !std::isnan(value); }));
  if (numbers.empty()) return {};
  ResponseStats range;
  range.min = static_cast<double>(percentile(numbers, percentiles[0]));
  range.max = static_cast<double>(percentile(numbers, percentiles[1]));
  return range;
}

std::string size_text(const Shape& shape) { return std::to_string(shape.h) + "x" + std::to_string(shape.w); }

}  // namespace

Kernel bind_kernel(const Layer& layer, std::int64_t c_i, bool flip) {
  Kernel kernel{.shape = layer.shape, .weights = layer.weights, .bias = layer.bias, .divisor = layer.divisor};
  if (flip) {  // rotating each [kh][kw] block is reversing it
    const std::int64_t block = layer.shape.kh * layer.shape.kw;
    for (auto at = kernel.weights.begin(); at != kernel.weights.end(); at += block) std::reverse(at, at + block);
  }
  if (layer.rank == 2) {
    kernel.shape.c_o = c_i;
    const std::vector<float> one = std::move(kernel.weights);
    kernel.weights.clear();
    for (std::int64_t c = 0; c < c_i; ++c) kernel.weights.insert(kernel.weights.end(), one.begin(), one.end());
  }
  const auto channels = static_cast<std::size_t>(kernel.shape.c_o);
  if (kernel.bias.size() <= 1) kernel.bias.assign(channels, kernel.bias.empty() ? 0.0F : kernel.bias[0]);
  if (kernel.divisor.size() == 1) kernel.divisor.assign(channels, kernel.divisor[0]);
  return kernel;
}

BankGeometry bank_geometry(const Bank& bank, DType input_dtype, const Shape& input) {
  check_bank(bank);
  BankGeometry geometry;
  for (const Layer& layer : bank.layers) {
    KernelShape shape = layer.shape;
    ConvParams params = layer.params;
    if (layer.rank == 2) shape.c_o = params.groups = input.c;
    if (layer.bias.size() > 1 && static_cast<std::int64_t>(layer.bias.size()) != shape.c_o) {
      throw Error(ErrorKind::shape, "",
                  "the bias does not match the output channels (expected " +
                      (shape.c_o == 1 ? "one number" : "1 or " + std::to_string(shape.c_o) + " numbers") + ", got " +
                      std::to_string(layer.bias.size()) + "); give one number, or one per output channel");
    }
    geometry.problems.push_back(make_problem(input_dtype, input, shape, params));
    const Shape output = output_shape(geometry.problems.back());
    if (geometry.problems.size() == 1) {
      geometry.output = output;
    } else if (output.h != geometry.output.h || output.w != geometry.output.w) {
      throw Error(ErrorKind::shape, "",
                  "outputs of different sizes cannot be stacked ('" + bank.layers.front().name + "' gives " +
                      size_text(geometry.output) + ", '" + layer.name + "' gives " + size_text(output) +
                      "); give them the same padding \"same\", or take one at a time");
    } else if (bank.combine == Combine::none) {
      geometry.output.c += output.c;
    }
  }
  return geometry;
}

BankPlan::BankPlan(const Bank& bank, DType input_dtype, const Shape& input, bool flip, const PlanOptions& options)
    : geometry_(bank_geometry(bank, input_dtype, input)) {
  if (bank.layers.front().is_max_pool()) {
    pool_.emplace(geometry_.problems.front(), options);
    return;
  }
  for (BoundKernel& bound : bind_bank(bank, geometry_, flip))
    plans_.emplace_back(bound.problem, std::move(bound.kernel), bound.epilogue, options);
}

ResponseStats BankPlan::run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const {
  if (pool_) return pool_->run(input, output, map);
  ResponseStats stats;
  std::int64_t channel = 0;
  for (const ConvPlan& plan : plans_) {
    const std::int64_t count = plan.output_shape().c;
    const auto slice = output.channels(channel, count);
    stats.merge(plan.run(input, {slice.data, slice.dtype, slice.shape, slice.strides}, map));
    channel += count;
  }
  return stats;
}

ResponseStats BankPlan::measure(const ConstTensorRef& input, const Strides& output) const {
  if (pool_) return pool_->measure(input, output);
  ResponseStats stats;
  for (const ConvPlan& plan : plans_) stats.merge(plan.measure(input, output));
  return stats;
}

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

BankPlan identity_plan(DType dtype, const Shape& shape, const PlanOptions& options) {
  Layer layer{.name = "identity"};
  layer.shape = {1, 1, 1, 1};
  layer.weights = {1};
  return BankPlan({.name = "identity", .layers = {std::move(layer)}}, dtype, shape, false,
                  {.threads = options.threads, .totals = options.totals});
}

ResponseStats run_mapped(const BankPlan& bank, const ConstTensorRef& input, DType units, const TensorRef& output,
                         const Mapping& mapping) {
  ResponseStats measured;
  if (mapping.percentiles)
    measured = percentile_range(bank, input, *mapping.percentiles);
  else if (needs_measuring(mapping.map))
    measured = bank.measure(input, output.strides);
  if (mapping.map == OutputMap::signs) {
    const std::array<ValueMap, 3> maps = make_sign_maps(output.dtype, measured);
    for (std::size_t c = 0; c < maps.size(); ++c)
      bank.run(input, output.channels(static_cast<std::int64_t>(c), 1), maps[c]);
    return measured;  // what one colour cuts off another shows: nothing is clipped
  }
  return bank.run(input, output, make_value_map(mapping, units, output.dtype, measured));
}

ResponseStats NetworkPlan::run(const ConstTensorRef& input, const TensorRef& output, const Mapping& mapping,
                               const LayerObserver& observer) const {
  // Memory that the system has not given yet takes longer to touch than many a layer to run.
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
    if (!observer) spare = std::move(held);  // else its copies have the room
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
