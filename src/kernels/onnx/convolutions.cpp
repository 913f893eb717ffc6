#include <algorithm>
#include <utility>

#include "kernels/onnx/layer_operators.h"

namespace convtool {
namespace {

/// The output size of a transposed convolution follows from its options, not from the picture.
void set_transposed_options(const Step& step, Layer& layer) {
  if (layer.params.padding.rule != Padding::Rule::fixed || !step.integers("output_shape").empty())
    throw Stop{"its padding depends on the size of the picture"};
  const Extent stride = layer.params.stride, dilation = layer.params.dilation;
  if (!has_few_phases(stride)) throw Stop{"its strides are too large"};
  const std::vector<std::int64_t> more = step.integers("output_padding");
  if (more.empty()) return;
  if (more.size() != 2 || std::min(more[0], more[1]) < 0 || more[0] >= std::max(stride.h, dilation.h) ||
      more[1] >= std::max(stride.w, dilation.w))
    throw Stop{"its output_padding is " + list_text(more) + " (expected less than its strides or dilations)"};
  layer.output_padding = {more[0], more[1]};
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
    throw Stop{"it has " + std::to_string(bias.size()) + " biases for " + std::to_string(layer.output_channels()) +
               " output channels"};
  step.layers.add_convolution(std::move(layer), std::move(weights.values), std::move(bias));
}

}  // namespace

void add_convolution(const Step& step) { add_kernel(step, Enlarging::none); }
void add_transposed(const Step& step) { add_kernel(step, Enlarging::transposed); }

}  // namespace convtool
