#include "network/outline.h"

#include <cstddef>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "network/residual.h"

namespace convtool {
namespace {

void fit(Layer& layer, const Shape& input) {
  if (layer.outline == Outline::none || layer.rank == 2) return;
  const bool is_transposed = layer.enlarging == Enlarging::transposed;
  if (layer.params.groups == 0) layer.params.groups = input.c;
  if (layer.shape.c_o == 0 || is_transposed) layer.shape.c_o = input.c;
  if (layer.shape.kh == 0) layer.shape.kh = input.h;
  if (layer.shape.kw == 0) layer.shape.kw = input.w;
  const std::int64_t groups = layer.params.groups;
  if (input.c % groups != 0)
    refuse_shape("", counted(groups, "group") + " do not divide the " + counted(input.c, "input channel") +
                         "; choose a number of groups that divides both channel counts");
  if (!is_transposed) layer.shape.c_i_per_group = input.c / groups;
}

/// A layer without weights has one bias for each output channel, where it has any.
std::int64_t bias_count(const Layer& layer) {
  const bool stands_for_all = layer.outline != Outline::none && layer.bias.size() == 1;
  return stands_for_all ? layer.output_channels() : std::ssize(layer.bias);
}

/// Whether the layer is a convolution or batch normalisation of the network, with weights or without.
bool has_parameters(const Layer& layer) {
  return layer.pooling == Pooling::none && !layer.is_activation() && layer.add.empty() &&
         !is_upsampling(layer.enlarging) && layer != input_copy();
}

/// Of a transposed convolution, whose problem is that of described(), every input is multiplied by every weight.
double macs_of(const Layer& layer, const ConvProblem& problem) {
  if (layer.enlarging == Enlarging::none) return mac_count(problem);
  const Shape& in = problem.input;
  return static_cast<double>(in.n) * static_cast<double>(in.h) * static_cast<double>(in.w) *
         static_cast<double>(problem.kernel.count());
}

}  // namespace

Bank fitted(Bank bank, const Shape& input) {
  for (Layer& layer : bank.layers) fit(layer, input);
  return bank;
}

Layer batch_norm_outline() {
  Layer layer{.name = "bn", .rank = 4};
  layer.shape = {.c_o = 0, .c_i_per_group = 0, .kh = 1, .kw = 1};
  layer.params.groups = 0;
  layer.bias = {0};
  layer.outline = Outline::batch_norm;
  return layer;
}

Layer linear_outline(std::int64_t outputs, bool has_bias) {
  Layer layer{.name = "linear", .rank = 4};
  layer.shape = {.c_o = outputs, .c_i_per_group = 0, .kh = 0, .kw = 0};
  if (has_bias) layer.bias = {0};
  layer.outline = Outline::kernel;
  return layer;
}

void check_has_weights(const Network& network) {
  for (std::size_t i = 0; i < network.banks.size(); ++i)
    for (const Layer& layer : network.banks[i].layers)
      if (layer.outline != Outline::none)
        refuse_kernel(network.name, "layer " + std::to_string(i + 1) + ", '" + layer.name +
                                        "', has no weights to compute with; give it \"weight\", or see its sizes with "
                                        "'convtool shape' or 'convtool explain'");
}

std::int64_t parameter_count(const Bank& bank) {
  std::int64_t count = 0;
  for (const Layer& layer : bank.layers)
    if (has_parameters(layer)) count += layer.shape.count() + bias_count(layer);
  return count;
}

double mac_count(const Bank& bank, const std::vector<ConvProblem>& problems) {
  double count = 0;
  for (std::size_t i = 0; i < problems.size(); ++i)
    if (has_parameters(bank.layers[i]) && bank.layers[i].outline != Outline::batch_norm &&
        !bank.layers[i].is_batch_norm)
      count += macs_of(bank.layers[i], problems[i]);
  return count;
}

}  // namespace convtool
