#include "conv/epilogue.h"

#include <cmath>

#include "conv/simd.h"

namespace convtool {
namespace {

/// Responses are made in pieces of this many, an array operation at a time, which compilers vectorise.
constexpr std::int64_t kPiece = 256;

/// Calls change(value) on each of `count` values, and keeps the results.
template <class Change>
void change_each(double* values, std::int64_t count, const Change& change) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = change(values[i]);
}

void activate(Activation activation, double* values, std::int64_t count) {
  switch (activation) {
    case Activation::none: return;
    case Activation::relu:  // NaN compares false and passes, as in PyTorch
      return change_each(values, count, [](double value) { return value < 0 ? 0.0 : value; });
    case Activation::abs: return change_each(values, count, [](double value) { return std::fabs(value); });
  }
}

/// What the first values become before others are folded in.
void begin_combine(Combine combine, double* values, std::int64_t count) {
  if (combine == Combine::magnitude) change_each(values, count, [](double value) { return value * value; });
  if (combine == Combine::l1) change_each(values, count, [](double value) { return std::fabs(value); });
}

/// Folds `values` into `joined`. NaN, once in, stays.
void fold(Combine combine, double* joined, const double* values, std::int64_t count) {
  const auto fold_each = [&](const auto& join) {
    for (std::int64_t i = 0; i < count; ++i) joined[i] = join(joined[i], values[i]);
  };
  switch (combine) {
    case Combine::magnitude: return fold_each([](double a, double b) { return a + b * b; });
    case Combine::l1: return fold_each([](double a, double b) { return a + std::fabs(b); });
    case Combine::max: return fold_each([](double a, double b) { return b > a || b != b ? b : a; });
    case Combine::min: return fold_each([](double a, double b) { return b < a || b != b ? b : a; });
    case Combine::none:
    case Combine::sum:
    case Combine::mean: return fold_each([](double a, double b) { return a + b; });
  }
}

void end_combine(Combine combine, double* values, std::int64_t count, std::int64_t kernels) {
  if (combine == Combine::magnitude) change_each(values, count, [](double value) { return std::sqrt(value); });
  const auto divisor = static_cast<double>(kernels);
  if (combine == Combine::mean) change_each(values, count, [divisor](double value) { return value / divisor; });
}

void note(const double* responses, std::int64_t count, ResponseStats& stats) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double response = responses[i] + 0.0;  // no -0, whose order is nobody's
    stats.nan_count += response != response ? 1 : 0;
    stats.min = response < stats.min ? response : stats.min;
    stats.max = response > stats.max ? response : stats.max;
  }
}

template <class Out>
Out store(double value, ResponseStats& stats) {
  if constexpr (std::is_same_v<Out, float>) {
    const auto rounded = static_cast<float>(value);
    if (std::isinf(rounded) && std::isfinite(value)) ++(value < 0 ? stats.clipped_low : stats.clipped_high);
    return rounded;
  } else {
    constexpr double kMax = full_range(dtype_of<Out>());
    if (value != value) return 0;
    if (value < -0.5) {  // -0.5 itself goes to the even 0
      ++stats.clipped_low;
      return 0;
    }
    if (value >= kMax + 0.5) {  // goes to kMax + 1, which is even
      ++stats.clipped_high;
      return static_cast<Out>(kMax);
    }
    // To nearest, ties to even, by the default rounding mode: beside 1.5 * 2^52 a double has no fraction bits left.
    constexpr double kShift = 0x1.8p52;
    return static_cast<Out>((value + kShift) - kShift);
  }
}

/// Whether what follows the sum is no more than divisor, bias, perhaps an absolute value, and the store, and comes out
/// in float as in double. In f32 it does: rounding a quotient or sum of floats to double first changes nothing
/// (Figueroa, "When is double rounding innocuous?", 1995). In integers it does without a bias, since a float is rounded
/// as it is, when dividing is exact (a power of two), or when no quotient comes near a tie: n / d, with whole n and d,
/// is 1 / (2 d) or more away from one that it does not hit, and float is right to 2^-17 up to 256. (Sums of weights
/// that are not whole are rounded already, and promise no more than their bound.)
bool is_plain(const Epilogue& epilogue, const ValueMap& map, double divisor, float bias, DType output) {
  if (epilogue.activation != Activation::none || epilogue.combine != Combine::none || map.shift != 0 ||
      map.scale != 1 || map.offset != 0 || static_cast<double>(static_cast<float>(divisor)) != divisor) {
    return false;
  }
  if (output == DType::f32) return bias == 0 || divisor == 1;
  int exponent = 0;
  const bool power_of_two = std::fabs(std::frexp(divisor, &exponent)) == 0.5 && std::abs(exponent) < 100;
  const bool far_from_ties = output == DType::u8 && divisor == std::trunc(divisor) && std::fabs(divisor) <= 0x1p15;
  return bias == 0 && (power_of_two || far_from_ties);
}

}  // namespace

bool Sink::finish_plainly(const Stretch& stretch, std::int64_t c, const float* sums, ResponseStats& stats) const {
  const auto channel = static_cast<std::size_t>(c);
  const double divisor = kernel_.divisor.empty() ? 1.0 : kernel_.divisor[channel];
  const float bias = kernel_.bias[channel];
  if (output_.data == nullptr || !is_plain(epilogue_, map_, divisor, bias, output_.dtype)) return false;
  visit_dtype(output_.dtype, [&]<class Out>(Out) {
    const TensorView<Out> view = output_.view<Out>();
    Out* out = &view.at(stretch.n, c, stretch.y, stretch.x);
    const PlainEpilogue plain{.divisor = static_cast<float>(divisor), .bias = bias, .absolute = map_.absolute};
    if (view.strides.w == 1) return finish_floats(sums, stretch.count, plain, out, stats);
    Out piece[kPiece];
    for (std::int64_t x = 0; x < stretch.count; x += kPiece) {
      const std::int64_t count = std::min(kPiece, stretch.count - x);
      finish_floats(sums + x, count, plain, piece, stats);
      for (std::int64_t i = 0; i < count; ++i) out[(x + i) * view.strides.w] = piece[i];
    }
  });
  return true;
}

template <class Sum>
void Sink::finish(const Stretch& stretch, std::int64_t c, const Sum* sums, std::int64_t pitch,
                  ResponseStats& stats) const {
  if constexpr (std::is_same_v<Sum, float>) {
    if (finish_plainly(stretch, c, sums, stats)) return;
  }
  double responses[kPiece];
  for (std::int64_t x = 0; x < stretch.count; x += kPiece) {
    const std::int64_t count = std::min(kPiece, stretch.count - x);
    respond(c, sums + x, pitch, count, responses);
    note(responses, count, stats);
    if (output_.data == nullptr) continue;
    if (map_.absolute) change_each(responses, count, [](double value) { return std::fabs(value); });
    change_each(responses, count, [&](double value) { return (value - map_.shift) * map_.scale + map_.offset; });
    visit_dtype(output_.dtype, [&]<class Out>(Out) {
      const TensorView<Out> view = output_.view<Out>();
      Out* out = &view.at(stretch.n, c, stretch.y, stretch.x + x);
      for (std::int64_t i = 0; i < count; ++i) out[i * view.strides.w] = store<Out>(responses[i], stats);
    });
  }
}

template void Sink::finish(const Stretch&, std::int64_t, const float*, std::int64_t, ResponseStats&) const;
template void Sink::finish(const Stretch&, std::int64_t, const double*, std::int64_t, ResponseStats&) const;
template void Sink::finish(const Stretch&, std::int64_t, const std::int32_t*, std::int64_t, ResponseStats&) const;

void Sink::finish_pixels(const Stretch& stretch, std::int64_t first, std::int64_t channels, const float* sums,
                         std::int64_t pitch, ResponseStats& stats) const {
  const std::int64_t joined = combine_count(), row_pitch = stretch.count + kRowSlack;
  std::vector<float> rows(static_cast<std::size_t>(joined * row_pitch));
  for (std::int64_t k = 0; k < channels; k += joined) {
    for (std::int64_t j = 0; j < joined; ++j) {
      float* row = rows.data() + j * row_pitch;
      for (std::int64_t i = 0; i < stretch.count; ++i) row[i] = sums[i * pitch + k + j];
    }
    finish(stretch, (first + k) / joined, rows.data(), row_pitch, stats);
  }
}

template <class Sum>
void Sink::respond(std::int64_t c, const Sum* sums, std::int64_t pitch, std::int64_t count, double* responses) const {
  double values[kPiece];
  for (std::int64_t k = 0; k < epilogue_.combine_count; ++k) {
    const auto channel = static_cast<std::size_t>(c * epilogue_.combine_count + k);
    const double divisor = kernel_.divisor.empty() ? 1.0 : kernel_.divisor[channel];
    const double bias = static_cast<double>(kernel_.bias[channel]);
    double* to = k == 0 ? responses : values;
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<double>(sums[k * pitch + i]) / divisor + bias;
    activate(epilogue_.activation, to, count);
    if (k == 0) {
      begin_combine(epilogue_.combine, responses, count);
    } else {
      fold(epilogue_.combine, responses, values, count);
    }
  }
  end_combine(epilogue_.combine, responses, count, epilogue_.combine_count);
}

}  // namespace convtool
