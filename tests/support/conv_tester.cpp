#include "support/conv_tester.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <limits>
#include <sstream>
#include <vector>

#include "conv/engine/instruction_set.h"
#include "support/convolve.h"

namespace convtool {
namespace {

constexpr int kThreads[] = {1, 2, 3};
constexpr int kMaxFailures = 3;      // of one tester; more of the same would hide the first
constexpr std::int64_t kGuard = 64;  // elements around outputs

/// The promised error of a response, in units of 2^-24 * sum|x||w|, the bias counted as one more product.
struct ErrorBound {
  std::string_view algorithm;
  double (*units)(const ConvProblem& problem);
  /// In units of 2^-24 * max|x| * sum|w| instead: a dark pixel may get the error of the brightest. Sums of f32 pictures
  /// are then never exact.
  bool of_largest = false;
};

/// A new algorithm states its bound here.
const ErrorBound kErrorBounds[] = {
    {"reference", [](const ConvProblem&) { return 0.0; }},
    // Of the n + 4, n are those of the float sum (src/conv/algorithms/direct.cpp) and one is the float that reference's
    // response is stored in here; the other three are head-room for the bias and the epilogue in double, some 2^-53
    // each.
    {"direct", [](const ConvProblem& problem) { return static_cast<double>(problem.kernel.taps() + 4); }},
    // A fused multiply-add rounds once where direct rounds twice; the sum is taken in the same order.
    // Fused as well, in the order of row, column, channel or row, channel, column, which the bound does not know; taps
    // of 0 * 0 left out add 0.
    {"packed", [](const ConvProblem& problem) { return static_cast<double>(problem.kernel.taps() + 4); }},
    {"depthwise", [](const ConvProblem& problem) { return static_cast<double>(problem.kernel.taps() + 4); }},
    {"rows", [](const ConvProblem& problem) { return static_cast<double>(problem.kernel.taps() + 4); }},
    // Integer arithmetic, within its range.
    {"integer", [](const ConvProblem&) { return 0.0; }},
    // The float next to an exact sum, and its product with the weight: two roundings, whatever n, and the same
    // head-room.
    {"box", [](const ConvProblem&) { return 2.0 + 4.0; }},
    // n + 1 of the sum (src/conv/low_rank.cpp).
    {"separable", [](const ConvProblem& problem) { return static_cast<double>(problem.kernel.taps() + 4); }},
    // What it tolerates of itself (src/conv/algorithms/fft/fft_tiling.cpp), or whole sums without error, and the same
    // head-room.
    {"fft", [](const ConvProblem& problem) { return std::max(4096.0, static_cast<double>(problem.kernel.taps())) + 4; },
     true},
};

const ErrorBound& bound_of(std::string_view algorithm) {
  const auto* found = std::find_if(std::begin(kErrorBounds), std::end(kErrorBounds),
                                   [algorithm](const ErrorBound& bound) { return bound.algorithm == algorithm; });
  if (found == std::end(kErrorBounds))
    FAIL("algorithm '" << algorithm << "' has no error bound in tests/support/conv_tester.cpp");
  return *found;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same(const ResponseStats& a, const ResponseStats& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// What the last two stages of the epilogue make of a response: monotone in it but for `absolute`.
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

/// sum|x||w| + |bias| for every response, by running reference on absolute values. Joined responses err by no more than
/// the same join of the errors of their parts (the triangle inequality), except that `min` errs by up to their maximum.
/// With `of_largest` every |x| is the largest finite one.
std::vector<double> absolute_sums(const ConvCase& c, bool of_largest) {
  const std::vector<double> values = values_of(c.input.ref());
  double largest = std::fabs(static_cast<double>(c.problem.padding_value));
  for (const double value : values)
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  ConvProblem problem = c.problem;
  problem.padding_value = of_largest ? static_cast<float>(largest) : std::fabs(problem.padding_value);
  if (of_largest && problem.padding_mode == PaddingMode::zeros) problem.padding_mode = PaddingMode::constant;
  Kernel kernel = c.kernel;
  for (float& weight : kernel.weights) weight = std::fabs(weight);
  for (float& bias : kernel.bias) bias = std::fabs(bias);
  Epilogue epilogue = c.epilogue;
  if (epilogue.combine == Combine::min) epilogue.combine = Combine::max;
  const Tensor input = filled(c.problem.input_dtype, c.problem.input, [&, at = values.begin()]() mutable {
    const double value = std::fabs(*at++);
    return of_largest ? largest : value;
  });
  return run_reference(problem, kernel, epilogue, {}, input, DType::f32);
}

/// What one algorithm made of a case.
struct Run {
  std::string algorithm, instruction_set;
  std::vector<double> values;
  ResponseStats stats;
  std::string complaint;  ///< about threads, guards or statistics; empty when there is none
  int most_threads = 1;
};

Run run_algorithm(const ConvCase& c, const PlacedTensor& input, const std::string& algorithm) {
  Run run{.algorithm = algorithm, .values = {}, .stats = {}, .complaint = ""};
  std::vector<int> done;
  for (const int threads : kThreads) {
    const ConvPlan plan(c.problem, c.kernel, c.epilogue, {.algorithm = algorithm, .threads = threads});
    if (std::find(done.begin(), done.end(), plan.threads()) != done.end()) continue;
    done.push_back(plan.threads());
    run.most_threads = plan.threads();
    PlacedTensor output(c.output_dtype, plan.output_shape(), c.output_layout, kGuard);
    const ResponseStats stats = plan.run(input.ref(), output.ref(), c.map);
    const std::vector<double> values = values_of(output.ref());
    const std::string who = std::to_string(plan.threads()) + " threads";
    if (!output.guard_intact()) run.complaint = who + " wrote outside the output";
    if (done.size() == 1) {
      run.values = values;
      run.stats = stats;
    } else if (!same(stats, run.stats)) {
      run.complaint = who + " give other statistics than one";
    } else if (std::memcmp(values.data(), run.values.data(), values.size() * sizeof(double)) != 0) {
      run.complaint = who + " give other values than one";  // floats become doubles one to one, NaN payload and all
    }
    const ResponseStats measured = plan.measure(input.ref(), output.ref().strides);
    if (measured.min != stats.min || measured.max != stats.max || measured.nan_count != stats.nan_count)
      run.complaint = "measure() and run() with " + who + " see different responses";
  }
  return run;
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

std::string describe(const ResponseStats& stats) {
  std::ostringstream text;
  text.precision(17);
  text << "min " << stats.min << ", max " << stats.max << ", NaN " << stats.nan_count << ", clipped "
       << stats.clipped_low << " and " << stats.clipped_high;
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

ConvTester::~ConvTester() {
  std::cout << name_ << ": " << cases_ << " cases, " << threaded_ << " threaded";
  for (const auto& [algorithm, results] : tally_)
    for (const auto& [result, count] : results) std::cout << "; " << algorithm << " " << result << ": " << count;
  std::cout << "\n";
}

void ConvTester::check(const ConvCase& c) {
  ++cases_;
  ResponseStats oracle_stats;
  const std::vector<double> oracle =
      run_reference(c.problem, c.kernel, c.epilogue, c.map, c.input, c.output_dtype, &oracle_stats);
  std::vector<double> responses, sums, largest_sums;
  const bool is_float = c.problem.input_dtype == DType::f32;
  if (!c.exact || is_float) {
    responses = run_reference(c.problem, c.kernel, c.epilogue, {}, c.input, DType::f32);
    sums = absolute_sums(c, false);
    largest_sums = absolute_sums(c, true);
  }
  PlacedTensor input(c.problem.input_dtype, c.problem.input, c.input_layout, 0);
  input.copy_from(c.input);

  std::vector<Run> runs;
  for (const std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (const std::string_view algorithm : algorithm_names()) {
      auto& results = tally_[std::string(algorithm)];
      try {
        runs.push_back(run_algorithm(c, input, std::string(algorithm)));
        runs.back().instruction_set = set;
        ++results["compared on " + std::string(set)];
      } catch (const Error& error) {
        const std::string what = error.what();
        const std::size_t at = what.find("does not apply here: ");
        if (at == std::string::npos) throw;
        ++results[what.substr(at)];
      }
    }
  }
  use_instruction_set("");
  if (std::any_of(runs.begin(), runs.end(), [](const Run& run) { return run.most_threads > 1; })) ++threaded_;

  const auto is_exact = [&](const ErrorBound& bound) {
    return bound.units(c.problem) == 0 || (c.exact && !(bound.of_largest && is_float));
  };
  const auto slack_at = [&](const ErrorBound& bound, std::size_t i) {
    if (is_exact(bound)) return 0.0;
    return bound.units(c.problem) * 0x1p-24 * (bound.of_largest ? largest_sums : sums)[i];
  };
  // Both in units of the response, then through the map and the store, which are monotone.
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

    // The extremes are those of single responses, so they err by no more than the worst of these. What is clipped
    // depends on rounding, so it is compared in exact cases alone.
    const auto near = [&](double a, double b) { return a == b || std::fabs(a - b) <= largest_slack; };
    if (run.stats.nan_count != oracle_stats.nan_count || !near(run.stats.min, oracle_stats.min) ||
        !near(run.stats.max, oracle_stats.max) ||
        (is_exact(bound) &&
         (run.stats.clipped_low != oracle_stats.clipped_low || run.stats.clipped_high != oracle_stats.clipped_high)))
      run.complaint =
          "the statistics differ from reference's: " + describe(run.stats) + " against " + describe(oracle_stats);
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
    FAIL_CHECK(report.str());
    if (++failures_ >= kMaxFailures) FAIL("too many failures; the rest of this test is left out");
  }
}

}  // namespace convtool
