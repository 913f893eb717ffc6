#include "check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "conv/padding.h"

namespace convtool {
namespace {

constexpr int kPlaces = 300;

struct Place {
  std::int64_t c, y, x;
};

/// A sum, and the sum of the absolute values of its products.
struct Sums {
  double sum = 0, absolute = 0;
};

Sums sums_at(const Workload& workload, const ConstTensorRef& input, std::int64_t o, const Place& at) {
  const ConvProblem& p = workload.problem;
  const KernelShape& k = p.kernel;
  const std::int64_t first_channel = o / (k.c_o / p.groups) * k.c_i_per_group;
  Sums sums;
  visit_dtype(input.dtype, [&]<class In>(In) {
    const TensorView<const In> x = input.view<In>();
    for (std::int64_t c = 0; c < k.c_i_per_group; ++c) {
      for (std::int64_t u = 0; u < k.kh; ++u) {
        const std::int64_t row =
            pad_index(p.padding_mode, at.y * p.stride.h - p.pads.top + u * p.dilation.h, x.shape.h);
        for (std::int64_t v = 0; v < k.kw; ++v) {
          const std::int64_t column =
              pad_index(p.padding_mode, at.x * p.stride.w - p.pads.left + v * p.dilation.w, x.shape.w);
          if (row == kOutside || column == kOutside) continue;  // zeros
          const double product = static_cast<double>(workload.kernel.taps(o, c)[u * k.kw + v]) *
                                 static_cast<double>(x.at(0, first_channel + c, row, column));
          sums.sum += product;
          sums.absolute += std::fabs(product);
        }
      }
    }
  });
  return sums;
}

double value_at(const ConstTensorRef& output, const Place& at) {
  return visit_dtype(output.dtype,
                     [&]<class T>(T) { return static_cast<double>(output.view<T>().at(0, at.c, at.y, at.x)); });
}

bool is_whole(float number) { return number == std::nearbyint(number); }

/// The largest max|x| * sum|w| / |divisor| of any output channel.
double largest_response(const Workload& workload) {
  const Kernel& kernel = workload.kernel;
  const double pixel = is_integer(workload.problem.input_dtype) ? full_range(workload.problem.input_dtype) : 1;
  double largest = 0;
  for (std::int64_t o = 0; o < kernel.shape.c_o; ++o) {
    double sum = 0;
    for (std::int64_t t = 0; t < kernel.shape.taps(); ++t) sum += std::fabs(static_cast<double>(kernel.taps(o, 0)[t]));
    largest = std::max(largest, pixel * sum / std::fabs(workload.divisor(o)));
  }
  return largest;
}

/// The error of a direct sum, relative to sum|x||w|. A float sum of n products, in any order, is within n * 2^-24 of
/// it; 4 more roundings allow for the quotient and the result.
double direct_error(const Workload& workload) {
  return static_cast<double>(workload.problem.kernel.taps() + 4) * 0x1p-24;
}

/// The error allowed in a response for which sum|x||w| is `absolute`.
///
/// The error of a Fourier transform is proportional to the largest response, and is no smaller where pixels are dark.
/// Its root mean square grows with sqrt(log2 n) (Schatzman, "Accuracy of the discrete Fourier transform and the fast
/// Fourier transform", 1996): for tiles of n = 2^20 pixels and three transforms it is about 13 * 2^-24 of the largest
/// response. Five times that is allowed, which is enough to distinguish rounding from a bug. The tests check the bound
/// that no result may exceed.
double error_bound(const Workload& workload, std::string_view algorithm, double absolute) {
  const double direct = direct_error(workload) * absolute;
  if (algorithm == "fft") return std::max(direct, 5 * 13 * 0x1p-24 * largest_response(workload));
  if (algorithm == "winograd") {  // its own bound (src/conv/algorithms/winograd/winograd.cpp)
    const auto roundings = static_cast<double>(workload.problem.kernel.c_i_per_group + 8);
    return std::max(direct, 16 * roundings * 0x1p-24 * largest_response(workload));
  }
  return direct;
}

double stored(DType dtype, double value) {
  if (dtype == DType::f32) return static_cast<double>(static_cast<float>(value));
  return std::clamp(std::nearbyint(value), 0.0, full_range(dtype));
}

/// The values allowed at one place.
struct Interval {
  double low, high;
};

Interval allowed_at(const Workload& workload, const ConstTensorRef& input, std::string_view algorithm, bool exact,
                    const Place& at) {
  const std::int64_t joined = workload.epilogue.combine_count;
  double squares = 0, response = 0, error = 0;
  for (std::int64_t j = 0; j < joined; ++j) {
    const std::int64_t o = at.c * joined + j;
    const Sums sums = sums_at(workload, input, o, at);
    const double divisor = workload.divisor(o);
    response = sums.sum / divisor;
    squares += response * response;
    if (!exact) error += error_bound(workload, algorithm, sums.absolute / std::fabs(divisor));
  }
  if (workload.epilogue.combine == Combine::magnitude) response = std::sqrt(squares);
  return {stored(workload.output_dtype, response - error), stored(workload.output_dtype, response + error)};
}

std::vector<Place> places(const Shape& shape) {
  std::mt19937_64 random(1);
  const auto below = [&](std::int64_t end) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
  };
  const auto end_of = [&](std::int64_t end) { return random() % 2 == 0 ? 0 : end - 1; };
  std::vector<Place> all;
  all.reserve(kPlaces);
  for (int i = 0; i < kPlaces; ++i) {  // a quarter on the first or last row, a quarter on the first or last column
    all.push_back(
        {below(shape.c), i % 4 < 1 ? end_of(shape.h) : below(shape.h), i % 8 < 2 ? end_of(shape.w) : below(shape.w)});
  }
  return all;
}

}  // namespace

std::string check_by_definition(const Workload& workload, const ConstTensorRef& input, const ConstTensorRef& output,
                                std::string_view algorithm) {
  const auto& weights = workload.kernel.weights;
  const bool exact = is_integer(workload.problem.input_dtype) && std::all_of(weights.begin(), weights.end(), is_whole);
  for (const Place& at : places(output.shape)) {
    const Interval allowed = allowed_at(workload, input, algorithm, exact, at);
    const double value = value_at(output, at);
    if (value >= allowed.low && value <= allowed.high) continue;
    return "at channel " + std::to_string(at.c) + ", row " + std::to_string(at.y) + ", column " + std::to_string(at.x) +
           ": " + std::to_string(value) + " is not in [" + std::to_string(allowed.low) + ", " +
           std::to_string(allowed.high) + "]";
  }
  return "";
}

double largest_difference(const ConstTensorRef& a, const ConstTensorRef& b) {
  return visit_dtype(a.dtype, [&]<class T>(T) {
    const TensorView<const T> x = a.view<T>(), y = b.view<T>();
    double largest = 0;
    for (std::int64_t i = 0; i < a.shape.count(); ++i) {  // both are channels-last, without gaps
      const double difference = std::fabs(static_cast<double>(x.data[i]) - static_cast<double>(y.data[i]));
      if (std::isnan(difference)) return difference;
      largest = std::max(largest, difference);
    }
    return largest;
  });
}

double allowed_difference(const Workload& workload) { return 2 * direct_error(workload) * largest_response(workload); }

}  // namespace convtool
