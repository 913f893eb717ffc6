#include "cli/commands/learn/training.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "network/network_plan.h"

namespace convtool {
namespace {

/// Initialises as nn.Conv2d does: uniform between -b and b, with b = 1 / sqrt(inputs of an output).
void fill_uniform(const KernelShape& shape, std::uint64_t seed, bool with_bias, Parameters& parameters) {
  std::mt19937_64 engine(seed);
  const double bound = 1 / std::sqrt(static_cast<double>(shape.taps()));
  const auto next = [&] { return bound * (static_cast<double>(engine() >> 11) * 0x1p-52 - 1); };
  for (double& weight : parameters.weights) weight = next();
  if (!with_bias) return;
  for (double& bias : parameters.bias) bias = next();
}

Parameters make_start(const LearnPlan& plan) {
  const Layer& layer = plan.layer;
  Parameters start(layer.shape);
  if (layer.weights.empty()) {
    if (plan.init_uniform) fill_uniform(layer.shape, plan.seed, plan.descent.learns_bias, start);
    return start;
  }
  if (layer.rank == 2 && layer.bias.size() > 1)
    refuse_usage("--init", "has a bias per channel, but all channels share one kernel; give one bias");
  const Kernel kernel = bind_kernel(layer, 1, false);
  const auto taps = static_cast<std::size_t>(layer.shape.taps());
  for (std::size_t i = 0; i < start.weights.size(); ++i)
    start.weights[i] = static_cast<double>(kernel.weights[i]) / (kernel.divisor.empty() ? 1 : kernel.divisor[i / taps]);
  start.bias.assign(kernel.bias.begin(), kernel.bias.end());
  return start;
}

/// Prints the loss of epochs as they end.
class EpochPrinter {
 public:
  EpochPrinter(const LearnOptions& options, const LearnPlan& plan)
      : options_(options), plan_(plan), line_(!options.quiet && is_capable_terminal(STDERR_FILENO)) {}

  void operator()(std::int64_t epoch, const Loss& loss) {
    const bool held_out = plan_.holdout > 0;
    if (epoch % plan_.log_every == 0 && !options_.quiet) {
      line_.erase();
      const auto out = options_.writes_to_stdout() ? print_error : print;
      out((options_.json ? epoch_json(epoch, loss, held_out) : epoch_text(epoch, loss, held_out)) + "\n");
    }
    line_.draw([&] { return epoch_text(epoch, loss, held_out) + " of " + std::to_string(plan_.descent.epochs); });
  }

 private:
  const LearnOptions& options_;
  const LearnPlan& plan_;
  StatusLine line_;
};

/// Whether all taps of each output read the same number.
bool are_constant(const std::vector<Sample>& samples) {
  const ConvProblem& problem = samples.front().problem;
  const bool has_borders = problem.padding_mode == PaddingMode::zeros || problem.padding_mode == PaddingMode::constant;
  if (samples.size() > 1 || problem.kernel.c_i_per_group > 1 || problem.kernel.taps() == 1 ||
      (has_borders && problem.pads != Pads{}))
    return false;
  return std::all_of(samples.begin(), samples.end(), [](const Sample& sample) {
    const Shape& shape = sample.input.shape();
    const float* values = sample.input.data<float>();
    const std::int64_t plane = shape.h * shape.w;
    for (std::int64_t first = 0; first < shape.count(); first += plane)
      if (std::any_of(values + first, values + first + plane, [&](float v) { return v != values[first]; }))
        return false;
    return true;
  });
}

}  // namespace

Parameters learn_parameters(const std::vector<Sample>& samples, const LearnOptions& options, LearnPlan& plan,
                            LearnReport& report, Course& course) {
  if (plan.descends) {
    if (plan.descent.rate == 0) plan.descent.rate = stable_rate(samples, options.bias, plan.threads);
    if (plan.descent.rate == 0)
      refuse_shape(
          options.inputs.front(),
          "no step changes the loss: the input is 0 everywhere, or its numbers are too large or too small to square; "
          "scale them, or give another input");
    if (!options.quiet && are_constant(samples))
      print_message(MessageKind::warning,
                    options.inputs.front() + ": the input is constant, which determines only the sum of the weights");
    report.method = "gd";
    report.rate = plan.descent.rate;
    report.momentum = plan.descent.momentum;
    report.epochs = plan.descent.epochs;
    EpochPrinter print_epoch(options, plan);
    const std::int64_t step = plan.descent.epochs / kMostPoints + 1;
    course.start = make_start(plan);
    return descend(samples, *course.start, plan.descent, [&](std::int64_t epoch, const Loss& loss) {
      print_epoch(epoch, loss);
      if (epoch % step != 0 && epoch != 1 && epoch != plan.descent.epochs) return;
      course.curve.epochs.push_back(epoch);
      course.curve.losses.push_back(loss.learned);
      if (plan.holdout > 0) course.curve.held_out.push_back(loss.held_out);
    });
  }
  const LeastSquares found = solve_least_squares(samples, plan.least_squares);
  report.method = "lstsq";
  report.ridge = plan.least_squares.ridge;
  report.rank = found.rank;
  report.columns = found.columns;
  if (found.rank < found.columns && !options.quiet)
    print_message(
        MessageKind::warning,
        (options.inputs.size() > 1 ? "the inputs determine " : options.inputs.front() + ": the input determines ") +
            std::to_string(found.rank) + " of the " + std::to_string(found.columns) + " unknowns of an output channel" +
            (samples.front().problem.groups > 1 ? " of each group" : "") + "; the weights of least norm were chosen");
  return found.parameters;
}

}  // namespace convtool
