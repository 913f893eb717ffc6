#include "network/network_plan.h"

#include <algorithm>
#include <cmath>
#include <span>

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
                  "the bias does not match the output channels (expected 1 or " + std::to_string(shape.c_o) +
                      " numbers, got " + std::to_string(layer.bias.size()) +
                      "); give one number, or one per output channel");
    }
    geometry.problems.push_back(make_problem(input_dtype, input, shape, params));
    const Shape output = output_shape(geometry.problems.back());
    if (geometry.problems.size() == 1) {
      geometry.output = output;
    } else if (output.h != geometry.output.h || output.w != geometry.output.w) {
      throw Error(ErrorKind::shape, "",
                  "outputs of different sizes cannot be stacked ('" + bank.layers.front().name + "' gives " +
                      size_text(geometry.output) + ", '" + layer.name + "' gives " + size_text(output) +
                      "); use --padding same, or one kernel at a time");
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
  std::vector<Kernel> kernels;
  for (const Layer& layer : bank.layers) kernels.push_back(bind_kernel(layer, input.c, flip));
  if (bank.combine != Combine::none) {
    Kernel merged = interleave_channels(kernels);
    ConvProblem problem = geometry_.problems.front();
    problem.kernel = merged.shape;
    const auto count = static_cast<std::int64_t>(kernels.size());
    plans_.emplace_back(
        problem, std::move(merged),
        Epilogue{.activation = bank.layers.front().activation, .combine = bank.combine, .combine_count = count},
        options);
    return;
  }
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    plans_.emplace_back(geometry_.problems[i], std::move(kernels[i]), Epilogue{.activation = bank.layers[i].activation},
                        options);
  }
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
  Shape shape = input;
  DType dtype = input_dtype;
  for (const Bank& bank : network.banks) {
    try {
      PlanOptions bank_options = options;  // between banks tensors are planar
      bank_options.channels_last = options.channels_last && network.banks.size() == 1;
      banks_.emplace_back(bank, dtype, shape, flip, bank_options);
    } catch (const Error& error) {
      if (network.banks.size() == 1) throw;
      throw Error(error.kind(), "layer " + std::to_string(banks_.size() + 1) + " on " + to_string(shape), error.what());
    }
    shape = banks_.back().output_shape();
    dtype = DType::f32;
  }
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
  Tensor held;
  ConstTensorRef x = input;
  for (std::size_t i = 0; i + 1 < banks_.size(); ++i) {
    Tensor next(DType::f32, banks_[i].output_shape());
    banks_[i].run(x, next.ref(), {});
    held = std::move(next);
    x = std::as_const(held).ref();
    if (observer) observer(i, x);
  }
  if (observer) {
    Tensor last(DType::f32, output_shape());
    banks_.back().run(x, last.ref(), {});
    observer(banks_.size() - 1, std::as_const(last).ref());
  }
  return run_mapped(banks_.back(), x, input_dtype_, output, mapping);
}

}  // namespace convtool
