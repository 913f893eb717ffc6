#include "conv/epilogue.h"

#include <cmath>

namespace convtool {
namespace {

double activate(Activation activation, double value) {
  switch (activation) {
    case Activation::none: return value;
    case Activation::relu: return value < 0 ? 0.0 : value;  // NaN compares false and passes, as in PyTorch
    case Activation::abs: return std::fabs(value);
  }
  return value;
}

/// Folds one more value into a combined one. NaN, once in, stays.
double fold(Combine combine, double joined, double value) {
  switch (combine) {
    case Combine::magnitude: return joined + value * value;
    case Combine::l1: return joined + std::fabs(value);
    case Combine::max: return value > joined || std::isnan(value) ? value : joined;
    case Combine::min: return value < joined || std::isnan(value) ? value : joined;
    case Combine::none:
    case Combine::sum:
    case Combine::mean: return joined + value;
  }
  return joined;
}

double initial(Combine combine, double value) {
  if (combine == Combine::magnitude) return value * value;
  return combine == Combine::l1 ? std::fabs(value) : value;
}

double conclude(Combine combine, double joined, std::int64_t count) {
  if (combine == Combine::magnitude) return std::sqrt(joined);
  return combine == Combine::mean ? joined / static_cast<double>(count) : joined;
}

template <class Out>
Out store(double value, ResponseStats& stats) {
  if constexpr (std::is_same_v<Out, float>) {
    const auto rounded = static_cast<float>(value);
    if (std::isinf(rounded) && std::isfinite(value)) ++(value < 0 ? stats.clipped_low : stats.clipped_high);
    return rounded;
  } else {
    if (std::isnan(value)) return 0;
    const double rounded = std::nearbyint(value);  // to nearest, ties to even: the default rounding mode
    constexpr double kMax = full_range(dtype_of<Out>());
    if (rounded < 0) {
      ++stats.clipped_low;
      return 0;
    }
    if (rounded > kMax) {
      ++stats.clipped_high;
      return static_cast<Out>(kMax);
    }
    return static_cast<Out>(rounded);
  }
}

}  // namespace

template <class Sum>
void RowSink::finish_row(std::int64_t n, std::int64_t c, std::int64_t y, const Sum* sums, std::int64_t width,
                         ResponseStats& stats) const {
  const std::int64_t first = c * epilogue_.combine_count;

  const auto response_at = [&](std::int64_t x) {
    const auto value = [&](std::int64_t k) {
      const auto channel = static_cast<std::size_t>(first + k);
      const double divisor = kernel_.divisor.empty() ? 1.0 : kernel_.divisor[channel];
      const double quotient = static_cast<double>(sums[k * width + x]) / divisor;
      return activate(epilogue_.activation, quotient + static_cast<double>(kernel_.bias[channel]));
    };
    if (epilogue_.combine == Combine::none) return value(0);
    double joined = initial(epilogue_.combine, value(0));
    for (std::int64_t k = 1; k < epilogue_.combine_count; ++k) joined = fold(epilogue_.combine, joined, value(k));
    return conclude(epilogue_.combine, joined, epilogue_.combine_count);
  };
  const auto note = [&](double response) {
    if (std::isnan(response))
      ++stats.nan_count;
    else {
      stats.min = std::min(stats.min, response);
      stats.max = std::max(stats.max, response);
    }
  };

  if (output_.data == nullptr) {
    for (std::int64_t x = 0; x < width; ++x) note(response_at(x));
    return;
  }
  visit_dtype(output_.dtype, [&]<class Out>(Out) {
    const TensorView<Out> view = output_.view<Out>();
    Out* out = view.row(n, c, y);
    for (std::int64_t x = 0; x < width; ++x) {
      const double response = response_at(x);
      note(response);
      const double magnitude = map_.absolute ? std::fabs(response) : response;
      out[x * view.strides.w] = store<Out>((magnitude - map_.shift) * map_.scale + map_.offset, stats);
    }
  });
}

template void RowSink::finish_row(std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t,
                                  ResponseStats&) const;
template void RowSink::finish_row(std::int64_t, std::int64_t, std::int64_t, const double*, std::int64_t,
                                  ResponseStats&) const;

}  // namespace convtool
