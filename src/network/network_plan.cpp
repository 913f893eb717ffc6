#include "network/network_plan.h"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "network/residual.h"

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
      if (kernels.empty()) {
        const ConvProblem& windows = geometry.problems.front();
        cost = bank.layers.front().is_max_pool() ? MaxPool::expected_nanoseconds(windows, options)
                                                 : MeanPool::expected_nanoseconds(windows, options);
      }
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

void check_plannable(const Shape& shape, std::int64_t max_pixels, const char* what) {
  if (shape.h > max_pixels / shape.w) {
    refuse_shape("", std::string(what) + " is too large (" + std::to_string(shape.w) + "x" + std::to_string(shape.h) +
                         ", at most " + std::to_string(max_pixels) +
                         " pixels); raise --max-pixels if this is intended");
  }
  constexpr double kAddressable = 0x1p46;  // elements; far beyond any memory, well within 64 bits
  if (static_cast<double>(shape.n) * static_cast<double>(shape.c) * static_cast<double>(shape.h) *
          static_cast<double>(shape.w) >
      kAddressable) {
    throw Error(ErrorKind::memory, "",
                std::string(what) + " of " + to_string(shape) + " needs more memory than there is");
  }
}

NetworkPlan::NetworkPlan(const Network& network, DType input_dtype, const Shape& input, bool flip,
                         const PlanOptions& options)
    : input_dtype_(input_dtype),
      threads_(options.threads),
      addends_(addends_of(network)),
      sources_(sources_of(network)),
      last_uses_(last_uses(addends_, sources_)) {
  std::vector<Shape> inputs, outputs;
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
  for (std::size_t i = 0; i < count; ++i) {
    inputs.push_back(i == 0 ? input : outputs[sources_[i].value_or(i - 1)]);
    naming(i, [&](const Bank& bank) {
      if (addends_[i]) check_sum(bank.layers.front().add, outputs[*addends_[i]], inputs[i]);
      const BankGeometry geometry = bank_geometry(bank, dtype_of(i), inputs[i]);
      if (i == 0) check_plannable(input, options.max_pixels, "the input");
      check_plannable(geometry.output, options.max_pixels, "the result");
      costs.push_back(count == 1 ? LayoutCosts() : layout_costs(bank, geometry, flip, options));
      outputs.push_back(geometry.output);
    });
  }
  channels_last_ = choose_layouts(costs, options.input_channels_last, options.output_channels_last);
  PlanOptions bank_options = options;
  for (std::size_t i = 0; i < count; ++i)
    naming(i, [&](const Bank& bank) {
      if (i > 0) bank_options.input_channels_last = channels_last_[sources_[i].value_or(i - 1)];
      bank_options.output_channels_last = channels_last_[i];
      banks_.emplace_back(bank, dtype_of(i), inputs[i], flip, bank_options);
    });
}

/// The results of the banks that are still needed. Memory is reused where possible: touching fresh pages for the first
/// time can take longer than running a layer.
class NetworkPlan::Results {
 public:
  Results(const NetworkPlan& plan, const ConstTensorRef& input)
      : plan_(plan), newest_(input), kept_(plan.banks_.size()) {}

  /// The input of bank `i`, the next one: the newest result or the one that it names, with what it adds to that.
  const ConstTensorRef& input_of(std::size_t i) {
    if (const std::optional<std::size_t>& source = plan_.sources_[i]) {
      if (held_.shape().count() > 0) spare_ = std::exchange(held_, {});  // no bank needs the newest any more
      newest_ = view(kept_[*source], *source);
    }
    if (plan_.addends_[i]) add_to_newest(i, *plan_.addends_[i]);
    return newest_;
  }

  /// Memory for the result of bank `i`.
  TensorRef make(std::size_t i) {
    next_ = take(plan_.banks_[i].output_shape());
    return view(next_, i);
  }

  /// Bank `i` has filled the memory that make() gave.
  void finish(std::size_t i, bool keeps_spare) {
    newest_ = view(next_, i);
    if (keeps_spare) spare_ = std::move(held_);
    held_ = {};
    for (std::size_t j = 0; j < i; ++j)
      if (plan_.last_uses_[j] == i) kept_[j] = {};
    (plan_.last_uses_[i] > i ? kept_[i] : held_) = std::move(next_);
  }

  const ConstTensorRef& newest() const { return newest_; }
  void drop_spare() { spare_ = {}; }

 private:
  TensorRef view(Tensor& tensor, std::size_t i) const {
    return plan_.channels_last_[i] ? channels_last(tensor) : tensor.ref();
  }

  Tensor take(const Shape& shape) {
    const bool fits = spare_.shape().count() >= shape.count();
    if (!fits) spare_ = {};
    return fits ? std::exchange(spare_, {}).reshaped(shape) : Tensor(DType::f32, shape);
  }

  void add_to_newest(std::size_t i, std::size_t addend) {
    const std::size_t first = plan_.sources_[i].value_or(i - 1);
    const bool is_kept = plan_.last_uses_[first] > first;  // a bank needs it as it is
    if (is_kept) held_ = take(newest_.shape);
    const TensorRef sum = view(held_, first);
    add(newest_, view(kept_[addend], addend), sum, plan_.threads_);
    newest_ = sum;
  }

  const NetworkPlan& plan_;
  ConstTensorRef newest_;     ///< of the last bank that ran, or the input
  Tensor held_, spare_;       ///< the memory of `newest_`, unless it is kept; memory that is free
  Tensor next_;               ///< that a bank is about to fill
  std::vector<Tensor> kept_;  ///< results that later banks add
};

ResponseStats NetworkPlan::run(const ConstTensorRef& input, const TensorRef& output, const Mapping& mapping,
                               const LayerObserver& observer) const {
  Results results(*this, input);
  const std::size_t last = banks_.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    const ConstTensorRef x = results.input_of(i);
    banks_[i].run(x, results.make(i), {});
    results.finish(i, !observer);  // an observer's copies need the memory
    if (observer) observer(i, results.newest());
  }
  const ConstTensorRef x = results.input_of(last);
  results.drop_spare();
  if (observer) {
    Tensor responses(DType::f32, output_shape());
    banks_.back().run(x, responses.ref(), {});
    observer(last, std::as_const(responses).ref());
  }
  return run_mapped(banks_.back(), x, input_dtype_, output, mapping);
}

}  // namespace convtool
