// A prepared convolution: the problem is checked, an algorithm chosen and the kernel prepared. It runs any number of
// times.
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

struct PlanOptions {
  std::string algorithm = "auto";                                  ///< "auto", or one of algorithm_names()
  int threads = 0;                                                 ///< 0: one per core
  bool input_channels_last = false, output_channels_last = false;  ///< as in ConvProblem
  bool direct_error = false;                                       ///< as in ConvProblem
  bool totals = false;  ///< also compute ResponseStats::total, in a second pass over the responses
  std::int64_t max_pixels = std::int64_t{1} << 60;  ///< in the input and in each output of a NetworkPlan
};

/// The values of PlanOptions::algorithm other than "auto": "reference", "direct", ...
std::vector<std::string_view> algorithm_names();

/// The estimated run time of this plan on one thread. Throws as ConvPlan does.
double expected_nanoseconds(const ConvProblem& problem, const Kernel& kernel, const PlanOptions& options);

/// The instruction sets that row functions are compiled for and this processor has, best first.
std::vector<std::string_view> instruction_sets_here();

/// The version of Highway, such as "1.0.3".
std::string highway_version();

/// The instruction set that row functions use on this processor, such as "AVX3".
std::string_view instruction_set_in_use();

class ConvPlan {
 public:
  /// `problem` comes from make_problem(). Throws Error(usage) if the algorithm is unknown, and Error(shape) with the
  /// reason if the named one does not apply.
  ConvPlan(const ConvProblem& problem, Kernel kernel, const Epilogue& epilogue, const PlanOptions& options);
  ~ConvPlan();
  ConvPlan(ConvPlan&&) noexcept;
  ConvPlan& operator=(ConvPlan&&) noexcept;

  /// The shape that run() writes: output_shape(problem), where combined channels count as one.
  Shape output_shape() const;

  /// Filters `input` (the problem's shape and type, any strides) into `output` (output_shape(), any type and strides,
  /// not overlapping the input). The result has the same bits for any number of threads. Throws std::bad_alloc.
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map = {}) const;

  /// Computes the statistics that run() would return for an output with strides `output`. Stores no output and does not
  /// count clipped values.
  ResponseStats measure(const ConstTensorRef& input, const Strides& output) const;

  /// A plan on `threads` threads for output rows `rows` of one picture of the batch, by the same algorithm. The problem
  /// has bands; the band's input is band_input() (conv/bands.h). Its responses have the same bits if `rows` begin at a
  /// multiple of row_period(), and end at one or with the picture.
  ConvPlan band(const Range& rows, int threads) const;
  std::int64_t row_period() const;

  const ConvProblem& problem() const;
  std::string_view algorithm() const;

  /// The most by which rounding may change a response (conv/error_bound.h), where pixels and padding are no larger than
  /// `largest`, or anywhere on `input`. Require PlanOptions::direct_error, unless sums are exact.
  double error_bound(double largest) const;
  double error_bound(const ConstTensorRef& input) const;
  /// The same on a picture whose largest pixel is known.
  double error_bound_of_picture(double largest_pixel) const;
  int threads() const;  ///< the most that run() uses
  /// The most bytes that each thread of run(), of this plan or of a band, takes for its work, beside the pixels.
  double thread_memory() const;

 private:
  struct State;  // behind a pointer, so that executors can refer to its problem and kernel when the plan is moved
  std::unique_ptr<State> state_;
};

}  // namespace convtool
