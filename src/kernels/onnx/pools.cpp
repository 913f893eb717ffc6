#include <algorithm>

#include "kernels/onnx/layer_operators.h"
#include "network/pools/pool_windows.h"

namespace convtool {
namespace {

Layer pool_layer(const Step& step, Pooling pooling) {
  const std::vector<std::int64_t> size = step.integers("kernel_shape");
  if (size.size() != 2) throw Stop{"its kernel_shape is " + list_text(size) + " (expected [h, w])"};
  const Extent window = step.extent("kernel_shape");
  if (window.h > kLargestWindow / window.w)
    throw Stop{"its kernel_shape is " + list_text(size) + ", which is too large"};
  Layer layer{.name = step.name, .shape = {.kh = window.h, .kw = window.w}, .pooling = pooling};
  layer.params = {.stride = step.extent("strides"), .dilation = step.extent("dilations"), .padding = step.padding()};
  // With auto_pad, ceil_mode has no effect: the size is rounded up anyway, and the padding fills the last window.
  layer.pool.ceil_mode = layer.params.padding.rule == Padding::Rule::fixed && step.integer("ceil_mode", 0) != 0;
  if (const std::string flaw = pool_padding_flaw(layer, PoolPadding::sides); !flaw.empty())
    throw Stop{"its pads are " + flaw};
  return layer;
}

void add_global_pool(const Step& step, Pooling pooling) {
  Layer layer{.name = step.name, .shape = {.kh = 0, .kw = 0}, .pooling = pooling};
  layer.pool.is_global = true;
  step.layers.add(std::move(layer));
}

/// ReduceMax or ReduceMean of all rows and columns.
void add_reduced(const Step& step, Pooling pooling) {
  std::vector<std::int64_t> axes = step.integers(1, "axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? 4 : 0;
  std::sort(axes.begin(), axes.end());
  if (axes != std::vector<std::int64_t>{2, 3}) throw Stop{"its axes are not rows and columns"};
  add_global_pool(step, pooling);
  if (step.integer("keepdims", 1) == 0) step.layers.flatten(std::nullopt);
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
  if (has_equal_windows(layer) && layer.shape.taps() <= kLargestKernel) use_ones(layer);
  step.layers.add(std::move(layer));
}

void add_global_max_pool(const Step& step) { add_global_pool(step, Pooling::max); }
void add_global_mean_pool(const Step& step) { add_global_pool(step, Pooling::mean); }

void add_reduced_maximum(const Step& step) { add_reduced(step, Pooling::max); }
void add_reduced_mean(const Step& step) { add_reduced(step, Pooling::mean); }

}  // namespace convtool
