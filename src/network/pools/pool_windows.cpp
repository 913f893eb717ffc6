#include "network/pools/pool_windows.h"

#include <algorithm>
#include <string>

#include "conv/axes.h"
#include "core/error.h"
#include "core/whole_division.h"

namespace convtool {
namespace {

/// With the pads of the layer.
struct PooledAxis : Axis {
  /// ceil((in + pads - extent) / stride) + 1; without windows that start after the input. Below 1 where no window fits.
  std::int64_t rounded_up() const { return floor_divided(padded() - extent() + stride - 1, stride) + 1; }
  bool leaves_one_out() const { return (rounded_up() - 1) * stride >= in + pad_begin; }
  std::int64_t out() const { return rounded_up() - (leaves_one_out() ? 1 : 0); }
  std::int64_t pad_to_last() const {
    return out() < 1 ? pad_end : std::max(pad_end, (out() - 1) * stride + extent() - in - pad_begin);
  }
};

struct PooledAxes {
  PooledAxis rows, columns;
};

PooledAxes pooled_axes(const Layer& layer, const Shape& input, const KernelShape& kernel, const Extent& stride) {
  const Axes axes = axes_of(input, {kernel.kh, kernel.kw}, stride, layer.params.dilation, layer.params.padding.pads);
  return {.rows = {axes.rows}, .columns = {axes.columns}};
}

std::string ceil_formula(const char* axis, const PooledAxis& a) {
  const auto text = [](std::int64_t number) { return std::to_string(number); };
  return std::string(axis) + " = ceil((" + text(a.in) + " + " + text(a.pad_begin) + " + " + text(a.pad_end) + " - " +
         text(a.dilation) + "*(" + text(a.kernel) + "-1) - 1) / " + text(a.stride) + ") + 1" +
         (a.leaves_one_out() ? " - 1" : "") + " = " + text(a.out()) +
         (a.leaves_one_out() ? " (the last window would start after the input)" : "");
}

/// Throws Error(shape) unless a window fits into the padded input; an empty input is refused elsewhere.
void check_window(const KernelShape& kernel, const ConvParams& params, const Shape& input) {
  const Extent window = dilated_kernel(kernel, params.dilation);
  const Pads pads = resolve_pads(params.padding, {input.h, input.w}, window, params.stride);
  const std::int64_t height = input.h + pads.top + pads.bottom, width = input.w + pads.left + pads.right;
  if (input.h < 1 || input.w < 1 || (window.h <= height && window.w <= width)) return;
  const auto size = [](std::int64_t h, std::int64_t w) { return std::to_string(h) + "x" + std::to_string(w); };
  refuse_shape("", "the window is larger than the padded input (window " + size(kernel.kh, kernel.kw) +
                       (params.dilation == Extent{} ? "" : ", dilated to " + size(window.h, window.w)) +
                       ", padded input " + size(height, width) + "); use a smaller window, or fewer layers before it");
}

}  // namespace

std::string pool_padding_flaw(const Layer& layer, PoolPadding given) {
  const Pads& pads = layer.params.padding.pads;
  const bool is_even = given == PoolPadding::even;
  const Extent most =
      is_even ? Extent{layer.shape.kh / 2, layer.shape.kw / 2} : Extent{layer.shape.kh - 1, layer.shape.kw - 1};
  if (pads == Pads{} || (std::max(pads.top, pads.bottom) <= most.h && std::max(pads.left, pads.right) <= most.w))
    return "";
  return std::string(is_even ? "more than half of its size" : "as much as its size") +
         ": a window could lie entirely in the padding (at most " + std::to_string(most.h) + "x" +
         std::to_string(most.w) + ")";
}

bool has_equal_windows(const Layer& layer) {
  return !layer.pool.is_global && !layer.pool.ceil_mode && layer.pool.counts_padding;
}

void use_ones(Layer& layer) {
  const std::int64_t count = layer.shape.kh * layer.shape.kw;
  layer.weights.assign(static_cast<std::size_t>(count), 1.0F);
  layer.divisor = {static_cast<double>(count)};
}

ConvProblem pool_windows(const Layer& layer, DType dtype, const Shape& input) {
  KernelShape kernel{.c_o = input.c, .c_i_per_group = 1, .kh = layer.shape.kh, .kw = layer.shape.kw};
  ConvParams params = layer.params;
  params.groups = input.c;
  if (layer.pool.is_global) {
    kernel.kh = input.h;
    kernel.kw = input.w;
    params.stride = {std::max<std::int64_t>(1, input.h), std::max<std::int64_t>(1, input.w)};
  }
  if (layer.pool.ceil_mode && input.h > 0 && input.w > 0) {
    const PooledAxes axes = pooled_axes(layer, input, kernel, params.stride);
    params.padding.pads.bottom = axes.rows.pad_to_last();
    params.padding.pads.right = axes.columns.pad_to_last();
  }
  if (kernel.kh < 1 || kernel.kw < 1) kernel.kh = kernel.kw = 1;  // of an empty input, which make_problem() refuses
  check_window(kernel, params, input);
  return make_problem(dtype, input, kernel, params);
}

const Pads& counted_pads(const Layer& layer, const ConvProblem& windows) {
  return layer.pool.ceil_mode ? layer.params.padding.pads : windows.pads;
}

std::string pool_height_formula(const Layer& layer, const ConvProblem& windows) {
  if (!layer.pool.ceil_mode) return height_formula(windows);
  return ceil_formula("h", pooled_axes(layer, windows.input, windows.kernel, windows.stride).rows);
}

std::string pool_width_formula(const Layer& layer, const ConvProblem& windows) {
  if (!layer.pool.ceil_mode) return width_formula(windows);
  return ceil_formula("w", pooled_axes(layer, windows.input, windows.kernel, windows.stride).columns);
}

}  // namespace convtool
