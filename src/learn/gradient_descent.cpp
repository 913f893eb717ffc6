#include "learn/gradient_descent.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "conv/gradients/weight_gradient.h"
#include "conv/plan.h"
#include "core/text.h"

namespace convtool {
namespace {

/// Adds `scale` times `step` to `sum`. Biases change only if they are learned.
void add_scaled(Parameters& sum, double scale, const Parameters& step, bool with_bias) {
  for (std::size_t i = 0; i < sum.weights.size(); ++i) sum.weights[i] += scale * step.weights[i];
  if (!with_bias) return;
  for (std::size_t o = 0; o < sum.bias.size(); ++o) sum.bias[o] += scale * step.bias[o];
}

void scale_by(Parameters& parameters, double factor) {
  for (double& weight : parameters.weights) weight *= factor;
  for (double& bias : parameters.bias) bias *= factor;
}

double norm(const Parameters& parameters, bool with_bias) {
  double squares = 0;
  for (const double weight : parameters.weights) squares += weight * weight;
  if (with_bias)
    for (const double bias : parameters.bias) squares += bias * bias;
  return std::sqrt(squares);
}

/// Adds the derivative of the sum of squared errors in the training rows.
void add_gradient_of_squares(const Sample& sample, const Tensor& errors, int threads, Parameters& gradient) {
  const ConstTensorRef learned = top_rows(errors.ref(), sample.learned_rows);
  const WeightGradient of_half = weight_gradient(sample.problem, sample.input.ref(), learned, threads);
  for (std::size_t i = 0; i < of_half.weights.size(); ++i) gradient.weights[i] += 2 * of_half.weights[i];
  for (std::size_t o = 0; o < of_half.bias.size(); ++o) gradient.bias[o] += 2 * of_half.bias[o];
}

[[noreturn]] void refuse_divergence(std::span<const Sample> samples, const DescentOptions& options, std::int64_t epoch,
                                    double first, double loss) {
  const double rate = stable_rate(samples, options.learns_bias, options.threads);
  const std::string remedy = rate > 0 && rate < options.rate ? "try --lr " + short_text(rate) : "choose a smaller one";
  refuse_shape("--lr", "the run diverges at epoch " + std::to_string(epoch) + " (loss " + short_text(first) +
                           " at the start, now " + short_text(loss) + ", rate " + to_text(options.rate) + "); " +
                           remedy);
}

}  // namespace

Parameters descend(std::span<const Sample> samples, const Parameters& start, const DescentOptions& options,
                   const EpochListener& listener) {
  const KernelShape& shape = samples.front().problem.kernel;
  std::vector<Tensor> errors;
  for (const Sample& sample : samples) errors.emplace_back(DType::f32, sample.target.shape());

  Parameters parameters = start, velocity(shape);
  double first = 0, worst = 0;  // losses: of the start; the greater of that and of the targets' mean
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    Loss loss;
    Parameters gradient(shape);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const Loss of_sample = measure_errors(samples[i], parameters.to_kernel(shape), options.threads, errors[i]);
      loss.learned += of_sample.learned;
      loss.held_out += of_sample.held_out;
      add_gradient_of_squares(samples[i], errors[i], options.threads, gradient);
    }
    if (epoch == 1) {
      first = loss.learned;
      worst = std::max(first, variation(samples));
    }
    if (!(loss.learned <= 1e6 * worst)) refuse_divergence(samples, options, epoch, first, loss.learned);
    listener(epoch, loss);
    scale_by(velocity, options.momentum);
    add_scaled(velocity, 1, gradient, options.learns_bias);
    add_scaled(parameters, -options.rate, velocity, options.learns_bias);
  }
  const double last = measure_loss(samples, parameters.to_kernel(shape), options.threads).learned;
  // Twice, since momentum may raise the loss of a run at first that converges later.
  if (!(last <= 2 * worst)) refuse_divergence(samples, options, options.epochs, first, last);
  return parameters;
}

double stable_rate(std::span<const Sample> samples, bool learns_bias, int threads) {
  const KernelShape& shape = samples.front().problem.kernel;
  // Any direction works that is not orthogonal to the steepest one. A pseudorandom direction resembles no pattern in
  // pictures.
  Parameters direction(shape);
  std::uint32_t state = 1;
  const auto next = [&state] {
    state = state * 1664525 + 1013904223;  // W. Press et al., Numerical Recipes, 2nd edition, 7.1
    return static_cast<double>(state) * 0x1p-32 - 0.25;
  };
  for (double& weight : direction.weights) weight = next();
  if (learns_bias)
    for (double& bias : direction.bias) bias = next();

  double curvature = 0;
  for (int step = 0; step < 50; ++step) {
    const double length = norm(direction, learns_bias);
    if (!(length > 0) || !std::isfinite(length)) return 0;
    scale_by(direction, 1 / length);
    Parameters turned(shape);
    for (const Sample& sample : samples) {
      Tensor output(DType::f32, sample.target.shape());
      ConvPlan(sample.problem, direction.to_kernel(shape), {}, {.threads = threads})
          .run(sample.input.ref(), output.ref());
      add_gradient_of_squares(sample, output, threads, turned);
    }
    if (!learns_bias) turned.bias.assign(turned.bias.size(), 0);
    const double before = curvature;
    curvature = norm(turned, learns_bias);
    if (std::fabs(curvature - before) <= 0.001 * curvature) break;
    direction = std::move(turned);
  }
  if (!(curvature > 0)) return 0;
  return *parse_number<double>(short_text(1 / curvature, 3));  // more digits would be spurious
}

}  // namespace convtool
