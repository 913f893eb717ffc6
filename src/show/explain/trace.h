// A run of a network on one input, as explanations need it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conv/epilogue.h"
#include "conv/output_map.h"
#include "core/tensor.h"
#include "network/bank_plan.h"
#include "network/layer.h"

namespace convtool {

/// The pixels and everything computed from them. Views are of memory that outlives the trace.
struct TraceNumbers {
  ConstTensorRef input;                   ///< the channels that are filtered
  std::vector<ConstTensorRef> responses;  ///< of each bank, f32
  ConstTensorRef stored;                  ///< the result as it is stored, without an alpha that was set aside
  Mapping mapping;                        ///< from the last responses to `stored`; not automatic
  bool map_matters = true;                ///< false where responses are stored as they are
  bool map_is_automatic = false;          ///< the mapping is resolve_map()'s choice
  /// The most by which rounding may change a response of each bank (ConvPlan::error_bound()); 0 for a max pool.
  std::vector<double> error_bounds;
  ResponseStats measured;  ///< the range that `mapping` needs, if it needs one
};

/// What the engine read, computed and stored. Only the first item of a batch is explained. Views are of memory that
/// outlives the trace.
struct Trace {
  std::string name;   ///< of the input, as the user gave it
  Network network;    ///< the weights of a layer may be missing where there are no numbers
  bool flip = false;  ///< as in bind_kernel()
  int rank = 3;       ///< dimensions of the input, as in RankedTensor
  Shape input;        ///< the channels that are filtered
  std::vector<BankGeometry> banks;

  using Numbers = TraceNumbers;
  std::optional<Numbers> numbers;  ///< nothing where the input is a shape without numbers

  /// Of the result: that of the last bank, except that OutputMap::signs has three channels.
  Shape output() const { return numbers ? numbers->stored.shape : banks.back().output; }
  /// Whether the channels of the result are the R, G and B of one response.
  bool shows_signs() const { return numbers && numbers->mapping.map == OutputMap::signs; }
  /// Whether a layer stands for an activation or a batch normalization, which have no windows.
  bool is_elementwise(std::size_t layer) const {
    const Outline outline = network.banks[layer].layers.front().outline;
    return outline == Outline::batch_norm || outline == Outline::activation;
  }
  /// The element type of what the first bank reads.
  DType dtype() const { return banks.front().problems.front().input_dtype; }
};

}  // namespace convtool
