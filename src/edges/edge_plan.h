// An edge recipe made ready for one input shape.
#pragma once

#include <optional>

#include "edges/hysteresis.h"
#include "edges/recipe.h"
#include "network/network_plan.h"

namespace convtool {

/// What a run found.
struct EdgeResult {
  ResponseStats stats;  ///< of strengths, before they are thinned or decided; or of components that are the output
  std::optional<Thresholds> thresholds;  ///< those that hysteresis used
  std::optional<std::int64_t> edge_pixels;
};

/// Runs the kernels by the engine and what follows in stages, each over the whole picture. What is one run of the
/// engine, such as a magnitude in one colour, is done so, and is what apply makes of the same bank (of a Laplacian its
/// absolute value). Else it keeps the responses in f32, one more plane for each stage, and a byte a pixel for
/// decisions.
class EdgePlan {
 public:
  /// For an input of luma or tensors the shape has one channel with ColorRule::luma.
  /// Throws Error(shape) for what cannot be: several channels with luma, a direction of kernels that have none,
  /// di_zenzo with l1 or of kernels that are no pair; and as NetworkPlan does.
  EdgePlan(const EdgeRecipe& recipe, DType input_dtype, const Shape& input, const PlanOptions& options);

  /// One channel; as many as there are kernels for components, three for the wheel and the overlay.
  const Shape& output_shape() const { return output_; }

  const EdgeRecipe& recipe() const { return recipe_; }

  /// Finds edges in `input`. `picture`, as large and of any type, is what an overlay is painted on (one channel or
  /// three), and else not looked at. `output` has any type and strides and does not overlap them. `mapping` is for what
  /// is_mapped(), and not automatic; `units` the type whose units `input` is in. Throws as run_mapped() does, and where
  /// otsu_thresholds() finds none.
  EdgeResult run(const ConstTensorRef& input, const ConstTensorRef& picture, const TensorRef& output,
                 const Mapping& mapping) const;

  /// The kernels, as they run.
  const NetworkPlan& kernels() const { return kernels_; }

 private:
  struct Field;  // strengths, and gradients where they are known

  Field find_field(const ConstTensorRef& input) const;
  Thresholds find_thresholds(const ConstTensorRef& strength) const;

  EdgeRecipe recipe_;
  DType input_dtype_;
  PlanOptions options_;
  bool in_one_run_;
  NetworkPlan kernels_;
  Shape output_;
};

}  // namespace convtool
