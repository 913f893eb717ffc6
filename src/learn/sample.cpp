#include "learn/sample.h"

#include <vector>

#include "conv/plan.h"
#include "core/parallel.h"

namespace convtool {

Loss measure_errors(const Sample& sample, const Kernel& kernel, int threads, Tensor& errors) {
  ConvPlan(sample.problem, kernel, {}, {.threads = threads}).run(sample.input.ref(), errors.ref());

  // One sum per row, so that the result does not depend on the number of threads.
  const Shape& shape = sample.target.shape();
  const std::int64_t planes = shape.n * shape.c, width = shape.w;
  const float* target = sample.target.data<float>();
  float* error = errors.data<float>();
  std::vector<double> squares(static_cast<std::size_t>(planes * shape.h));
  for_each_row({.n = planes, .c = 1, .h = shape.h, .w = width}, threads, [&](std::int64_t plane, std::int64_t y) {
    const std::int64_t first = (plane * shape.h + y) * width;
    double sum = 0;
    for (std::int64_t at = first; at < first + width; ++at) {
      error[at] -= target[at];
      sum += static_cast<double>(error[at]) * static_cast<double>(error[at]);
    }
    squares[static_cast<std::size_t>(plane * shape.h + y)] = sum;
  });
  Loss loss;
  for (std::size_t row = 0; row < squares.size(); ++row)
    (static_cast<std::int64_t>(row) % shape.h < sample.learned_rows ? loss.learned : loss.held_out) += squares[row];
  return loss;
}

Loss measure_loss(std::span<const Sample> samples, const Kernel& kernel, int threads) {
  Loss total;
  for (const Sample& sample : samples) {
    Tensor errors(DType::f32, sample.target.shape());
    const Loss loss = measure_errors(sample, kernel, threads, errors);
    total.learned += loss.learned;
    total.held_out += loss.held_out;
  }
  return total;
}

double variation(std::span<const Sample> samples, Rows rows) {
  double total = 0;
  for (std::int64_t c = 0; c < samples.front().target.shape().c; ++c) {
    const auto for_each_value = [&](const auto& use) {
      for (const Sample& sample : samples) {
        const TensorView<const float> target = sample.target.ref().view<float>();
        const bool learned = rows == Rows::learned;
        const std::int64_t begin = learned ? 0 : sample.learned_rows,
                           end = learned ? sample.learned_rows : target.shape.h;
        for (std::int64_t n = 0; n < target.shape.n; ++n)
          for (std::int64_t y = begin; y < end; ++y)
            for (std::int64_t x = 0; x < target.shape.w; ++x) use(static_cast<double>(target.at(n, c, y, x)));
      }
    };
    double sum = 0, count = 0;
    for_each_value([&](double value) {
      sum += value;
      ++count;
    });
    const double mean = sum / count;
    for_each_value([&](double value) { total += (value - mean) * (value - mean); });
  }
  return total;
}

}  // namespace convtool
