#include <algorithm>
#include <utility>

#include "core/text.h"
#include "kernels/onnx/layer_operators.h"
#include "network/enlarging.h"

namespace convtool {
namespace {

/// The pads of a transposed convolution along one axis that shorten its output by `total`, by ONNX's rules.
std::pair<std::int64_t, std::int64_t> shared_pads(std::int64_t total, bool more_at_end) {
  if (total < 0) throw Stop{"its output is larger than its kernels reach"};
  const std::int64_t less = total / 2, more = total - less;
  return more_at_end ? std::pair(less, more) : std::pair(more, less);
}

/// "output_padding", and pads that follow from "auto_pad", by which the output has `stride` times the size of the
/// input, or from "output_shape".
void set_transposed_options(const Step& step, Layer& layer) {
  const Extent stride = layer.params.stride, dilation = layer.params.dilation;
  if (!can_enlarge_by(stride)) throw Stop{"its strides are too large"};
  const std::vector<std::int64_t> more = step.integers("output_padding"), shape = step.integers("output_shape");
  if (!more.empty()) {
    if (more.size() != 2 || std::min(more[0], more[1]) < 0 || !is_output_padding({more[0], more[1]}, stride, dilation))
      throw Stop{"its output_padding is " + list_text(more) + " (expected less than its strides or dilations)"};
    layer.output_padding = {more[0], more[1]};
  }
  Padding& padding = layer.params.padding;
  const bool more_at_end = padding.rule == Padding::Rule::same;
  if (padding.rule == Padding::Rule::fixed && shape.empty()) return;
  const Extent kernel = dilated_kernel(layer.shape, dilation);
  Extent beyond = stride;  // of the last input, without pads: the output that the rule asks for
  if (!shape.empty()) {
    const Extent asked = step.extent("output_shape");
    const std::optional<Extent> size = step.layers.output().map_size();
    if (!size || std::max(size->h, size->w) > kLargestParameter)
      throw Stop{"its output_shape is " + list_text(shape) +
                 ", and its input may have any size; export the model with a fixed height and width"};
    beyond = {asked.h - stride.h * (size->h - 1), asked.w - stride.w * (size->w - 1)};
  }
  const auto [top, bottom] = shared_pads(layer.output_padding.h + kernel.h - beyond.h, more_at_end);
  const auto [left, right] = shared_pads(layer.output_padding.w + kernel.w - beyond.w, more_at_end);
  padding = {.pads = pads_of({top, left, bottom, right})};
}

/// nn.Conv2d, or nn.ConvTranspose2d.
void add_kernel(const Step& step, Enlarging enlarging) {
  Constant weights = step.constant(1, "weights");
  const auto& d = weights.dims;
  if (d.size() != 4) throw Stop{"its weights have rank " + std::to_string(d.size()) + " (expected 4, of Conv2d)"};
  if (weights.values.empty()) throw Stop{"its weights are " + list_text(d) + ", which is empty"};
  const std::vector<std::int64_t> kernel = step.integers("kernel_shape");
  if (!kernel.empty() && kernel != std::vector{d[2], d[3]})
    throw Stop{"its kernel_shape is " + list_text(kernel) + ", and its weights are " + list_text(d)};
  Layer layer{.name = step.name, .rank = 4, .shape = {d[0], d[1], d[2], d[3]}};
  layer.params = {.stride = step.extent("strides"), .dilation = step.extent("dilations"), .padding = step.padding()};
  layer.params.groups = step.integer("group", 1);
  layer.enlarging = enlarging;
  if (layer.params.groups < 1 || layer.params.groups > kLargestParameter || d[0] % layer.params.groups != 0)
    throw Stop{"its " + std::to_string(layer.params.groups) + " groups do not divide " + std::to_string(d[0]) +
               " channels"};
  if (enlarging == Enlarging::transposed) set_transposed_options(step, layer);
  std::vector<double> bias;
  if (step.has_input(2)) bias = step.constant(2, "bias").values;
  if (!bias.empty() && std::ssize(bias) != layer.output_channels())
    throw Stop{"it has " + counted(std::ssize(bias), "bias number") + " for " +
               counted(layer.output_channels(), "output channel")};
  step.layers.add_convolution(std::move(layer), std::move(weights.values), std::move(bias));
}

}  // namespace

void add_convolution(const Step& step) { add_kernel(step, Enlarging::none); }
void add_transposed(const Step& step) { add_kernel(step, Enlarging::transposed); }

}  // namespace convtool
