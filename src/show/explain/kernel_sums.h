// The terms of one output of a layer, and their sum.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "network/bank_plan.h"

namespace convtool {

/// A place in a channel.
struct Pixel {
  std::int64_t channel = 0, y = 0, x = 0;

  bool operator==(const Pixel&) const = default;
};

/// An element of the first item as a double, which represents it exactly.
double value_at(const ConstTensorRef& tensor, const Pixel& at);

/// One tap of a kernel: the pixel it reads and the weight it multiplies. Numbers are missing where the input or the
/// layer has none; a weight and a product are also missing in a max pool, and all of them where a pool does not count
/// what lies outside. The terms of a sum are what is added, each with a weight of 1.
struct Term {
  Pixel at;                     ///< in the layer's input; may lie outside
  bool inside = true;           ///< whether it lies in the input
  std::optional<Pixel> source;  ///< the pixel whose value is read; nothing where padding has a constant value
  std::optional<double> input, weight, product;
};

/// The sum of one kernel at one output, and what the layer does to it before banks are combined. For a layer that
/// enlarges, the kernel is the part of it that reaches the output: kh and kw are 0 where nothing does.
struct KernelSum {
  std::string kernel;         ///< its name
  std::int64_t channels = 1;  ///< input channels that it reads
  std::int64_t kh = 1, kw = 1;
  std::vector<Term> terms;  ///< [channel][row][column] of the kernel
  /// Of a transposed convolution: the rows and columns of its kernel that reach the output.
  std::vector<std::int64_t> kernel_rows = {}, kernel_columns = {};
  std::optional<double> largest;  ///< of a max pool
  std::optional<double> sum;      ///< of the products, in double; of two addends, the float that the engine adds up
  double divisor = 1, bias = 0;
  Activation activation = Activation::none;
  ActivationNumbers numbers{};
  std::optional<double> response;  ///< sum / divisor + bias, or the largest value; activated
};

/// A float as a double that prints like it: 0.1F as 0.1, not 0.10000000149011612. Converts back to the same float.
double as_printed(float number);

/// The input of a layer. Its numbers are missing where there are none.
struct LayerInput {
  const ConvProblem& problem;  ///< its sizes and padding
  std::optional<ConstTensorRef> values;
};

/// The sum of channel `o` of `bound`, a kernel that reads `input`, at the output (y, x).
KernelSum kernel_sum(const LayerInput& input, const BoundKernel& bound, std::int64_t o, std::int64_t y, std::int64_t x);

/// The sum of a layer that enlarges, at the output `at`. `kernels` are those of its phases, as of bind_bank(). Outside
/// the input, a transposed convolution has no terms.
KernelSum enlarged_sum(const LayerInput& input, const Enlargement& enlarged, std::span<const Phase> phases,
                       std::span<const BoundKernel> kernels, const Pixel& at);

/// The window of `pool`, a window pool, at the output `at`: of a max pool the largest value, whose padding never
/// counts; of a mean pool the sum, divided by the pixels that count.
KernelSum pool_sum(const LayerInput& input, const Layer& pool, const Pixel& at);

}  // namespace convtool
