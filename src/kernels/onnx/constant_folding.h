// Internal to kernels/onnx/: small tensors that nodes compute from constants.
//
// Exporters write the pads of a border or the factors of an upsampling as a few operators on constants: two lists
// joined, reversed and transposed. They are computed here, since the import needs their numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/onnx/node.h"

namespace convtool {

/// A tensor that does not depend on the input of the model.
struct Constant {
  std::vector<std::int64_t> dims;
  std::vector<double> values;
  bool is_integer = false;  ///< its elements are integers, whose quotients are, too
};

/// Tensors of more numbers are not computed.
inline constexpr std::int64_t kMostFolded = 1024;

/// The numbers of a value by its name, if it is constant.
using ConstantSource = std::function<std::optional<Constant>(std::string_view value)>;

/// The output of `node`, which may be Add, Cast, Concat, ConstantOfShape, Div, Gather, Mul, Reshape, Shape, Slice,
/// Squeeze, Sub, Transpose or Unsqueeze, as far as lists and matrices need them. Nothing if it is another operator, an
/// input is not constant, or the result would have more than kMostFolded numbers.
std::optional<Constant> fold_constants(const OnnxNode& node, const ConstantSource& source);

}  // namespace convtool
