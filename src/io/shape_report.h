// What the shape command tells about a layer or a row of layers, without touching pixels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conv/problem.h"
#include "network/receptive_field.h"

namespace convtool {

struct BankShape {
  std::string name;
  ConvProblem problem;  ///< of its first kernel
  Shape output;
  double macs = 0;
  std::int64_t parameters = 0;     ///< distinct weights and biases: a rank-2 kernel counts once for all channels
  ReceptiveField receptive_field;  ///< in pixels of the first layer's input
};

/// At least one bank; the input of the first is banks.front().problem.input.
struct ShapeReport {
  std::vector<BankShape> banks;
  int rank = 3;  ///< with 4, n stands in the shapes
};

/// The final output shape on the first line; then for each bank, which users know as a layer, the formula with its
/// numbers, and what it costs.
std::string to_text(const ShapeReport& report);

/// One JSON object: output_shape, macs, parameters, receptive_field, and layers, a list of the same.
std::string to_json(const ShapeReport& report);

}  // namespace convtool
