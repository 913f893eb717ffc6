#include "network/premultiplied.h"

#include <utility>

#include "core/parallel.h"

namespace convtool {
namespace {

/// The product over all layers of the sum of their weights. Throws for a network that cannot be run this way.
double weight_sum_of(const Network& network) {
  const auto refuse = [](const std::string& name, const std::string& why) {
    refuse_shape("", "--alpha premultiply divides by filtered alpha, but kernel '" + name + "' " + why +
                         "; choose --alpha keep");
  };
  double product = 1;
  for (const Bank& bank : network.banks) {
    const Layer& layer = bank.layers.front();
    if (bank.layers.size() > 1) refuse(bank.name, "is a bank of several kernels");
    if (layer.is_max_pool() || layer.enlarging == Enlarging::transposed || !layer.add.empty())
      refuse(bank.name, "is a " + layer.kind_text());
    // The weights of a mean that counts what it sees, and of upsampling, sum to 1.
    const bool is_mean = layer.is_window_pool() && !layer.pool.counts_padding;
    if (layer.is_window_pool() && !is_mean) refuse(bank.name, "is a mean pool that counts its padding");
    if (!layer.from.empty()) refuse(bank.name, "reads an earlier layer");
    if (layer.rank != 2) refuse(bank.name, "mixes channels");
    for (const float bias : layer.bias)
      if (bias != 0) refuse(bank.name, "has a bias");
    if (layer.activation != Activation::none) refuse(bank.name, "has an activation");
    if (layer.params.padding_mode == PaddingMode::constant && layer.params.padding_value != 0)
      refuse(bank.name, "is padded with a constant, which has no alpha");
    if (is_mean || layer.enlarging != Enlarging::none) continue;
    double sum = 0;
    for (const float weight : layer.weights) sum += static_cast<double>(weight);
    if (!layer.divisor.empty()) sum /= layer.divisor.front();
    if (sums_to_zero(layer) || sum <= 0) refuse(bank.name, "has weights whose sum is not above 0");
    product *= sum;
  }
  return product;
}

PlanOptions planar(PlanOptions options) {
  options.input_channels_last = options.output_channels_last = options.totals = false;
  return options;
}

}  // namespace

PremultipliedPlan::PremultipliedPlan(const Network& network, DType input_dtype, const Shape& input, bool flip,
                                     const PlanOptions& options)
    : input_dtype_(input_dtype),
      options_(options),
      weight_sum_(weight_sum_of(network)),
      network_(network, DType::f32, input, flip, planar(options)) {}

ResponseStats PremultipliedPlan::run(const ConstTensorRef& input, const TensorRef& output, const Mapping& mapping,
                                     const LayerObserver& observer) const {
  const std::int64_t colours = input.shape.c - 1;
  const double full = full_value(input_dtype_);
  Tensor premultiplied(DType::f32, input.shape);
  visit_dtype(input.dtype, [&]<class T>(T) {
    const auto in = input.view<T>();
    const auto out = premultiplied.ref().view<float>();
    for_each_row(input.shape, options_.threads, [=](std::int64_t n, std::int64_t y) {
      for (std::int64_t x = 0; x < in.shape.w; ++x) {
        const double alpha = static_cast<double>(in.at(n, colours, y, x)) / full;
        for (std::int64_t c = 0; c < colours; ++c)
          out.at(n, c, y, x) = static_cast<float>(static_cast<double>(in.at(n, c, y, x)) * alpha);
        out.at(n, colours, y, x) = static_cast<float>(alpha);
      }
    });
  });

  Tensor filtered(DType::f32, network_.output_shape());
  network_.run(std::as_const(premultiplied).ref(), filtered.ref(), OutputMap::clip);
  premultiplied = Tensor();
  const auto values = filtered.ref().view<float>();
  const double weight_sum = weight_sum_;
  for_each_row(filtered.shape(), options_.threads, [=](std::int64_t n, std::int64_t y) {
    for (std::int64_t x = 0; x < values.shape.w; ++x) {
      float& alpha = values.at(n, colours, y, x);
      const double share = static_cast<double>(alpha) / weight_sum;
      for (std::int64_t c = 0; c < colours; ++c) {
        float& colour = values.at(n, c, y, x);
        colour = share > 0 ? static_cast<float>(static_cast<double>(colour) / share) : 0.0F;
      }
      alpha = static_cast<float>(share);
    }
  });

  if (observer) observer(network_.banks().size() - 1, filtered.ref().channels(0, colours));
  const ConstTensorRef alpha = filtered.ref().channels(colours, 1), colour = filtered.ref().channels(0, colours);
  const double scale = is_integer(output.dtype) ? full_range(output.dtype) : full;
  identity_plan(DType::f32, alpha.shape, options_).run(alpha, output.channels(colours, 1), {.scale = scale});
  return run_mapped(identity_plan(DType::f32, colour.shape, options_), colour, input_dtype_,
                    output.channels(0, colours), mapping);
}

}  // namespace convtool
