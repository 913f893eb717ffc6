// One tester for every algorithm: each is run on the same case, in every number of threads, and held to `reference`.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "conv/plan.h"
#include "conv/problem.h"
#include "core/tensor.h"
#include "support/placed_tensor.h"

namespace convtool {

/// One run of the engine, spelled out.
struct ConvCase {
  ConvProblem problem;
  Kernel kernel;
  Epilogue epilogue = {};
  ValueMap map = {};
  Tensor input;  ///< planar; of the problem's shape and type
  DType output_dtype = DType::f32;
  Layout input_layout = Layout::planar, output_layout = Layout::planar;
  /// Every product and sum is exact in any order, so algorithms must agree in every bit: small integers over a power
  /// of two, or integer input with integer weights, bias and padding value.
  bool exact = false;
};

/// Runs every algorithm of algorithm_names() on each case and compares it with `reference` on the planar input.
///
/// - Every number of threads in {1, 2, 3} must give the same bytes and the same ResponseStats. A ConvPlan uses one
///   thread where its algorithm estimates less than about 0.05 ms (kSingleThreadedNs in conv/plan.cpp): only cases
///   above that test threads, and count as "threaded" in the tally.
/// - Exact cases, and `reference` in every layout, must give the same values. In other cases a response may differ by
///   (taps + 4) * 2^-24 * sum|x||w|, or what the table in conv_tester.cpp states for the algorithm; the map and the
///   rounding to the output type are monotone, so that makes an interval of allowed results.
/// - NaN must be where reference has NaN, infinities where it has them.
/// - Bytes around the output must stay as they are.
///
/// A tally goes to standard output at the end, with every reason for which an algorithm did not apply.
class ConvTester {
 public:
  /// `seed` replays what the caller made of it; it is printed on failure.
  ConvTester(std::string name, std::uint64_t seed) : name_(std::move(name)), seed_(seed) {}
  ~ConvTester();
  ConvTester(const ConvTester&) = delete;
  ConvTester& operator=(const ConvTester&) = delete;

  /// Compares, and fails the running doctest case with a report. Ends the test case after a few failures.
  void check(const ConvCase& conv_case);

  /// For callers that seed each case.
  void set_seed(std::uint64_t seed) { seed_ = seed; }

  std::int64_t threaded_cases() const { return threaded_; }

 private:
  std::string name_;
  std::uint64_t seed_;
  std::int64_t cases_ = 0, threaded_ = 0;
  int failures_ = 0;
  std::map<std::string, std::map<std::string, std::int64_t>> tally_;  ///< algorithm -> "compared" or a reason -> cases
};

}  // namespace convtool
