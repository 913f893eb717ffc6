// One tester for all algorithms: it runs the algorithms that a test names on the same case and compares each with
// `reference`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "conv/plan.h"
#include "conv/problem.h"
#include "core/tensor.h"
#include "support/placed_tensor.h"
#include "support/random.h"

namespace convtool {

/// Everything that one run of the engine depends on.
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

/// An algorithm that a test is about.
struct Tested {
  std::string_view algorithm;
  /// The test fails if the algorithm accepts fewer cases than this. The number follows from the list of cases: count
  /// those that meet the algorithm's conditions (table in src/conv/README.md).
  std::int64_t least_cases = 1;
};

/// Which instruction sets a case runs on.
enum class Sets {
  all,      ///< every set of this processor
  in_turn,  ///< one set per algorithm, chosen at random: for tests of many similar cases
};

/// Fails the running test case of doctest with this report, and returns.
void fail_test_case(const std::string& report);

/// Runs algorithms on cases and compares every output with that of `reference` on the planar input.
///
/// - Each algorithm runs on the instruction sets that compile it differently: `direct` has no row functions and runs on
///   one set per case; AVX3_VNNI changes `integer` alone.
/// - On one of these sets, chosen at random from the seed, the algorithm also runs on 2 and 3 threads, which must give
///   the same bytes and ResponseStats as one, and measure() must see the same responses. A ConvPlan uses one thread
///   if its algorithm estimates less than about 0.02 ms (conv/plan.cpp); only larger cases count as threaded.
/// - Exact cases must give the same values. In other cases a response may differ by (taps + 4) * 2^-24 * sum|x||w|, or
///   by the bound that conv_tester.cpp states for the algorithm. The map and the rounding to the output type are
///   monotone, so the bound becomes an interval of allowed results.
/// - NaN and infinities must be where `reference` has them.
/// - Bytes around the output must not change.
///
/// At the end of its scope the tester prints how many cases each algorithm solved, with the reasons for which it
/// refused others, and fails if an algorithm solved fewer than `Tested::least_cases`.
///
/// A failure is a report to `on_failure`, by default fail_test_case(). Programs without doctest pass their own
/// function.
class ConvTester {
 public:
  using OnFailure = std::function<void(const std::string& report)>;

  /// `seed` is printed on failure, so that the caller's random numbers can be replayed.
  ConvTester(std::string name, std::uint64_t seed, std::vector<Tested> tested, Sets sets = Sets::all,
             OnFailure on_failure = fail_test_case);
  ~ConvTester() noexcept(false);
  ConvTester(const ConvTester&) = delete;
  ConvTester& operator=(const ConvTester&) = delete;

  /// Compares all algorithms on one case. Each difference is a failure. Does nothing after three failures: further ones
  /// would bury the first.
  void check(const ConvCase& conv_case);

  /// For callers that seed each case. The case then depends on this seed alone.
  void set_seed(std::uint64_t seed);

  /// Cases in which `algorithm` ran on more threads than one.
  std::int64_t threaded_cases(std::string_view algorithm) const;

 private:
  struct Tally {
    std::int64_t solved = 0, threaded = 0, runs = 0;
    std::map<std::string, std::int64_t> refusals;  ///< reason -> cases
  };

  std::string name_;
  std::uint64_t seed_;
  std::vector<Tested> tested_;
  Sets sets_;
  OnFailure on_failure_;
  Random random_;  ///< chooses instruction sets
  std::int64_t cases_ = 0;
  int failures_ = 0;
  std::map<std::string_view, Tally> tally_;
};

}  // namespace convtool
