// How one output of a network comes about: windows, weights, products and sums, from the stored value back to the
// input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/receptive_field.h"
#include "show/explain/kernel_sums.h"
#include "show/explain/trace.h"

namespace convtool {

/// The terms of an explanation, all layers and kernels together. Each takes about a hundred bytes.
inline constexpr std::int64_t kMostTerms = std::int64_t{1} << 20;

/// One output of one layer of the network (a Bank).
struct LayerStep {
  std::size_t layer = 0;  ///< counted from 0, in the order in which layers run
  std::string name;
  /// The layer whose output is read, and the one whose output is added to that. No source: the input of the network.
  std::optional<std::size_t> source, addend;
  /// Of the kernels below. For a layer that enlarges as windows_of(), with the stride of the layer.
  ConvProblem problem;
  Shape output;          ///< of the layer
  Pixel at;              ///< the output that is explained
  bool is_bank = false;  ///< the layer has several kernels
  Pooling pooling = Pooling::none;
  bool has_pool_windows = false;  ///< a window pool (Layer::is_window_pool()), which has no kernel
  Enlarging enlarging = Enlarging::none;
  std::vector<KernelSum> sums;  ///< one for each kernel that the output combines, else one; of a max pool its window
  Combine combine = Combine::none;
  /// The response, up to rounding that of the sums above: if an f32 that rounds it differs from the engine's, it is the
  /// engine's.
  std::optional<double> response;
  std::optional<Region> window;  ///< of the layer's input, read by this output; nothing where it reads nothing
  Region seen;                   ///< of the output that is read, on which the output of the whole network depends
};

enum class Clipped { no, low, high };
inline constexpr std::string_view kClipped[] = {"no", "low", "high"};

struct Explanation {
  const Trace* trace = nullptr;
  Pixel at;  ///< in the result
  /// From the last layer back to the first, or where layers read or add earlier outputs, along one way through the
  /// network. Each explains the input of the layer after it that contributes most: the product with the largest
  /// absolute value, in a max pool the largest value, of two addends the larger one, and without numbers the middle or
  /// the first addend. The list ends early where all that is left is padding.
  std::vector<LayerStep> layers;

  /// The way from the response to the value that is stored. Nothing without numbers.
  struct Stored {
    ValueMap map;
    double mapped = 0;  ///< before it is rounded and clipped
    double value = 0;   ///< as it is stored, by the engine
    DType dtype = DType::f32;
    Clipped clipped = Clipped::no;
  };
  std::optional<Stored> stored;

  const LayerStep& last() const { return layers.front(); }
  bool reaches_input() const { return layers.back().layer == 0; }
};

/// Explains outputs of a trace, which outlives it.
class Explainer {
 public:
  explicit Explainer(const Trace& trace);

  /// Throws Error(usage), with the ranges, for a place that is not in the result.
  void check(const Pixel& place) const;

  /// Throws as check() does, and Error(shape) for more than kMostTerms terms.
  Explanation at(const Pixel& place) const;

  /// The rows and columns of input that the output at `place` depends on.
  Region receptive_field(const Pixel& place) const;

 private:
  LayerStep explain_layer(std::size_t layer, const Pixel& at) const;
  KernelSum sum_of_addends(const LayerStep& step) const;
  /// The terms of an output of a layer, at most.
  std::int64_t terms_of(std::size_t layer) const;

  const Trace& trace_;
  std::vector<std::vector<BoundKernel>> kernels_;  ///< of each bank; none for a window pool
  std::vector<std::vector<Phase>> phases_;         ///< of each bank that enlarges
  std::vector<std::optional<std::size_t>> sources_, addends_;
};

/// The windows of a bank as they are drawn: those of its first kernel. What enlarges reads no padding, except that
/// bilinear upsampling repeats the outermost pixels once.
ConvProblem windows_of(const BankGeometry& bank);

}  // namespace convtool
