// The options of learn: as given, and as numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/batch/read_files.h"
#include "cli/options/layer_options.h"
#include "learn/gradient_descent.h"
#include "learn/least_squares.h"
#include "network/layer.h"
#include "pictures/isolation/picture_decoder.h"

namespace convtool {

/// As given on the command line.
struct LearnOptions {
  std::vector<std::string> inputs, targets;
  std::vector<std::string> stray;  ///< operands, which learn does not take
  LayerOptions layer;
  std::optional<std::string> kernel_size, method, ridge, holdout, output, report;
  std::optional<std::string> rate, epochs, momentum, init, seed, log_every;  ///< of gradient descent
  std::string threads = "0", isolation = "auto";
  bool bias = false, round = false, json = false, quiet = false;

  /// Whether the kernel file goes to standard output, and the report to standard error.
  bool writes_to_stdout() const { return output == "-"; }
};

/// The same, checked and as numbers.
struct LearnPlan {
  Layer layer;  ///< without weights, unless --init gives them
  bool descends = false;
  DescentOptions descent;  ///< rate 0: a stable one is computed
  LeastSquaresOptions least_squares;
  bool init_uniform = false;
  std::uint64_t seed = 0;
  std::int64_t log_every = 2;
  double holdout = 0;
  int threads = 0;
  Isolation isolation = Isolation::automatic;
};

/// Adds the options of learn to `command`. `options` must outlive it.
void add_learn_options(Command& command, LearnOptions& options);

/// Throws Error(usage) for operands, which learn does not take: it says which options they belong to.
void check_no_operands(const LearnOptions& options);

/// Throws Error(usage), or Error(kernel) for --init.
LearnPlan make_learn_plan(const LearnOptions& options);

/// The files that `learn` reads: inputs, targets, and the kernel of --init.
ReadFiles files_read(const LearnOptions& options);

/// Throws Error(usage) unless the kernel file can be written where --output says.
void check_kernel_output(const LearnOptions& options);

}  // namespace convtool
