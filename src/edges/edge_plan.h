// An edge recipe prepared for one input shape.
#pragma once

#include <optional>

#include "edges/hysteresis.h"
#include "edges/orientation.h"
#include "edges/recipe.h"
#include "network/network_plan.h"

namespace convtool {

/// The result of one run, apart from the output.
struct EdgeResult {
  ResponseStats stats;  ///< of the strengths before thinning and hysteresis, or of the components that were stored
  std::optional<Thresholds> thresholds;  ///< used by hysteresis
  std::optional<std::int64_t> edge_pixels;
};

/// Runs the kernels with the engine, then the other stages, each over the whole picture. Responses that rounding alone
/// may have produced are 0 (noise.h). A recipe that is one run of the engine, such as a magnitude in one colour of a
/// kernel whose sums are exact, gives the same values as apply with the same bank (for a Laplacian, their absolute
/// values). Other recipes keep the responses in f32, one more plane for each stage, and one byte per
/// pixel for decisions.
class EdgePlan {
 public:
  /// With ColorRule::luma, `input` has one channel. Throws Error(shape) for several channels with luma, for a stage
  /// that needs a direction with kernels that have none, and for di_zenzo with l1 or with kernels that are not a pair.
  /// Throws as NetworkPlan does.
  EdgePlan(const EdgeRecipe& recipe, DType input_dtype, const Shape& input, const PlanOptions& options);

  /// One channel; for components one per kernel, for the wheel and the overlay three.
  const Shape& output_shape() const { return output_; }

  const EdgeRecipe& recipe() const { return recipe_; }

  /// Finds edges in `input`. An overlay is painted on `picture`, which has the same size, one channel or three, and any
  /// type; otherwise it is ignored. `output` has any type and strides and overlaps neither. `mapping` is not automatic;
  /// it is used if is_mapped(). Throws as run_mapped() and otsu_thresholds() do.
  /// An observer receives once, as bank 0, the responses that the statistics are of.
  EdgeResult run(const ConstTensorRef& input, const ConstTensorRef& picture, const TensorRef& output,
                 const Mapping& mapping, const LayerObserver& observer = {}) const;

  /// Whether run() is one run of the kernels, and nothing else.
  bool is_one_run() const { return in_one_run_; }

  /// The plan of the kernels.
  const NetworkPlan& kernels() const { return kernels_; }

 private:
  struct Field;  // strengths, and gradients where they are needed

  Tensor find_responses(const ConstTensorRef& input) const;
  Field find_field(const ConstTensorRef& input) const;
  Field find_directed_field(Tensor responses, const Shape& input) const;
  Thresholds find_thresholds(const ConstTensorRef& strength) const;
  void store_orientation(const Field& field, const BrightnessRange& range, const TensorRef& output) const;
  void store_overlay(const ConstTensorRef& edges, const ConstTensorRef& picture, const TensorRef& output) const;

  EdgeRecipe recipe_;
  DType input_dtype_;
  PlanOptions options_;
  NetworkPlan kernels_;
  bool in_one_run_;
  Shape output_;
};

}  // namespace convtool
