// What the shape command tells about a layer or a row of layers, without touching pixels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conv/problem.h"
#include "network/receptive_field.h"

namespace convtool {

struct LayerShape {
  std::string name;
  ConvProblem problem;
  Shape output;
  double macs = 0;
  std::int64_t parameters = 0;     ///< distinct weights and biases: a rank-2 kernel counts once for all channels
  ReceptiveField receptive_field;  ///< in pixels of the first layer's input
};

/// At least one layer; the input of the first is layers.front().problem.input.
struct ShapeReport {
  std::vector<LayerShape> layers;
  int rank = 3;  ///< with 4, n stands in the shapes
};

/// The final output shape on the first line; then for each layer the formula with its numbers, and what it costs.
std::string to_text(const ShapeReport& report);

/// One JSON object: output_shape, macs, parameters, receptive_field, and layers, a list of the same.
std::string to_json(const ShapeReport& report);

}  // namespace convtool
