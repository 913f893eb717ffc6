#include "conv/input/channel_strips.h"

#include <algorithm>

#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "conv/padding.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/input/channel_strips.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// to[x * to_step + c] = from[c * from_step + x], for x < width and c < channels, in 4x4 squares of four registers.
void Interleave(const float* from, std::int64_t from_step, std::int64_t channels, std::int64_t width, float* to,
                std::int64_t to_step) {
  std::int64_t x = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::Full128<float> d;
  const hn::Repartition<double, decltype(d)> pairs;
  const auto lower = [&](auto a, auto b) HWY_ATTR {
    return hn::BitCast(d, hn::InterleaveLower(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
  };
  const auto upper = [&](auto a, auto b) HWY_ATTR {
    return hn::BitCast(d, hn::InterleaveUpper(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
  };
  for (; x + 4 <= width; x += 4) {
    std::int64_t c = 0;
    for (; c + 4 <= channels; c += 4) {
      const float* square = from + c * from_step + x;
      const auto r0 = hn::LoadU(d, square), r1 = hn::LoadU(d, square + from_step),
                 r2 = hn::LoadU(d, square + 2 * from_step), r3 = hn::LoadU(d, square + 3 * from_step);
      const auto low01 = hn::InterleaveLower(d, r0, r1), low23 = hn::InterleaveLower(d, r2, r3),
                 high01 = hn::InterleaveUpper(d, r0, r1), high23 = hn::InterleaveUpper(d, r2, r3);
      float* out = to + x * to_step + c;
      hn::StoreU(lower(low01, low23), d, out);
      hn::StoreU(upper(low01, low23), d, out + to_step);
      hn::StoreU(lower(high01, high23), d, out + 2 * to_step);
      hn::StoreU(upper(high01, high23), d, out + 3 * to_step);
    }
    for (; c < channels; ++c) {
      for (std::int64_t i = 0; i < 4; ++i) to[(x + i) * to_step + c] = from[c * from_step + x + i];
    }
  }
#endif
  for (; x < width; ++x) {
    for (std::int64_t c = 0; c < channels; ++c) to[x * to_step + c] = from[c * from_step + x];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {
namespace {

HWY_EXPORT(Interleave);

bool shows_no_border(const ConvProblem& problem) {
  return problem.pads.left == 0 && ChannelStrips::width(problem) <= problem.input.w;
}

/// The number of input rows from the first to the last that `output_rows` rows see.
std::int64_t span_of(const ConvProblem& problem, std::int64_t output_rows) {
  return std::min((output_rows - 1) * problem.stride.h + dilated_kernel(problem.kernel, problem.dilation).h,
                  problem.input.h);
}

/// The number of these rows that they see, at most.
std::int64_t strips_of(const ConvProblem& problem, std::int64_t output_rows) {
  return std::min(output_rows * problem.kernel.kh, span_of(problem, output_rows));
}

/// The number of strips to keep: those that `output_rows` rows see, and with dilation those in between, as far as
/// kCacheBytes allows.
std::int64_t slots_of(const ConvProblem& problem, std::int64_t output_rows) {
  const std::int64_t size = ChannelStrips::width(problem) * problem.input.c + kRowSlack;
  const std::int64_t affordable = kCacheBytes / (size * static_cast<std::int64_t>(sizeof(float)));
  return std::max(strips_of(problem, output_rows), std::min(span_of(problem, output_rows), affordable));
}

}  // namespace

std::int64_t ChannelStrips::width(const ConvProblem& problem) {
  return (output_shape(problem).w - 1) * problem.stride.w + dilated_kernel(problem.kernel, problem.dilation).w;
}

double ChannelStrips::bytes(const ConvProblem& problem, std::int64_t output_rows) {
  const auto strips = static_cast<double>(strips_of(problem, output_rows) + 1);  // and one for outside
  return 4 * strips * (static_cast<double>(width(problem)) * static_cast<double>(problem.input.c) + double{kRowSlack});
}

ChannelStrips::ChannelStrips(const ConvProblem& problem, const ConstTensorRef& input, const Options& options)
    : problem_(problem),
      input_(input),
      in_place_(input.dtype == DType::f32 && input.strides.c == 1 && input.strides.w == input.shape.c &&
                (!options.with_borders || shows_no_border(problem)) && !options.with_slack),
      width_(width(problem)),
      step_(problem.input.c),
      slots_(in_place_ ? 0 : slots_of(problem, options.output_rows)) {
  const std::int64_t size = width_ * step_ + kRowSlack;
  const bool constant = pad_index(problem.padding_mode, -1, problem.input.h) == kOutside;
  if (constant && options.with_borders) outside_.assign(static_cast<std::size_t>(size), problem.padding_value);
  if (in_place_) return;
  floats_ = Tensor(DType::f32, {1, 1, slots_.count(), size});
  const bool is_planar = input.strides.w == 1 && (input.strides.c != 1 || input.shape.c > 1);
  if (is_planar && input.dtype != DType::f32) planes_.resize(static_cast<std::size_t>(input.shape.c * input.shape.w));
}

ChannelStrip ChannelStrips::row(std::int64_t n, std::int64_t y) {
  const std::int64_t seen = pad_index(problem_.padding_mode, y, problem_.input.h);
  if (seen == kOutside) return {.floats = outside_.data(), .first = 0, .step = step_};
  if (in_place_) return {.floats = input_.view<float>().row(n, 0, seen), .first = problem_.pads.left, .step = step_};
  const RowSlots::Slot slot = slots_.find(n * problem_.input.h + seen);
  float* strip = floats_.data<float>() + slot.index * (width_ * step_ + kRowSlack);
  if (slot.is_new) visit_dtype(input_.dtype, [&]<class In>(In) { fill<In>(n, seen, strip); });
  return {.floats = strip, .first = 0, .step = step_};
}

/// Converts row `y`, with its border columns.
template <class In>
void ChannelStrips::fill(std::int64_t n, std::int64_t y, float* strip) {
  const TensorView<const In> x = input_.view<In>();
  const In* pixels = x.row(n, 0, y);
  const std::int64_t channels = x.shape.c, left = std::min(problem_.pads.left, width_),
                     seen = std::clamp<std::int64_t>(width_ - left, 0, x.shape.w);
  float* first = strip + left * step_;
  const auto copy_pixel = [&](std::int64_t column, float* to) {
    to_floats(pixels + column * x.strides.w, x.strides.c, channels, to);
  };
  if (x.strides.c == 1 && x.strides.w == channels && step_ == channels) {
    to_floats(pixels, 1, seen * channels, first);
  } else if (x.strides.w == 1) {
    const float* planes = nullptr;
    std::int64_t plane_step = x.shape.w;
    if constexpr (std::is_same_v<In, float>) {
      planes = pixels;
      plane_step = x.strides.c;
    } else {
      for (std::int64_t c = 0; c < channels; ++c) to_floats(x.row(n, c, y), 1, seen, planes_.data() + c * plane_step);
      planes = planes_.data();
    }
    HWY_DYNAMIC_DISPATCH(Interleave)(planes, plane_step, channels, seen, first, step_);
  } else {
    for (std::int64_t column = 0; column < seen; ++column) copy_pixel(column, first + column * step_);
  }
  const auto fill_border = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const std::int64_t column = pad_index(problem_.padding_mode, at - problem_.pads.left, x.shape.w);
      if (column == kOutside)
        std::fill_n(strip + at * step_, channels, problem_.padding_value);
      else
        copy_pixel(column, strip + at * step_);
    }
  };
  fill_border(0, left);
  fill_border(left + seen, width_);
}

}  // namespace convtool
#endif
