// What the shape command tells about a layer or a row of layers, without touching pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conv/problem.h"
#include "core/error.h"
#include "network/receptive_field.h"

namespace convtool {

/// How long a bank takes, from its input in memory to its output in memory.
struct BankTiming {
  double seconds = 0;     ///< the median
  std::string algorithm;  ///< those of its kernels, each once
};

struct BankShape {
  std::string name;
  std::string kernel;   ///< its sizes, such as "3x3", each once
  ConvProblem problem;  ///< of its first kernel
  Shape output;
  double macs = 0;
  std::int64_t parameters = 0;     ///< distinct weights and biases: a rank-2 kernel counts once for all channels
  ReceptiveField receptive_field;  ///< in pixels of the first layer's input
  std::optional<BankTiming> timing;
};

/// At least one bank; the input of the first is banks.front().problem.input.
struct ShapeReport {
  std::vector<BankShape> banks;
  int rank = 3;                                 ///< with 4, n stands in the shapes
  int threads = 0;                              ///< that banks were timed with
  std::optional<Error> failure = std::nullopt;  ///< why the bank behind these cannot run
};

/// The final output shape on the first line. Of one bank, which users know as a layer, then the formula with its
/// numbers, and what it costs; of several a table of what each costs and all together, and the formulas.
std::string to_text(const ShapeReport& report);

/// One JSON object: version, status, and of a failure error; output_shape, macs, parameters, receptive_field,
/// activation_bytes, fully_connected_weights, and layers, a list of the same; when timed also threads, instruction_set,
/// seconds and gmac_per_second.
std::string to_json(const ShapeReport& report);

}  // namespace convtool
