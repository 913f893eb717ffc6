#include <algorithm>

#include "kernels/onnx/layer_operators.h"

namespace convtool {
namespace {

/// The largest window of a pool, in pixels, that a kernel file may have.
constexpr std::int64_t kLargestWindow = std::int64_t{1} << 24;

/// Turns the padding of a pool by rule into numbers. With a stride of 1 it is the same for all sizes. In windows of
/// two, one after another, it is what ceil_mode adds, which does not count.
void fix_padding(const Step& step, Layer& layer) {
  Padding& padding = layer.params.padding;
  const Extent window{layer.shape.kh, layer.shape.kw}, stride = layer.params.stride;
  if (padding.rule == Padding::Rule::fixed) return;
  if (stride == Extent{}) {
    padding = {.pads = resolve_pads(padding, window, dilated_kernel(layer.shape, layer.params.dilation), stride)};
  } else if (padding.rule == Padding::Rule::same && window == stride && std::max(window.h, window.w) <= 2 &&
             layer.params.dilation == Extent{} && step.integer("count_include_pad", 0) == 0) {
    padding = {};
    layer.pool.ceil_mode = true;
  } else {
    throw Stop{"its padding depends on the size of the picture (auto_pad)"};
  }
}

Layer pool_layer(const Step& step, Pooling pooling) {
  const std::vector<std::int64_t> size = step.integers("kernel_shape");
  if (size.size() != 2) throw Stop{"its kernel_shape is " + list_text(size) + " (expected [h, w])"};
  const Extent window = step.extent("kernel_shape");
  if (window.h > kLargestWindow / window.w)
    throw Stop{"its kernel_shape is " + list_text(size) + ", which is too large"};
  Layer layer{.name = step.name, .shape = {.kh = window.h, .kw = window.w}, .pooling = pooling};
  layer.params = {.stride = step.extent("strides"), .dilation = step.extent("dilations"), .padding = step.padding()};
  layer.pool.ceil_mode = step.integer("ceil_mode", 0) != 0;
  fix_padding(step, layer);
  const Pads& pads = layer.params.padding.pads;
  const bool is_even = pads.top == pads.bottom && pads.left == pads.right;
  const Extent most = is_even ? Extent{window.h / 2, window.w / 2} : Extent{window.h - 1, window.w - 1};
  if (std::max(pads.top, pads.bottom) > most.h || std::max(pads.left, pads.right) > most.w)
    throw Stop{"its pads are more than half of its window"};
  return layer;
}

void add_global_pool(const Step& step, Pooling pooling) {
  Layer layer{.name = step.name, .shape = {.kh = 0, .kw = 0}, .pooling = pooling};
  layer.pool.is_global = true;
  step.layers.add(std::move(layer));
}

}  // namespace

void add_max_pool(const Step& step) {
  if (step.node.outputs.size() > 1 && !step.graph.readers(step.node.outputs[1]).empty())
    throw Stop{"the places of its maxima are needed"};
  step.layers.add(pool_layer(step, Pooling::max));
}

void add_mean_pool(const Step& step) {
  Layer layer = pool_layer(step, Pooling::mean);
  if (layer.params.dilation != Extent{}) throw Stop{"it has dilations"};
  layer.pool.counts_padding = step.integer("count_include_pad", 0) != 0 || layer.params.padding == Padding{};
  constexpr std::int64_t kLargestKernel = 1024;  // in pixels; a larger window needs no weights
  const std::int64_t count = layer.shape.taps();
  if (!layer.pool.ceil_mode && layer.pool.counts_padding && count <= kLargestKernel) {
    layer.weights.assign(static_cast<std::size_t>(count), 1.0F);
    layer.divisor = {static_cast<double>(count)};
  }
  step.layers.add(std::move(layer));
}

void add_global_max_pool(const Step& step) { add_global_pool(step, Pooling::max); }
void add_global_mean_pool(const Step& step) { add_global_pool(step, Pooling::mean); }

void add_reduced_mean(const Step& step) {
  std::vector<std::int64_t> axes = step.integers(1, "axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? 4 : 0;
  std::sort(axes.begin(), axes.end());
  if (axes != std::vector<std::int64_t>{2, 3} || step.integer("keepdims", 1) != 1)
    throw Stop{"it is not the mean of rows and columns with both kept as dimensions"};
  add_global_mean_pool(step);
}

}  // namespace convtool
