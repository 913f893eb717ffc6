#include "cli/commands/learn/result.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "learn/rounding.h"

namespace convtool {
namespace {

/// Fills in the losses and variations by which the report says how well the layer fits.
void describe_fit(const std::vector<Sample>& samples, const Loss& loss, LearnReport& report) {
  FitReport held_out{.loss = loss.held_out};
  report.learned.loss = loss.learned;
  for (const Sample& sample : samples) {
    report.learned.values += sample.learned_values();
    held_out.values += sample.held_out_values();
  }
  const double varies = variation(samples);
  if (varies > 0) report.learned.variation = varies;
  const double held_out_varies = variation(samples, Rows::held_out);
  if (held_out_varies > 0) held_out.variation = held_out_varies;
  if (held_out.values > 0) report.held_out = held_out;
}

/// Throws Error(shape) for weights or biases (`what`) that overflow float, or that all underflow to 0.
void check_floats(const std::vector<double>& weights, const std::string& what) {
  double largest = 0;
  for (const double weight : weights) largest = std::max(largest, std::fabs(weight));
  const bool all_finite = std::all_of(weights.begin(), weights.end(),
                                      [](double weight) { return std::isfinite(static_cast<float>(weight)); });
  if (!all_finite || (largest > 0 && static_cast<float>(largest) == 0))
    refuse_shape("--target", "the " + what + " are beyond float32 (the largest is " + short_text(largest) +
                                 "); scale the target or the input");
}

}  // namespace

void fill_layer(const std::vector<Sample>& samples, Parameters parameters, const LearnOptions& options,
                const LearnPlan& plan, LearnReport& report) {
  Layer& layer = report.layer;
  const KernelShape& shape = samples.front().problem.kernel;
  check_floats(parameters.weights, "weights");
  check_floats(parameters.bias, "biases");
  Loss loss = measure_loss(samples, parameters.to_kernel(shape), plan.threads);
  layer.divisor.clear();
  report.learns_bias = options.bias;
  report.round_asked = options.round;
  if (options.round) {
    if (const auto rounded = round_parameters(samples, parameters, options.bias, loss, plan.threads)) {
      parameters = rounded->parameters;
      for (double& weight : parameters.weights) weight *= rounded->divisor;
      if (rounded->divisor > 1) layer.divisor = {rounded->divisor};
      report.divisor = rounded->divisor;
      loss = rounded->loss;
    }
  }
  const Kernel kernel = parameters.to_kernel(shape);
  layer.weights = kernel.weights;
  if (options.bias || !layer.bias.empty()) layer.bias = kernel.bias;
  describe_fit(samples, loss, report);
  layer.description = describe_learning(report);
}

}  // namespace convtool
