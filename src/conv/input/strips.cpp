#include "conv/input/strips.h"

#include <algorithm>
#include <cstdlib>

#include "conv/engine/simd.h"
#include "conv/padding.h"

namespace convtool {
namespace {

/// Converts `count` columns of row `y` from column `from` on; channel c is written to floats + c * line.
template <class In>
void convert_row(const TensorView<const In>& x, std::int64_t n, std::int64_t y, std::int64_t from, std::int64_t count,
                 float* floats, std::int64_t line) {
  const std::int64_t channels = x.shape.c;
  if (has_planes(channels) && x.strides.w == channels && std::abs(x.strides.c) == 1) {
    const bool reversed = x.strides.c < 0;  // B, G, R in memory
    float* planes[4];
    for (std::int64_t c = 0; c < channels; ++c) planes[c] = floats + (reversed ? channels - 1 - c : c) * line;
    return to_planes(&x.at(n, reversed ? channels - 1 : 0, y, from), channels, count, planes);
  }
  for (std::int64_t c = 0; c < channels; ++c) to_floats(&x.at(n, c, y, from), x.strides.w, count, floats + c * line);
}

}  // namespace

StripLayout::StripLayout(const ConvProblem& problem, std::int64_t columns_to_a_pixel, std::int64_t width)
    : pixel(columns_to_a_pixel),
      stride(problem.stride.w),
      padded_width((width - 1) * stride + (dilated_kernel(problem.kernel, problem.dilation).w - 1) * pixel + 1),
      phase_length((padded_width + stride - 1) / stride + kRowSlack),
      planes(pixel > 1 ? 1 : problem.input.c * stride) {
  require(pixel == 1 || stride == 1, "a flat view with strides");
}

RowStrips::RowStrips(const ConvProblem& problem, const StripLayout& layout, const ConstTensorRef& input,
                     std::int64_t slots)
    : problem_(problem),
      layout_(layout),
      input_(input),
      floats_(static_cast<std::size_t>(slots * layout.size())),
      slots_(slots),
      outside_(static_cast<std::size_t>(layout.size()), problem.padding_value),
      line_(static_cast<std::size_t>(layout.stride > 1 ? layout.padded_width + kRowSlack : 0) *
            static_cast<std::size_t>(input.shape.c)) {}

void RowStrips::lay_out(const StripLayout& layout) {
  layout_ = layout;
  slots_.clear();
}

void RowStrips::move_to(std::int64_t x) {
  first_ = x * layout_.stride;
  slots_.clear();
}

const float* RowStrips::row(std::int64_t n, std::int64_t y) {
  const std::int64_t at = pad_index(problem_.padding_mode, y, input_.shape.h);
  if (at == kOutside) return outside_.data();
  const RowSlots::Slot slot = slots_.find(n * input_.shape.h + at);
  float* strip = floats_.data() + slot.index * layout_.size();
  if (slot.is_new) visit_dtype(input_.dtype, [&]<class In>(In) { fill(input_.view<In>(), n, at, strip); });
  return strip;
}

/// Converts row `y` of every channel, with its border columns, into the phases of `strip`.
template <class In>
void RowStrips::fill(const TensorView<const In>& x, std::int64_t n, std::int64_t y, float* strip) {
  const bool split = layout_.stride > 1;
  const std::int64_t width = layout_.padded_width, line = split ? width + kRowSlack : layout_.phase_length;
  float* lines = split ? line_.data() : strip;
  // The picture fills columns [begin, end) of the strip, between its borders. Picture column 0 is strip column `left`.
  const std::int64_t left = problem_.pads.left * layout_.pixel - first_;
  const std::int64_t begin = std::clamp<std::int64_t>(left, 0, width), end = std::clamp(left + x.shape.w, begin, width);
  if (begin < end) convert_row(x, n, y, begin - left, end - begin, lines + begin, line);
  for (std::int64_t c = 0; c < x.shape.c; ++c) {
    float* to = lines + c * line;
    const In* row = x.row(n, c, y);
    const auto fill_border = [&](std::int64_t from, std::int64_t until) {
      for (std::int64_t at = from; at < until; ++at) {
        const std::int64_t column = pad_column(problem_.padding_mode, at - left, x.shape.w, layout_.pixel);
        to[at] = column == kOutside ? problem_.padding_value : static_cast<float>(row[column * x.strides.w]);
      }
    };
    fill_border(0, begin);
    fill_border(end, width);
    if (split)
      split_phases(to, layout_.stride, width, strip + c * layout_.stride * layout_.phase_length, layout_.phase_length);
  }
}

}  // namespace convtool
