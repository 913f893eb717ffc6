#include "conv/plan.h"

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "conv/bands.h"
#include "conv/engine/algorithm.h"
#include "conv/engine/instruction_set.h"
#include "conv/error_bound.h"
#include "core/largest.h"
#include "core/parallel.h"

namespace convtool {
namespace {

/// All algorithms. Their order only decides between equal costs.
const Algorithm* const kAlgorithms[] = {&kReference, &kDirect, &kRows,      &kInteger, &kSeparable,
                                        &kBox,       &kPacked, &kDepthwise, &kFft,     &kWinograd};

/// Plans with less work run on one thread. Handing work to another that is still awake (core/parallel.cpp), as between
/// layers, takes a few microseconds. Waking one takes tens, but nobody waits for it: the work is taken by whoever is
/// free.
constexpr double kSingleThreadedNs = 0.02e6;

std::string quoted_names() {
  std::string list = "auto";
  for (const Algorithm* algorithm : kAlgorithms) list += std::string(", ") + algorithm->name;
  return list;
}

/// An algorithm and its offer.
struct Choice {
  const Algorithm* algorithm = nullptr;
  Offer offer;
};

Choice choose(const ConvProblem& problem, const Kernel& kernel, const std::string& name) {
  if (name == "auto") {
    Choice best;
    for (const Algorithm* algorithm : kAlgorithms) {
      if (!algorithm->can_choose) continue;
      Offer offer = algorithm->consider(problem, kernel);
      if (!offer.refusal.empty()) continue;
      if (best.algorithm != nullptr && offer.nanoseconds >= best.offer.nanoseconds) continue;
      best = {algorithm, std::move(offer)};
    }
    require(best.algorithm != nullptr, "no algorithm supports a valid problem");
    return best;
  }
  for (const Algorithm* algorithm : kAlgorithms) {
    if (name != algorithm->name) continue;
    Offer offer = algorithm->consider(problem, kernel);
    if (!offer.refusal.empty()) {
      refuse_shape("", "--algorithm " + name + " does not apply here: " + offer.refusal + "; use auto");
    }
    return {algorithm, std::move(offer)};
  }
  refuse_usage("--algorithm", "unknown algorithm '" + name + "' (expected one of " + quoted_names() + ")");
}

ConvProblem in_layout(ConvProblem problem, const PlanOptions& options) {
  problem.input_channels_last = options.input_channels_last;
  problem.output_channels_last = options.output_channels_last;
  problem.direct_error = options.direct_error;
  return problem;
}

/// Checks that `kernel` fits `problem`, before anything reads its weights.
Kernel checked(Kernel kernel, const ConvProblem& problem) {
  require(kernel.shape == problem.kernel && kernel.weights.size() == static_cast<std::size_t>(kernel.shape.count()) &&
              kernel.bias.size() == static_cast<std::size_t>(kernel.shape.c_o) &&
              (kernel.divisor.empty() || kernel.divisor.size() == kernel.bias.size()),
          "a kernel that is not the problem's");
  return kernel;
}

bool sums_are_whole(const ConvProblem& problem, const Kernel& kernel) {
  const auto is_whole = [](float value) { return value == std::trunc(value); };
  return is_integer(problem.input_dtype) && is_whole(problem.padding_value) &&
         std::all_of(kernel.weights.begin(), kernel.weights.end(), is_whole);
}

}  // namespace

std::vector<std::string_view> algorithm_names() {
  std::vector<std::string_view> names;
  for (const Algorithm* algorithm : kAlgorithms) names.emplace_back(algorithm->name);
  return names;
}

double expected_nanoseconds(const ConvProblem& problem, const Kernel& kernel, const PlanOptions& options) {
  return choose(in_layout(problem, options), kernel, options.algorithm).offer.nanoseconds;
}

std::vector<std::string_view> instruction_sets_here() { return instruction_sets(); }

std::string highway_version() {
  return std::to_string(HWY_MAJOR) + "." + std::to_string(HWY_MINOR) + "." + std::to_string(HWY_PATCH);
}

std::string_view instruction_set_in_use() { return instruction_set(); }

struct ConvPlan::State {
  State(const ConvProblem& the_problem, Kernel the_kernel, const Epilogue& the_epilogue, const PlanOptions& options)
      : problem(in_layout(the_problem, options)),
        kernel(checked(std::move(the_kernel), problem)),
        epilogue(the_epilogue),
        whole_sums(sums_are_whole(problem, kernel)),
        totals(options.totals) {
    const Choice choice = choose(problem, kernel, options.algorithm);
    require(epilogue.combine_count >= 1 && kernel.shape.c_o % epilogue.combine_count == 0,
            "channels that cannot be combined");
    algorithm = choice.algorithm->name;
    thread_memory = choice.offer.thread_memory + choice.offer.sum_memory.value_or(choice.offer.thread_memory) *
                                                     static_cast<double>(epilogue.combine_count - 1);
    error_units = choice.offer.error_units.value_or(static_cast<double>(kernel.shape.taps()));
    if (choice.algorithm->threaded && choice.offer.nanoseconds >= kSingleThreadedNs)
      threads = options.threads == 0 ? available_cores() : options.threads;
    executor = choice.offer.make();
  }

  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const {
    require(input.shape == problem.input && input.dtype == problem.input_dtype, "an input that is not the problem's");
    const Sink sink(epilogue, map, kernel, output, whole_sums, totals);
    ResponseStats total;
    std::mutex mutex;
    share_work(executor->work_items(sink), threads, [&](WorkShare& share) {
      ResponseStats stats;
      executor->run(input, sink, share, stats);
      std::lock_guard lock(mutex);
      total.merge(stats);
    });
    return total;
  }

  const ConvProblem problem;
  const Kernel kernel;
  const Epilogue epilogue;
  const bool whole_sums, totals;
  std::string_view algorithm;
  double error_units = 0, thread_memory = 0;
  int threads = 1;
  std::unique_ptr<Executor> executor;
};

ConvPlan ConvPlan::band(const Range& rows, int threads) const {
  const ConvProblem& whole = state_->problem;
  return ConvPlan(band_problem(whole, rows), state_->kernel, state_->epilogue,
                  {.algorithm = std::string(state_->algorithm),
                   .threads = threads,
                   .input_channels_last = whole.input_channels_last,
                   .output_channels_last = whole.output_channels_last,
                   .direct_error = whole.direct_error,
                   .totals = state_->totals});
}

std::int64_t ConvPlan::row_period() const { return state_->executor->row_period(); }

ConvPlan::ConvPlan(const ConvProblem& problem, Kernel kernel, const Epilogue& epilogue, const PlanOptions& options)
    : state_(std::make_unique<State>(problem, std::move(kernel), epilogue, options)) {}
ConvPlan::~ConvPlan() = default;
ConvPlan::ConvPlan(ConvPlan&&) noexcept = default;
ConvPlan& ConvPlan::operator=(ConvPlan&&) noexcept = default;

Shape ConvPlan::output_shape() const {
  Shape shape = convtool::output_shape(state_->problem);
  shape.c /= state_->epilogue.combine_count;
  return shape;
}

ResponseStats ConvPlan::run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const {
  require(output.data != nullptr && output.shape == output_shape(), "an output that is not the plan's");
  return state_->run(input, output, map);
}

ResponseStats ConvPlan::measure(const ConstTensorRef& input, const Strides& output) const {
  return state_->run(input, {.data = nullptr, .dtype = DType::f32, .shape = output_shape(), .strides = output}, {});
}

const ConvProblem& ConvPlan::problem() const { return state_->problem; }
std::string_view ConvPlan::algorithm() const { return state_->algorithm; }

double ConvPlan::error_bound(double largest) const {
  return convtool::error_bound(state_->problem, state_->kernel, state_->epilogue, state_->error_units, largest);
}

double ConvPlan::error_bound(const ConstTensorRef& input) const {
  return error_bound(1.0) == 0 ? 0 : error_bound_of_picture(largest_magnitude(input, state_->threads));
}

double ConvPlan::error_bound_of_picture(double largest_pixel) const {
  const double padding = std::fabs(static_cast<double>(state_->problem.padding_value));
  return error_bound(std::max(largest_pixel, padding));
}

double ConvPlan::thread_memory() const { return state_->thread_memory; }

int ConvPlan::threads() const { return state_->threads; }

}  // namespace convtool
