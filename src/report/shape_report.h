// The report of the shape command: shapes and costs of one or more layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conv/problem.h"
#include "core/error.h"
#include "network/receptive_field.h"

namespace convtool {

/// The time of a bank, from its input in memory to its output in memory.
struct BankTiming {
  double seconds = 0;     ///< the median
  std::string algorithm;  ///< those of its kernels, without repetition
};

struct BankShape {
  std::string name;
  std::string kernel;   ///< the sizes of its kernels, such as "3x3", without repetition
  ConvProblem problem;  ///< of its first kernel
  Shape output;
  double macs = 0;
  std::int64_t parameters = 0;        ///< distinct weights and biases: a rank-2 kernel counts once for all channels
  std::vector<std::string> formulas;  ///< of the output's height and width; none for layers that keep every size
  ReceptiveField receptive_field;     ///< in pixels of the first layer's input
  std::optional<std::size_t> source;  ///< the bank whose output it reads; empty for the one before it
  std::optional<std::size_t> addend;  ///< the bank whose output it adds to its input; empty for none
  std::optional<BankTiming> timing;
};

/// At least one bank; the input of the first is banks.front().problem.input.
struct ShapeReport {
  std::vector<BankShape> banks;
  int rank = 3;                                 ///< 4 where shapes include n
  int threads = 0;                              ///< used for timing
  std::optional<Error> failure = std::nullopt;  ///< why the bank after these cannot run
};

/// The final output shape on the first line. For one bank, which users know as a layer, the formula with its numbers
/// and the costs follow; for several, a table of the costs of each and of all, and the formulas.
std::string to_text(const ShapeReport& report);

/// One JSON object: version, status, error after a failure, input_shape, output_shape, macs, parameters,
/// receptive_field, activation_bytes, fully_connected_weights, and layers, a list with the same for each layer, its
/// name and kernel (BankShape), and the numbers of the layers that it reads, where that is not the one before it, and
/// adds, counted from 1. With timing also threads, instruction_set, seconds and gmac_per_second.
std::string to_json(const ShapeReport& report);

}  // namespace convtool
