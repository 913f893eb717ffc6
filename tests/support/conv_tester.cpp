#include "support/conv_tester.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <iostream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "conv/engine/instruction_set.h"
#include "support/convolve.h"

namespace convtool {
namespace {

constexpr int kMaxFailures = 3;      // per tester
constexpr std::int64_t kGuard = 64;  // elements on either side of an output

/// The promised error of a response, in units of 2^-24 * sum|x||w|, the bias counted as one more product.
struct ErrorBound {
  std::string_view algorithm;
  double (*units)(const ConvProblem& problem);
  /// In units of 2^-24 * max|x| * sum|w| instead: a dark pixel may have the error of the brightest one. Sums of f32
  /// pictures are then never exact.
  bool of_largest = false;
};

/// n products summed in float: of the n + 4 units, n belong to the float sum (src/conv/algorithms/direct.cpp) and one
/// to the float in which reference's response is stored here. The other three leave room for the bias and the epilogue,
/// which are computed in double with errors of some 2^-53.
double float_sum_units(const ConvProblem& problem) { return static_cast<double>(problem.kernel.taps() + 4); }

/// A new algorithm adds its bound here.
const ErrorBound kErrorBounds[] = {
    {"direct", float_sum_units},
    // Sum in another order or with fused multiply-adds, which round less often. The bound holds in any order.
    {"rows", float_sum_units},
    {"packed", float_sum_units},
    {"depthwise", float_sum_units},
    {"separable", float_sum_units},                       // n + 1 for the sum (src/conv/low_rank.cpp)
    {"integer", [](const ConvProblem&) { return 0.0; }},  // integer arithmetic, within its range
    // The exact sum is rounded to float, then multiplied by the weight: two roundings for any n. The other four are as
    // above.
    {"box", [](const ConvProblem&) { return 2.0 + 4.0; }},
    // The error that it allows itself (src/conv/algorithms/fft/fft_tiling.cpp); whole sums have none.
    {"fft", [](const ConvProblem& problem) { return std::max(4096.0, static_cast<double>(problem.kernel.taps())) + 4; },
     true},
    // 16 k / (1 - k u) for k = n + 7 and n input channels (src/conv/algorithms/winograd/winograd.cpp), and four as
    // above.
    {"winograd",
     [](const ConvProblem& problem) {
       const auto roundings = static_cast<double>(problem.kernel.c_i_per_group + 7);
       return 16 * roundings / (1 - 0x1p-24 * roundings) + 4;
     },
     true},
};

const ErrorBound& bound_of(std::string_view algorithm) {
  const auto* found = std::find_if(std::begin(kErrorBounds), std::end(kErrorBounds),
                                   [algorithm](const ErrorBound& bound) { return bound.algorithm == algorithm; });
  if (found == std::end(kErrorBounds))
    throw std::logic_error("algorithm '" + std::string(algorithm) +
                           "' has no error bound in tests/support/conv_tester.cpp");
  return *found;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same(const ResponseStats& a, const ResponseStats& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// The map without `absolute`: monotone in the response.
double mapped(const ValueMap& map, double response) { return (response - map.shift) * map.scale + map.offset; }

double stored(DType dtype, double value) {
  if (dtype == DType::f32) return static_cast<double>(static_cast<float>(value));
  return std::isnan(value) ? 0 : std::clamp(std::nearbyint(value), 0.0, full_range(dtype));
}

/// The results allowed for a response within `slack` of `response`.
struct Interval {
  double low, high;

  bool holds(double value) const { return (value >= low && value <= high) || (same(low, value) && same(high, value)); }
};

Interval allowed(const ConvCase& c, double response, double slack) {
  if (!std::isfinite(response)) slack = 0;
  const double r = c.map.absolute ? std::fabs(response) : response;
  const double low = c.map.absolute ? std::max(0.0, r - slack) : r - slack;
  if (std::isnan(r)) return {stored(c.output_dtype, r), stored(c.output_dtype, r)};
  return {stored(c.output_dtype, mapped(c.map, low)), stored(c.output_dtype, mapped(c.map, r + slack))};
}

/// A run of `reference` on planar memory.
std::vector<double> run_reference(const ConvProblem& problem, const Kernel& kernel, const Epilogue& epilogue,
                                  const ValueMap& map, const Tensor& input, DType output_dtype,
                                  ResponseStats* stats = nullptr) {
  const ConvPlan plan(problem, kernel, epilogue, {.algorithm = "reference", .threads = 1});
  Tensor output(output_dtype, plan.output_shape());
  const ResponseStats seen = plan.run(input.ref(), output.ref(), map);
  if (stats != nullptr) *stats = seen;
  return values_of(output.ref());
}

/// sum|x||w| / |divisor| + |bias| for every response, by running reference on absolute values, in f32: a padding value
/// need not fit into the type of the input. The error of combined responses is at most the same combination of the
/// errors of their parts (the triangle inequality), except for `min`, whose error is at most their maximum. With
/// `of_largest` every |x| is the largest finite one.
std::vector<double> absolute_sums(const ConvCase& c, bool of_largest) {
  const std::vector<double> values = values_of(c.input.ref());
  double largest = std::fabs(static_cast<double>(c.problem.padding_value));
  for (const double value : values)
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  ConvProblem problem = c.problem;
  problem.input_dtype = DType::f32;
  problem.padding_value = of_largest ? static_cast<float>(largest) : std::fabs(problem.padding_value);
  if (of_largest && problem.padding_mode == PaddingMode::zeros) problem.padding_mode = PaddingMode::constant;
  Kernel kernel = c.kernel;
  for (float& weight : kernel.weights) weight = std::fabs(weight);
  for (float& bias : kernel.bias) bias = std::fabs(bias);
  for (double& divisor : kernel.divisor) divisor = std::fabs(divisor);
  Epilogue epilogue = c.epilogue;
  epilogue.activation = Activation::none;  // it may make small numbers of large sums
  if (epilogue.combine == Combine::min) epilogue.combine = Combine::max;
  const Tensor input = filled(DType::f32, c.problem.input, [&, at = values.begin()]() mutable {
    const double value = std::fabs(*at++);
    return of_largest ? largest : value;
  });
  return run_reference(problem, kernel, epilogue, {}, input, DType::f32);
}

std::string describe(const ResponseStats& stats) {
  std::ostringstream text;
  text.precision(17);
  text << "min " << stats.min << ", max " << stats.max << ", NaN " << stats.nan_count << ", clipped "
       << stats.clipped_low << " and " << stats.clipped_high;
  return text.str();
}

/// What one algorithm computed for a case on one instruction set.
struct Run {
  std::string_view algorithm, instruction_set;
  std::vector<double> values;
  ResponseStats stats;
  std::string complaint;  ///< about threads, guards or statistics; empty if all is well
  int threads = 1;        ///< the most that were used
  int count = 0;          ///< of runs
};

/// Runs on one thread; `thoroughly`, also on 2 and 3 and without an output.
Run run_algorithm(const ConvCase& c, const PlacedTensor& input, std::string_view algorithm, bool thoroughly) {
  Run run{.algorithm = algorithm, .instruction_set = instruction_set(), .values = {}, .stats = {}, .complaint = ""};
  for (const int threads : {1, 2, 3}) {
    const ConvPlan plan(c.problem, c.kernel, c.epilogue, {.algorithm = std::string(algorithm), .threads = threads});
    if (plan.threads() < threads) break;  // too small for more
    run.threads = threads;
    PlacedTensor output(c.output_dtype, plan.output_shape(), c.output_layout, kGuard);
    const ResponseStats stats = plan.run(input.ref(), output.ref(), c.map);
    ++run.count;
    std::vector<double> values = values_of(output.ref());
    const std::string who = "a run on " + std::to_string(threads) + " threads";
    if (!output.guard_intact()) run.complaint = who + " wrote outside the output";
    if (threads > 1) {
      if (!same(stats, run.stats)) run.complaint = who + " gives other statistics than one thread";
      // Floats become doubles one to one, including the payload of a NaN.
      if (std::memcmp(values.data(), run.values.data(), values.size() * sizeof(double)) != 0)
        run.complaint = who + " gives other values than one thread";
      continue;
    }
    run.values = std::move(values);
    run.stats = stats;
    if (!thoroughly) break;
    const ResponseStats measured = plan.measure(input.ref(), output.ref().strides);
    ++run.count;
    if (measured.min != stats.min || measured.max != stats.max || measured.nan_count != stats.nan_count)
      run.complaint = "measure() and run() see different responses: " + describe(measured) + " and " + describe(stats);
  }
  return run;
}

/// Of all `sets`, those for which the inner loops of `algorithm` differ.
std::vector<std::string_view> sets_of(std::string_view algorithm, std::vector<std::string_view> sets) {
  if (algorithm != "integer" && sets.size() > 1) std::erase(sets, kAvx3Vnni);  // the same code as AVX3
  return sets;
}

bool has_row_functions(std::string_view algorithm) { return algorithm != "direct"; }

/// The reason in the error of a plan whose algorithm refuses the problem; empty for other errors.
std::string refusal_in(const Error& error) {
  const std::string what = error.what();
  const std::size_t at = what.find("does not apply here: ");
  return at == std::string::npos ? "" : what.substr(at);
}

std::string describe(const ConvCase& c) {
  std::ostringstream text;
  const Epilogue& e = c.epilogue;
  text << to_string(c.problem) << " -> " << to_string(c.output_dtype) << ", "
       << kActivations[static_cast<int>(e.activation)] << ", combine " << kCombines[static_cast<int>(e.combine)] << " "
       << e.combine_count << ", map " << (c.map.absolute ? "|r|" : "r") << " - " << c.map.shift << " * " << c.map.scale
       << " + " << c.map.offset << ", input " << to_string(c.input_layout) << ", output " << to_string(c.output_layout)
       << (c.exact ? ", exact" : "");
  return text.str();
}

std::string position(const Shape& shape, std::size_t index) {
  const auto i = static_cast<std::int64_t>(index);
  std::ostringstream text;
  text << "(n " << i / (shape.c * shape.h * shape.w) << ", c " << i / (shape.h * shape.w) % shape.c << ", y "
       << i / shape.w % shape.h << ", x " << i % shape.w << ")";
  return text.str();
}

}  // namespace

ConvTester::ConvTester(std::string name, std::uint64_t seed, std::vector<Tested> tested, Sets sets,
                       OnFailure on_failure)
    : name_(std::move(name)),
      seed_(seed),
      tested_(std::move(tested)),
      sets_(sets),
      on_failure_(std::move(on_failure)),
      random_(seed) {}

ConvTester::~ConvTester() noexcept(false) {
  std::cout << name_ << ": " << cases_ << " cases";
  for (const Tested& tested : tested_) {
    const Tally& tally = tally_[tested.algorithm];
    std::cout << "; " << tested.algorithm << " solved " << tally.solved << " in " << tally.runs << " runs, "
              << tally.threaded << " threaded";
    for (const auto& [reason, count] : tally.refusals) std::cout << "; it " << reason << ": " << count;
  }
  std::cout << "\n";
  if (std::uncaught_exceptions() > 0 || failures_ == kMaxFailures) return;
  for (const Tested& tested : tested_) {
    const std::int64_t solved = tally_[tested.algorithm].solved;
    if (solved >= tested.least_cases) continue;
    std::ostringstream report;
    report << name_ << ", seed " << seed_ << ": " << tested.algorithm << " solved " << solved << " of " << cases_
           << " cases, expected at least " << tested.least_cases;
    on_failure_(report.str());
  }
}

void ConvTester::set_seed(std::uint64_t seed) {
  seed_ = seed;
  random_ = Random(seed);
}

std::int64_t ConvTester::threaded_cases(std::string_view algorithm) const {
  const auto found = tally_.find(algorithm);
  return found == tally_.end() ? 0 : found->second.threaded;
}

void ConvTester::check(const ConvCase& c) {
  if (failures_ == kMaxFailures) return;
  ++cases_;
  PlacedTensor input(c.problem.input_dtype, c.problem.input, c.input_layout, 0);
  input.copy_from(c.input);

  std::vector<Run> runs;
  const std::vector<std::string_view> all_sets = instruction_sets();
  for (const Tested& tested : tested_) {
    const std::string_view algorithm = tested.algorithm;
    const std::vector<std::string_view> sets = sets_of(algorithm, all_sets);
    const std::string_view chosen = random_.pick(sets);
    Tally& tally = tally_[algorithm];
    std::string reason;
    int threads = 1;
    for (const std::string_view set : sets) {
      if (set != chosen && (sets_ == Sets::in_turn || !has_row_functions(algorithm))) continue;
      use_instruction_set(set);
      try {
        runs.push_back(run_algorithm(c, input, algorithm, set == chosen));
      } catch (const Error& error) {
        reason = refusal_in(error);
        if (reason.empty()) throw;
        break;  // sets do not affect what an algorithm accepts
      }
      threads = std::max(threads, runs.back().threads);
      tally.runs += runs.back().count;
    }
    if (!reason.empty())
      ++tally.refusals[reason];
    else
      ++tally.solved;
    if (threads > 1) ++tally.threaded;
  }
  use_instruction_set("");
  if (runs.empty()) return;

  ResponseStats oracle_stats;
  const std::vector<double> oracle =
      run_reference(c.problem, c.kernel, c.epilogue, c.map, c.input, c.output_dtype, &oracle_stats);
  const bool is_float = c.problem.input_dtype == DType::f32;
  const auto is_exact = [&](const ErrorBound& bound) {
    if (is_curved(c.epilogue.activation)) return false;
    return bound.units(c.problem) == 0 || (c.exact && !(bound.of_largest && is_float));
  };
  std::vector<double> responses, sums, largest_sums;  // computed for the algorithms whose bound needs them
  for (const Run& run : runs) {
    const ErrorBound& bound = bound_of(run.algorithm);
    if (is_exact(bound)) continue;
    std::vector<double>& needed = bound.of_largest ? largest_sums : sums;
    if (needed.empty()) needed = absolute_sums(c, bound.of_largest);
    if (responses.empty()) responses = run_reference(c.problem, c.kernel, c.epilogue, {}, c.input, DType::f32);
  }

  const auto slack_at = [&](const ErrorBound& bound, std::size_t i) {
    if (is_exact(bound)) return 0.0;
    // An activation multiplies the error of a sum by its steepest slope at most. A curved one is rounded itself, and
    // its value, which may be larger than the sum, is stored here as a float: together one unit in the last place.
    const double rounding = is_curved(c.epilogue.activation) ? 0x1p-23 * std::fabs(responses[i]) : 0;
    const double of_sum = bound.units(c.problem) * 0x1p-24 * (bound.of_largest ? largest_sums : sums)[i];
    return steepest_slope(c.epilogue.activation, c.epilogue.numbers) * of_sum + rounding;
  };
  const auto interval_at = [&](const Run& run, std::size_t i) -> Interval {
    const ErrorBound& bound = bound_of(run.algorithm);
    if (is_exact(bound)) return {oracle[i], oracle[i]};
    return allowed(c, responses[i], slack_at(bound, i));
  };
  const Shape shape = ConvPlan(c.problem, c.kernel, c.epilogue, {.algorithm = "reference"}).output_shape();

  for (Run& run : runs) {
    const ErrorBound& bound = bound_of(run.algorithm);
    double worst = -1;
    std::size_t worst_at = 0, wrong = 0;
    double largest_slack = 0;
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      const double slack = slack_at(bound, i);
      if (std::isfinite(slack)) largest_slack = std::max(largest_slack, slack);
      if (interval_at(run, i).holds(run.values[i])) continue;
      ++wrong;
      const double distance = std::fabs(run.values[i] - oracle[i]);
      const double rank = std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
      if (rank > worst) {
        worst = rank;
        worst_at = i;
      }
    }

    // The error of the extremes is at most the largest error of any response. The number of clipped values depends on
    // rounding, so only exact cases compare it.
    const auto near = [&](double a, double b) { return a == b || std::fabs(a - b) <= largest_slack; };
    if (run.stats.nan_count != oracle_stats.nan_count || !near(run.stats.min, oracle_stats.min) ||
        !near(run.stats.max, oracle_stats.max) ||
        (is_exact(bound) &&
         (run.stats.clipped_low != oracle_stats.clipped_low || run.stats.clipped_high != oracle_stats.clipped_high)))
      run.complaint = "the statistics differ: expected " + describe(oracle_stats) + ", got " + describe(run.stats);
    if (wrong == 0 && run.complaint.empty()) continue;

    std::ostringstream report;
    report << name_ << ", seed " << seed_ << ", case " << cases_ << ": " << run.algorithm << " (" << run.instruction_set
           << ") on\n  " << describe(c);
    if (!run.complaint.empty()) report << "\n  " << run.complaint;
    if (wrong > 0) {
      report.precision(9);
      const Interval interval = interval_at(run, worst_at);
      report << "\n  " << wrong << " of " << oracle.size() << " values differ, worst at " << position(shape, worst_at)
             << ": expected " << oracle[worst_at] << " in [" << interval.low << ", " << interval.high << "]";
      for (const Run& other : runs)
        report << "\n  " << other.algorithm << " (" << other.instruction_set << ") gives " << other.values[worst_at]
               << (interval_at(other, worst_at).holds(other.values[worst_at]) ? ", which agrees" : ", which differs");
    }
    if (++failures_ == kMaxFailures) report << "\n  too many failures; further cases are skipped";
    on_failure_(report.str());
    if (failures_ == kMaxFailures) return;
  }
}

}  // namespace convtool
