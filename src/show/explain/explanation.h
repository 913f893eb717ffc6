// How one output of a network comes about: windows, weights, products and sums, from the stored value back to the
// input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "show/explain/trace.h"

namespace convtool {

/// The terms of an explanation, all layers and kernels together. Each takes about a hundred bytes.
inline constexpr std::int64_t kMostTerms = std::int64_t{1} << 20;

/// A place in a channel.
struct Pixel {
  std::int64_t channel = 0, y = 0, x = 0;

  bool operator==(const Pixel&) const = default;
};

/// An element of the first item as a double, which represents it exactly.
double value_at(const ConstTensorRef& tensor, const Pixel& at);

/// One tap of a kernel: the pixel it reads and the weight it multiplies. Numbers are missing where the input or the
/// layer has none; a weight and a product are also missing in a max pool.
struct Term {
  Pixel at;                     ///< in the layer's input; may lie outside
  bool inside = true;           ///< whether it lies in the input
  std::optional<Pixel> source;  ///< the pixel whose value is read; nothing where padding has a constant value
  std::optional<double> input, weight, product;
};

/// The sum of one kernel at one output, and what the layer does to it before banks are combined.
struct KernelSum {
  std::string kernel;         ///< its name
  std::int64_t channels = 1;  ///< input channels that it reads
  std::int64_t kh = 1, kw = 1;
  std::vector<Term> terms;    ///< [channel][row][column] of the kernel
  std::optional<double> sum;  ///< of the products, in double
  double divisor = 1, bias = 0;
  Activation activation = Activation::none;
  ActivationNumbers numbers{};
  std::optional<double> response;  ///< sum / divisor + bias, activated
};

/// The range of rows and columns that an output reads or depends on, both ends included. May reach into the padding.
struct Region {
  std::int64_t first_row = 0, last_row = 0, first_column = 0, last_column = 0;

  bool operator==(const Region&) const = default;
};

/// One output of one layer of the network (a Bank).
struct LayerStep {
  std::size_t layer = 0;  ///< counted from 0, in the order in which layers run
  std::string name;
  ConvProblem problem;   ///< of the kernels below
  Shape output;          ///< of the layer
  Pixel at;              ///< the output that is explained
  bool is_bank = false;  ///< the layer has several kernels
  Pooling pooling = Pooling::none;
  std::vector<KernelSum> sums;  ///< one for each kernel that the output combines, else one; of a max pool its window
  Combine combine = Combine::none;
  /// The response, up to rounding that of the sums above: if an f32 that rounds it differs from the engine's, it is the
  /// engine's.
  std::optional<double> response;
  Region window;  ///< of the layer's input, read by this output
  Region seen;    ///< of the layer's input, on which the output of the whole network depends
};

enum class Clipped { no, low, high };
inline constexpr std::string_view kClipped[] = {"no", "low", "high"};

struct Explanation {
  const Trace* trace = nullptr;
  Pixel at;  ///< in the result
  /// From the last layer back to the first. Each explains the input of the layer after it that contributes most: the
  /// product with the largest absolute value, in a max pool the largest value, and without numbers the middle. The list
  /// ends early where all that is left is padding.
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
  Region receptive_field(const Pixel& place) const { return region_before(0, place); }

 private:
  LayerStep explain_layer(std::size_t layer, const Pixel& at) const;
  /// The terms of an output of a layer, at most.
  std::int64_t terms_of(std::size_t layer) const;
  Region region_before(std::size_t layer, const Pixel& place) const;

  const Trace& trace_;
  std::vector<std::vector<BoundKernel>> kernels_;  ///< of each bank; none for a max pool
};

/// A float as a double that prints like it: 0.1F as 0.1, not 0.10000000149011612. Converts back to the same float.
double as_printed(float number);

}  // namespace convtool
