// What the learn command tells: epochs while it runs, and what was learned at the end. Scripts rely on the JSON: add,
// never rename.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "learn/sample.h"
#include "network/layer.h"

namespace convtool {

/// Sums over the targets' values of one kind: those that were learned from, or those that were held out.
struct FitReport {
  double loss = 0;  ///< the sum of squared errors
  std::int64_t values = 0;
  std::optional<double> variation;  ///< what R^2 compares the loss with, where targets vary

  double mean_squared_error() const { return loss / static_cast<double>(values); }
  std::optional<double> r_squared() const { return variation ? std::optional(1 - loss / *variation) : std::nullopt; }
};

struct LearnReport {
  std::vector<std::string> inputs, targets;  ///< paths
  std::string output;                        ///< empty: the kernel is not written
  Layer layer;                               ///< as learned
  std::string method;                        ///< "gd" or "lstsq", as on the command line
  std::optional<double> rate, momentum;      ///< of gd
  std::optional<std::int64_t> epochs;
  std::optional<double> ridge;  ///< of lstsq
  std::optional<std::int64_t> rank, columns;
  bool learns_bias = false;
  bool round_asked = false;
  std::optional<double> divisor;  ///< of the weights that were rounded
  FitReport learned;
  std::optional<FitReport> held_out;

  /// Weights, and biases where they were learned, of all output channels.
  std::int64_t unknowns() const {
    return layer.shape.count() + (learns_bias ? static_cast<std::int64_t>(layer.bias.size()) : 0);
  }
};

/// "epoch 2, loss 4.370", and with rows held out ", held out 0.812"; without a newline.
std::string epoch_text(std::int64_t epoch, const Loss& loss, bool held_out);

/// The same as a JSON object on one line.
std::string epoch_json(std::int64_t epoch, const Loss& loss, bool held_out);

/// How the kernel was made and how well it fits, for its file's description.
std::string describe_learning(const LearnReport& report);

/// The kernel file, which apply takes.
std::string kernel_json(const LearnReport& report);

/// The weights, the biases where there are any, and how well they fit: lines, each with a newline.
std::string to_text(const LearnReport& report);

/// One JSON object on one line, the kernel in it as its file has it.
std::string to_json(const LearnReport& report);

}  // namespace convtool
