// A bank prepared for one input shape: each layer bound to its channels and planned.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "conv/plan.h"
#include "network/enlarging.h"
#include "network/layer.h"
#include "network/pools/max_pool.h"
#include "network/pools/mean_pool.h"

namespace convtool {

/// The engine's weights for `layer` on an input of `c_i` channels. A rank-2 kernel is repeated for each channel, as a
/// depthwise convolution. `flip` rotates it by 180 degrees, which makes it a true convolution. The number of biases has
/// to match, as bank_geometry() checks.
Kernel bind_kernel(const Layer& layer, std::int64_t c_i, bool flip);

/// The shapes of a bank on one input.
struct BankGeometry {
  std::vector<ConvProblem> problems;    ///< one per layer; the groups of a rank-2 kernel are the channels
  Shape output;                         ///< channels combined or stacked
  std::optional<Enlargement> enlarged;  ///< only of a layer that enlarges; then `problems` describes it (described())
};

/// Throws Error(shape) where a layer does not fit the input, its biases do not match its output channels, or outputs to
/// be stacked differ in height or width.
BankGeometry bank_geometry(const Bank& bank, DType input_dtype, const Shape& input);

/// The formulas of the output's height and width, with numbers. None of sums, activations and batch normalization,
/// which keep every size. `layer` is the first of the bank with this geometry.
std::vector<std::string> size_formulas(const Layer& layer, const BankGeometry& geometry);

/// The arguments of one ConvPlan of a bank.
struct BoundKernel {
  ConvProblem problem;
  Kernel kernel;
  Epilogue epilogue;
};

/// The kernels of `bank` for the engine: one when it is combined, none for a window pool, one per phase of a layer that
/// enlarges, else one per layer.
std::vector<BoundKernel> bind_bank(const Bank& bank, const BankGeometry& geometry, bool flip);

/// A bank on one input shape. A combined bank is one plan whose epilogue combines channels. A stacked bank has a plan
/// for each layer, which writes its own slice of the output channels. A layer that enlarges has one for each phase,
/// which writes its own rows and columns. A window pool has no plans: it has an algorithm of its own and ignores the
/// one in the options. The output that a sum adds is not part of the plan: NetworkPlan adds it to the input.
class BankPlan {
 public:
  /// Throws as bank_geometry() and ConvPlan do.
  BankPlan(const Bank& bank, DType input_dtype, const Shape& input, bool flip, const PlanOptions& options);

  const Shape& output_shape() const { return geometry_.output; }

  /// As ConvPlan::run(). With a threshold on an integer picture, a response that is above it by no more than
  /// ConvPlan::error_bound() does not count as above: rounding may have taken it there. `largest` is the largest pixel
  /// of a picture that `input` is a part of.
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map,
                    std::optional<double> largest = {}) const;
  ResponseStats measure(const ConstTensorRef& input, const Strides& output) const;

  /// Whether rows of output can be computed apart from the others, by band(): the problems of all layers have bands
  /// (conv/bands.h), and those that are not padded with a constant are padded in the same mode.
  bool has_bands() const;

  /// The rows of input that a band needs: those of all its layers. Rows outside the picture show the row that
  /// pad_index() names for padding_mode().
  Range band_input(const Range& rows) const;
  PaddingMode padding_mode() const;

  /// A plan for output rows `rows` of one picture of the batch, on `threads` threads; its input is band_input(). The
  /// responses are those of ConvPlan::band().
  BankPlan band(const Range& rows, int threads) const;
  std::int64_t row_period() const;

  const BankGeometry& geometry() const { return geometry_; }
  const std::vector<ConvPlan>& plans() const { return plans_; }

  /// "rows", for kernels with different algorithms "rows+fft", or "pool".
  std::string algorithm() const;

  // Of the first kernel, or of the pool. The problem of a layer that enlarges is described().
  const ConvProblem& problem() const;
  /// As ConvPlan::thread_memory().
  double thread_memory() const;
  /// The most bytes that the threads of run() take for their work at a time, beside the pixels.
  double work_memory() const;
  int threads() const;

 private:
  BankPlan() = default;
  using Pool = std::variant<MaxPool, MeanPool>;

  ConstTensorRef read_by(std::size_t plan, const ConstTensorRef& input) const;

  BankGeometry geometry_;
  std::vector<ConvPlan> plans_;
  std::vector<Phase> phases_;  ///< of each plan, where the layer enlarges
  std::vector<Range> reads_;   ///< of a band: the rows of its input that each plan reads
  std::optional<Pool> pool_;
  std::shared_ptr<const Tensor> zeros_;  ///< a pixel, for phases that see nothing else
};

/// A plan that copies each channel unchanged, so that the engine maps and stores values that were computed elsewhere.
/// Ignores the algorithm in `options`.
BankPlan identity_plan(DType dtype, const Shape& shape, const PlanOptions& options);

/// The range between two percentiles of `responses`, without NaN: a mapping with percentiles needs no more of them.
/// Reorders them.
ResponseStats percentile_range(std::span<float> responses, const std::array<double, 2>& percentiles);

/// Runs `bank` and stores its responses, mapped by `mapping`, in `output`, where all that a mapping needs to know of
/// the picture is known: its responses, `measured`, and for a threshold its largest pixel, `largest`. Otherwise as
/// run_mapped().
ResponseStats run_measured(const BankPlan& bank, const ConstTensorRef& input, DType units, const TensorRef& output,
                           const Mapping& mapping, const ResponseStats& measured, std::optional<double> largest = {});

/// Runs `bank` and stores its responses, mapped by `mapping`, in `output`. The mapping is not automatic. `output` has
/// the bank's output shape, any type and strides, and does not overlap the input. `units` is the element type whose
/// units the responses are in.
///
/// If a mapping needs all responses before the first value, the bank runs again instead of keeping them: twice for
/// normalize, and four times for signs, the last three into the R, G and B of `output`. For signs, the bank has one
/// output channel. With percentiles, the responses are kept in f32.
/// Throws Error(shape) when there is no finite range to normalize, std::bad_alloc when memory runs out.
ResponseStats run_mapped(const BankPlan& bank, const ConstTensorRef& input, DType units, const TensorRef& output,
                         const Mapping& mapping);

}  // namespace convtool
