// A convolution made ready: validated, an algorithm chosen, the kernel prepared; then run as often as needed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

class Executor;
struct Algorithm;

struct PlanOptions {
  std::string algorithm = "auto";                                  ///< "auto", or a name of algorithm_names()
  int threads = 0;                                                 ///< 0: as many as there are cores
  bool input_channels_last = false, output_channels_last = false;  ///< as in ConvProblem
  bool totals = false;  ///< also fill ResponseStats::total, by a second look at every response
};

/// "reference", "direct", ...: what PlanOptions::algorithm takes besides "auto".
std::vector<std::string_view> algorithm_names();

/// How long a plan of these is expected to run on one thread. Throws as ConvPlan does.
double expected_nanoseconds(const ConvProblem& problem, const Kernel& kernel, const PlanOptions& options);

/// Those that row functions are compiled for and this processor has, best first.
std::vector<std::string_view> instruction_sets_here();

/// The version of Highway, such as "1.0.3".
std::string highway_version();

/// The instruction set that row functions use on this processor, such as "AVX3".
std::string_view instruction_set_in_use();

class ConvPlan {
 public:
  /// `problem` comes from make_problem(). Throws Error(usage) for an unknown algorithm, and Error(shape) with the
  /// reason where the named one does not apply.
  ConvPlan(const ConvProblem& problem, Kernel kernel, const Epilogue& epilogue, const PlanOptions& options);
  ~ConvPlan();
  ConvPlan(ConvPlan&&) noexcept;
  ConvPlan& operator=(ConvPlan&&) noexcept;

  /// The shape that run() writes: output_shape(problem) with the combined channels joined.
  Shape output_shape() const;

  /// Filters `input` (the problem's shape and type, any strides) into `output` (output_shape(), any type and strides,
  /// not overlapping the input). Bit for bit the same for any number of threads. Throws std::bad_alloc.
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map = {}) const;

  /// The statistics of the response alone, as run() gives them for an output of strides `output`; stores nothing and
  /// counts nothing as clipped.
  ResponseStats measure(const ConstTensorRef& input, const Strides& output) const;

  const ConvProblem& problem() const;
  std::string_view algorithm() const;
  int threads() const;  ///< how many run() uses, when there are rows for all

 private:
  struct State;  // behind a pointer, so that executors may refer to the problem and kernel wherever the plan is moved
  std::unique_ptr<State> state_;
};

}  // namespace convtool
