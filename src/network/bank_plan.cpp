#include "network/bank_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "conv/bands.h"
#include "core/percentile.h"
#include "core/text.h"
#include "network/bias.h"
#include "network/pools/pool_windows.h"

namespace convtool {
namespace {

/// Merges K kernels into one whose channel c * K + k is channel c of kernel k, as Epilogue::combine_count expects.
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

Epilogue epilogue_of(const Layer& layer) {
  return {.activation = layer.activation, .numbers = layer.activation_numbers};
}

/// Columns [first, first + count) of the same memory.
ConstTensorRef column_range(ConstTensorRef tensor, std::int64_t first, std::int64_t count) {
  tensor.data = static_cast<const std::byte*>(tensor.data) + first * tensor.strides.w * size_of(tensor.dtype);
  tensor.shape.w = count;
  return tensor;
}

/// The outputs of `phase` in `output`.
TensorRef outputs_of(const Phase& phase, const Extent& step, TensorRef output) {
  output.data = static_cast<std::byte*>(output.data) +
                (phase.rows.first * output.strides.h + phase.columns.first * output.strides.w) * size_of(output.dtype);
  output.shape.h = phase.rows.count;
  output.shape.w = phase.columns.count;
  output.strides.h *= step.h;
  output.strides.w *= step.w;
  return output;
}

/// `c_o` output channels take one bias, or one each.
void check_bias(const Layer& layer, std::int64_t c_o) {
  const std::int64_t count = std::ssize(layer.bias);
  if (count <= 1 || count == c_o) return;
  refuse_shape("", "the bias does not match the output channels (expected " + bias_sizes(c_o) + ", got " +
                       std::to_string(count) + ")" + bias_remedy(c_o));
}

/// Batch normalisation has one factor for each channel of its input.
void check_batch_norm(const Layer& layer, const Shape& input) {
  if (!layer.is_batch_norm || layer.shape.c_o == input.c) return;
  refuse_shape("", "the batch normalisation has numbers for " + counted(layer.shape.c_o, "channel") +
                       ", but its input has " + std::to_string(input.c) + "; give one number per channel of the input");
}

Tensor zero_pixel(DType dtype, const Shape& input) {
  Tensor zeros(dtype, {.n = input.n, .c = input.c, .h = 1, .w = 1});
  visit_dtype(dtype, [&]<class T>(T) { std::fill_n(zeros.data<T>(), zeros.shape().count(), T{}); });
  return zeros;
}

/// The statistics of the responses in red, green and blue, where a response counts as clipped if it is further from 0
/// than the full colour. A value outside the range of one colour alone is no loss: it is seen in another.
ResponseStats with_sign_clips(const std::array<ResponseStats, 3>& colours, SignedZero zero) {
  const ResponseStats &red = colours[0], &blue = colours[2];
  ResponseStats stats = red;
  switch (zero) {
    case SignedZero::white: stats.clipped_high = blue.clipped_low; break;
    case SignedZero::black:
      stats.clipped_low = blue.clipped_high;
      stats.clipped_high = red.clipped_high;
      break;
    case SignedZero::grey: break;
  }
  return stats;
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
    if (layer.enlarging != Enlarging::none) {  // alone in its bank
      geometry.enlarged = enlarge(layer, input);
      geometry.problems.push_back(described(layer, input_dtype, input));
      geometry.output = geometry.enlarged->output;
      check_bias(layer, geometry.output.c);
      return geometry;
    }
    KernelShape shape = layer.shape;
    ConvParams params = layer.params;
    if (layer.rank == 2) shape.c_o = params.groups = input.c;
    check_batch_norm(layer, input);
    check_bias(layer, shape.c_o);
    geometry.problems.push_back(layer.pooling != Pooling::none ? pool_windows(layer, input_dtype, input)
                                                               : make_problem(input_dtype, input, shape, params));
    const Shape output = output_shape(geometry.problems.back());
    if (geometry.problems.size() == 1) {
      geometry.output = output;
    } else if (output.h != geometry.output.h || output.w != geometry.output.w) {
      refuse_shape("", "outputs of different sizes cannot be stacked ('" + bank.layers.front().name + "' gives " +
                           size_text(geometry.output) + ", '" + layer.name + "' gives " + size_text(output) +
                           "); give both padding \"same\", or run them one at a time");
    } else if (bank.combine == Combine::none) {
      geometry.output.c += output.c;
    }
  }
  return geometry;
}

std::vector<std::string> size_formulas(const Layer& layer, const BankGeometry& geometry) {
  const ConvProblem& problem = geometry.problems.front();
  if (layer.is_activation() || layer.outline == Outline::batch_norm || !layer.add.empty()) return {};
  if (geometry.enlarged)
    return {enlarged_height_formula(layer, problem.input), enlarged_width_formula(layer, problem.input)};
  if (layer.pooling != Pooling::none) return {pool_height_formula(layer, problem), pool_width_formula(layer, problem)};
  return {height_formula(problem), width_formula(problem)};
}

std::vector<BoundKernel> bind_bank(const Bank& bank, const BankGeometry& geometry, bool flip) {
  const Layer& first = bank.layers.front();
  if (first.is_window_pool()) return {};
  if (geometry.enlarged) {
    std::vector<BoundKernel> bound;
    const ConvProblem& whole = geometry.problems.front();
    for (const Phase& phase : phases_of(first, whole.input_dtype, whole.input))
      bound.push_back({phase.problem, phase_kernel(first, phase, flip), epilogue_of(first)});
    return bound;
  }
  std::vector<Kernel> kernels;
  for (const Layer& layer : bank.layers) kernels.push_back(bind_kernel(layer, geometry.problems.front().input.c, flip));
  if (bank.combine != Combine::none) {
    Kernel merged = interleave_channels(kernels);
    ConvProblem problem = geometry.problems.front();
    problem.kernel = merged.shape;
    Epilogue epilogue = epilogue_of(first);
    epilogue.combine = bank.combine;
    epilogue.combine_count = std::ssize(kernels);
    return {{problem, std::move(merged), epilogue}};
  }
  std::vector<BoundKernel> bound;
  for (std::size_t i = 0; i < kernels.size(); ++i)
    bound.push_back({geometry.problems[i], std::move(kernels[i]), epilogue_of(bank.layers[i])});
  return bound;
}

BankPlan::BankPlan(const Bank& bank, DType input_dtype, const Shape& input, bool flip, const PlanOptions& options)
    : geometry_(bank_geometry(bank, input_dtype, input)) {
  const Layer& first = bank.layers.front();
  const ConvProblem& windows = geometry_.problems.front();
  if (first.is_max_pool()) {
    pool_.emplace(MaxPool(windows, epilogue_of(first), options));
  } else if (first.is_window_pool()) {
    pool_.emplace(
        MeanPool(windows, counted_pads(first, windows), first.pool.counts_padding, epilogue_of(first), options));
  }
  for (BoundKernel& bound : bind_bank(bank, geometry_, flip))
    plans_.emplace_back(bound.problem, std::move(bound.kernel), bound.epilogue, options);
  if (!geometry_.enlarged) return;
  phases_ = phases_of(first, input_dtype, input);
  if (std::any_of(phases_.begin(), phases_.end(), [](const Phase& phase) { return phase.sees_zeros(); }))
    zeros_ = std::make_shared<const Tensor>(zero_pixel(input_dtype, input));
}

ResponseStats BankPlan::run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map,
                            std::optional<double> largest) const {
  if (pool_) return std::visit([&](const auto& pool) { return pool.run(input, output, map); }, *pool_);
  ResponseStats stats;
  std::int64_t channel = 0;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const ConvPlan& plan = plans_[i];
    const std::int64_t count = plan.output_shape().c;
    const TensorRef slice = geometry_.enlarged ? outputs_of(phases_[i], geometry_.enlarged->step, output)
                                               : TensorRef(output.channels(channel, count));
    ValueMap own = map;
    if (own.threshold && is_integer(input.dtype))
      *own.threshold += largest ? plan.error_bound_of_picture(*largest) : plan.error_bound(input);
    stats.merge(plan.run(read_by(i, input), slice, own));
    channel += count;
  }
  return stats;
}

ResponseStats BankPlan::measure(const ConstTensorRef& input, const Strides& output) const {
  if (pool_) return std::visit([&](const auto& pool) { return pool.measure(input, output); }, *pool_);
  ResponseStats stats;
  for (std::size_t i = 0; i < plans_.size(); ++i) stats.merge(plans_[i].measure(read_by(i, input), output));
  return stats;
}

ConstTensorRef BankPlan::read_by(std::size_t plan, const ConstTensorRef& input) const {
  if (geometry_.enlarged) {
    const Phase& phase = phases_[plan];
    if (phase.sees_zeros()) return zeros_->ref();
    const Range &rows = phase.rows.input, &columns = phase.columns.input;
    return column_range(input.rows(rows.begin, rows.end - rows.begin), columns.begin, columns.end - columns.begin);
  }
  if (reads_.empty()) return input;
  const Range& rows = reads_[plan];
  return input.rows(rows.begin, rows.end - rows.begin);
}

bool BankPlan::has_bands() const {
  if (geometry_.enlarged || (pool_ && std::holds_alternative<MeanPool>(*pool_))) return false;
  std::set<PaddingMode> modes;
  for (const ConvProblem& problem : geometry_.problems) {
    if (!convtool::has_bands(problem)) return false;
    if (!is_constant(problem.padding_mode)) modes.insert(problem.padding_mode);
  }
  return modes.size() <= 1;
}

PaddingMode BankPlan::padding_mode() const {
  for (const ConvProblem& problem : geometry_.problems)
    if (!is_constant(problem.padding_mode)) return problem.padding_mode;
  return PaddingMode::zeros;
}

Range BankPlan::band_input(const Range& rows) const {
  Range all = convtool::band_input(geometry_.problems.front(), rows);
  for (const ConvProblem& problem : geometry_.problems) {
    const Range own = convtool::band_input(problem, rows);
    all = {std::min(all.begin, own.begin), std::max(all.end, own.end)};
  }
  return all;
}

BankPlan BankPlan::band(const Range& rows, int threads) const {
  BankPlan band;
  band.geometry_.output = geometry_.output;
  band.geometry_.output.n = 1;
  band.geometry_.output.h = rows.end - rows.begin;
  for (const ConvProblem& problem : geometry_.problems) band.geometry_.problems.push_back(band_problem(problem, rows));
  if (pool_) band.pool_.emplace(std::get<MaxPool>(*pool_).band(rows, threads));
  const std::int64_t first = band_input(rows).begin;
  for (const ConvPlan& plan : plans_) {
    const Range reads = convtool::band_input(plan.problem(), rows);
    band.reads_.push_back({reads.begin - first, reads.end - first});
    band.plans_.push_back(plan.band(rows, threads));
  }
  return band;
}

std::int64_t BankPlan::row_period() const {
  std::int64_t period = 1;
  for (const ConvPlan& plan : plans_) period = std::lcm(period, plan.row_period());
  return period;
}

double BankPlan::thread_memory() const {
  if (pool_) return std::visit([](const auto& pool) { return pool.thread_memory(); }, *pool_);
  double most = 0;  // one plan runs after another
  for (const ConvPlan& plan : plans_) most = std::max(most, plan.thread_memory());
  return most;
}

double BankPlan::work_memory() const {
  if (pool_) return threads() * thread_memory();
  double most = 0;
  for (const ConvPlan& plan : plans_) most = std::max(most, plan.threads() * plan.thread_memory());
  return most;
}

const ConvProblem& BankPlan::problem() const {
  if (pool_) return std::visit([](const auto& pool) -> const ConvProblem& { return pool.windows(); }, *pool_);
  return geometry_.enlarged ? geometry_.problems.front() : plans_.front().problem();
}

int BankPlan::threads() const {
  if (pool_) return std::visit([](const auto& pool) { return pool.threads(); }, *pool_);
  return plans_.front().threads();
}

std::string BankPlan::algorithm() const {
  if (pool_) return "pool";
  std::set<std::string_view> seen;
  std::string text;
  for (const ConvPlan& plan : plans_)
    if (seen.insert(plan.algorithm()).second) text += (text.empty() ? "" : "+") + std::string(plan.algorithm());
  return text;
}

BankPlan identity_plan(DType dtype, const Shape& shape, const PlanOptions& options) {
  Layer layer{.name = "identity"};
  layer.shape = {1, 1, 1, 1};
  layer.weights = {1};
  return BankPlan({.name = "identity", .layers = {std::move(layer)}}, dtype, shape, false,
                  {.threads = options.threads, .totals = options.totals});
}

ResponseStats percentile_range(std::span<float> responses, const std::array<double, 2>& percentiles) {
  const std::span<float> numbers(responses.begin(), std::partition(responses.begin(), responses.end(),
                                                                   [](float value) { return !std::isnan(value); }));
  if (numbers.empty()) return {};
  ResponseStats range;
  range.min = static_cast<double>(percentile(numbers, percentiles[0]));
  range.max = static_cast<double>(percentile(numbers, percentiles[1]));
  return range;
}

namespace {

/// Gives responses beyond `limit` the green of the limit. Their red and blue saturate there; green has half of the
/// range left. A response that is not a number stays black.
void limit_green(const TensorRef& colours, const ValueMap& green, double limit) {
  const double most = std::nearbyint((limit - green.shift) * green.scale + green.offset);
  const bool falls = green.scale < 0;  // from white
  visit_dtype(colours.dtype, [&]<class T>(T) {
    const auto view = colours.view<T>();
    const T bound = static_cast<T>(most);
    const Shape& shape = view.shape;
    for (std::int64_t n = 0; n < shape.n; ++n)
      for (std::int64_t y = 0; y < shape.h; ++y)
        for (std::int64_t x = 0; x < shape.w; ++x) {
          T& value = view.at(n, 1, y, x);
          const bool is_number = view.at(n, 0, y, x) != T{} || view.at(n, 2, y, x) != T{};
          if (is_number && (falls ? value < bound : value > bound)) value = bound;
        }
  });
}

}  // namespace

ResponseStats run_measured(const BankPlan& bank, const ConstTensorRef& input, DType units, const TensorRef& output,
                           const Mapping& mapping, const ResponseStats& measured, std::optional<double> largest) {
  if (mapping.map == OutputMap::signs) {
    const std::array<ValueMap, 3> maps = make_sign_maps(output.dtype, measured, mapping.zero);
    std::array<ResponseStats, 3> stats;
    for (std::size_t c = 0; c < maps.size(); ++c)
      stats[c] = bank.run(input, output.channels(static_cast<std::int64_t>(c), 1), maps[c]);
    // Without percentiles, no response is beyond the limit.
    if (mapping.percentiles && mapping.zero != SignedZero::grey)
      limit_green(output, maps[1], std::max(std::fabs(measured.min), std::fabs(measured.max)));
    return with_sign_clips(stats, mapping.zero);
  }
  return bank.run(input, output, make_value_map(mapping, units, output.dtype, measured), largest);
}

ResponseStats run_mapped(const BankPlan& bank, const ConstTensorRef& input, DType units, const TensorRef& output,
                         const Mapping& mapping) {
  ResponseStats measured;
  if (mapping.percentiles) {
    Tensor responses(DType::f32, bank.output_shape());
    bank.run(input, responses.ref(), {});
    measured = percentile_range({responses.data<float>(), static_cast<std::size_t>(responses.shape().count())},
                                *mapping.percentiles);
  } else if (needs_measuring(mapping.map)) {
    measured = bank.measure(input, output.strides);
  }
  return run_measured(bank, input, units, output, mapping, measured);
}

}  // namespace convtool
