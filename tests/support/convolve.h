// Short ways to build a convolution, run it and read its output.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "conv/plan.h"
#include "core/tensor.h"
#include "support/random.h"

namespace convtool {

/// A planar tensor with these elements, in (n, c, h, w) order.
inline Tensor tensor_of(DType dtype, const Shape& shape, const std::vector<double>& values) {
  require(static_cast<std::int64_t>(values.size()) == shape.count(), "the number of values differs from the shape's");
  return filled(dtype, shape, [at = values.begin()]() mutable { return *at++; });
}

/// The elements of any view, in (n, c, h, w) order.
inline std::vector<double> values_of(const ConstTensorRef& ref) {
  std::vector<double> values;
  visit_dtype(ref.dtype, [&]<class T>(T) {
    const auto view = ref.view<T>();
    for (std::int64_t n = 0; n < ref.shape.n; ++n)
      for (std::int64_t c = 0; c < ref.shape.c; ++c)
        for (std::int64_t y = 0; y < ref.shape.h; ++y)
          for (std::int64_t x = 0; x < ref.shape.w; ++x) values.push_back(static_cast<double>(view.at(n, c, y, x)));
  });
  return values;
}

/// The elements `first`, `first` + 1, ...
inline Tensor counting(const Shape& shape, double first = 0) {
  return filled(DType::f32, shape, [at = first]() mutable { return at++; });
}

/// A kernel without bias.
inline Kernel kernel_of(const KernelShape& shape, std::vector<float> weights) {
  return {shape, std::move(weights), std::vector<float>(static_cast<std::size_t>(shape.c_o), 0.0F)};
}

/// Whether `algorithm` accepts this problem. Prints the reason of a refusal.
inline bool applies(std::string_view algorithm, const ConvProblem& problem, const Kernel& kernel) {
  try {
    const ConvPlan plan(problem, kernel, {}, {.algorithm = std::string(algorithm)});
    return true;
  } catch (const Error& error) {
    if (std::string_view(error.what()).find("does not apply here") == std::string_view::npos) throw;
    std::cout << to_string(problem) << ": " << error.what() << "\n";
    return false;
  }
}

/// The f32 responses of one convolution.
inline Tensor convolve(const ConstTensorRef& input, const Kernel& kernel, const ConvParams& params = {},
                       std::string_view algorithm = "auto") {
  const ConvProblem problem = make_problem(input.dtype, input.shape, kernel.shape, params);
  const ConvPlan plan(problem, kernel, {}, {.algorithm = std::string(algorithm)});
  Tensor output(DType::f32, plan.output_shape());
  plan.run(input, output.ref());
  return output;
}

/// convolve() where every sum is a multiple of `unit`. What an algorithm gives is compared in every bit, but for `fft`
/// on f32 pictures, which errs: there the multiples next to what it gives.
inline Tensor convolve_exactly(const ConstTensorRef& input, const Kernel& kernel, const ConvParams& params,
                               std::string_view algorithm, double unit) {
  Tensor output = convolve(input, kernel, params, algorithm);
  if (algorithm != "fft" || input.dtype != DType::f32) return output;
  const std::vector<double> values = values_of(output.ref());
  return filled(DType::f32, output.shape(),
                [&, at = values.begin()]() mutable { return unit * std::nearbyint(*at++ / unit) + 0.0; });
}

/// The reason why this algorithm refuses the problem, or "" if it accepts.
inline std::string refusal(std::string_view algorithm, const ConvProblem& problem, const Kernel& kernel) {
  try {
    const ConvPlan plan(problem, kernel, {}, {.algorithm = std::string(algorithm)});
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace convtool
