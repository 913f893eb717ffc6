// The report of the learn command: epochs while it runs, and the learned kernel at the end. Scripts rely on the keys of
// the JSON: add some, but never rename one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "learn/sample.h"
#include "network/layer.h"

namespace convtool {

/// The fit to the targets' values of one kind: training or held out.
struct FitReport {
  double loss = 0;  ///< the sum of squared errors
  std::int64_t values = 0;
  std::optional<double> variation;  ///< the reference for R^2; unset where targets are constant

  double mean_squared_error() const { return loss / static_cast<double>(values); }
  std::optional<double> r_squared() const { return variation ? std::optional(1 - loss / *variation) : std::nullopt; }
};

struct LearnReport {
  std::vector<std::string> inputs, targets;  ///< paths
  std::string output;                        ///< empty where the kernel is not written
  Layer layer;                               ///< as learned
  std::string method;                        ///< "gd" or "lstsq", as on the command line
  std::optional<double> rate, momentum;      ///< for gd, as are the epochs
  std::optional<std::int64_t> epochs;
  std::optional<double> ridge;  ///< for lstsq, as are rank and columns
  std::optional<std::int64_t> rank, columns;
  bool learns_bias = false;
  bool round_asked = false;
  std::optional<double> divisor;  ///< of rounded weights
  FitReport learned;
  std::optional<FitReport> held_out;

  /// The number of learned weights and biases, over all output channels.
  std::int64_t unknowns() const {
    return layer.shape.count() + (learns_bias ? static_cast<std::int64_t>(layer.bias.size()) : 0);
  }
};

/// "epoch 2, loss 4.370", or with held-out rows "epoch 2, loss 4.370, held out 0.812". Without a newline.
std::string epoch_text(std::int64_t epoch, const Loss& loss, bool held_out);

/// The same as a JSON object on one line.
std::string epoch_json(std::int64_t epoch, const Loss& loss, bool held_out);

/// How the kernel was learned and how well it fits, for the description in its file.
std::string describe_learning(const LearnReport& report);

/// The text of the kernel file.
std::string kernel_json(const LearnReport& report);

/// Lines with the weights, the biases if any, and how well they fit, each with a newline.
std::string to_text(const LearnReport& report);

/// One JSON object on one line. Its `kernel` is the content of the kernel file.
std::string to_json(const LearnReport& report);

}  // namespace convtool
