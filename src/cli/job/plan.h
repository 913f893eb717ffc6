// A filter prepared for one input: the one interface that a job runs.
#pragma once

#include <memory>
#include <optional>

#include "cli/job/filter_spec.h"
#include "edges/edge_plan.h"
#include "network/folding/folding.h"
#include "network/network_plan.h"

namespace convtool {

/// The data that one run reads and writes.
struct PlanRun {
  ConstTensorRef input;
  ConstTensorRef picture;  ///< colours as large as the input, on which an overlay is painted; else not read
  TensorRef output;        ///< the plan's output_shape(), any type and strides, not overlapping the others
  Mapping mapping;         ///< from responses to values; not automatic
  LayerObserver observer;  ///< receives the responses of each layer of a network, or of an edge recipe; may be empty
};

struct PlanResult {
  ResponseStats stats;
  std::optional<EdgeResult> edges;  ///< of edge recipes
};

/// A network some of whose layers run as one.
struct FoldedPlan {
  Folding folding;
  NetworkPlan plan;  ///< of its network
};

/// Implemented for a network, a network on colours premultiplied by alpha, and an edge recipe. Immutable.
class Plan {
 public:
  virtual ~Plan() = default;

  virtual const Shape& output_shape() const = 0;

  /// The convolutions that it runs; their last output need not be its own.
  virtual const NetworkPlan& kernels() const = 0;

  /// How layers run as one, where they do: kernels() plans them one by one, for their sizes and an observer. Or null.
  virtual const FoldedPlan* folded() const { return nullptr; }

  /// The edge recipe with every choice made, or null.
  virtual const EdgeRecipe* recipe() const { return nullptr; }

  /// The bank whose run_mapped() is all that run() does apart from the observer, or null.
  virtual const BankPlan* only_bank() const { return nullptr; }

  /// Throws Error(shape) where normalizing finds no finite range or Otsu's method no threshold, std::bad_alloc when
  /// memory runs out.
  virtual PlanResult run(const PlanRun& run) const = 0;
};

/// Plans `spec` for the filtered channels of `source`; `format` is the output's. Throws Error(shape) if the kernel, the
/// recipe or an option does not fit the input, or a result has more than spec.max_pixels, Error(memory) if it needs
/// more memory than any machine has.
std::unique_ptr<Plan> make_plan(const SourceTraits& source, const FileFormat& format, const FilterSpec& spec);

}  // namespace convtool
