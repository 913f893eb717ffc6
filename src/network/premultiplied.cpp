#include "network/premultiplied.h"

#include <utility>

#include "core/parallel.h"

namespace convtool {
namespace {

/// The sum of all weights of a network that can be run this way.
double weight_sum_of(const Network& network) {
  const auto refuse = [](const std::string& name, const std::string& why) {
    throw Error(
        ErrorKind::shape, "",
        "--alpha premultiply divides by filtered alpha, but kernel '" + name + "' " + why + "; choose --alpha keep");
  };
  double product = 1;
  for (const Bank& bank : network.banks) {
    const Layer& layer = bank.layers.front();
    if (bank.layers.size() > 1) refuse(bank.name, "is a bank of several");
    if (layer.rank != 2) refuse(bank.name, "joins channels");
    for (const float bias : layer.bias)
      if (bias != 0) refuse(bank.name, "has a bias");
    if (layer.activation != Activation::none) refuse(bank.name, "has an activation");
    double sum = 0;
    for (const float weight : layer.weights) sum += static_cast<double>(weight);
    if (!layer.divisor.empty()) sum /= layer.divisor.front();
    if (sums_to_zero(layer) || sum <= 0) refuse(bank.name, "has weights whose sum is not above 0");
    product *= sum;
  }
  return product;
}

PlanOptions planar(PlanOptions options) {
  options.channels_last = options.totals = false;
  return options;
}

double full_value(DType dtype) { return is_integer(dtype) ? full_range(dtype) : 1.0; }

template <class Use>
void for_each_pixel(const Shape& shape, int threads, const Use& use) {
  parallel_for(shape.n * shape.h, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t x = 0; x < shape.w; ++x) use(row / shape.h, row % shape.h, x);
  });
}

}  // namespace

PremultipliedPlan::PremultipliedPlan(const Network& network, DType input_dtype, const Shape& input, bool flip,
                                     const PlanOptions& options)
    : input_dtype_(input_dtype),
      options_(options),
      weight_sum_(weight_sum_of(network)),
      network_(network, DType::f32, input, flip, planar(options)) {}

ResponseStats PremultipliedPlan::run(const ConstTensorRef& input, const TensorRef& output,
                                     const Mapping& mapping) const {
  const std::int64_t colours = input.shape.c - 1;
  const double full = full_value(input_dtype_);
  Tensor premultiplied(DType::f32, input.shape);
  visit_dtype(input.dtype, [&]<class T>(T) {
    const auto in = input.view<T>();
    const auto out = premultiplied.ref().view<float>();
    for_each_pixel(input.shape, options_.threads, [=](std::int64_t n, std::int64_t y, std::int64_t x) {
      const double alpha = static_cast<double>(in.at(n, colours, y, x)) / full;
      for (std::int64_t c = 0; c < colours; ++c)
        out.at(n, c, y, x) = static_cast<float>(static_cast<double>(in.at(n, c, y, x)) * alpha);
      out.at(n, colours, y, x) = static_cast<float>(alpha);
    });
  });

  Tensor filtered(DType::f32, network_.output_shape());
  network_.run(std::as_const(premultiplied).ref(), filtered.ref(), OutputMap::clip);
  premultiplied = Tensor();
  const auto values = filtered.ref().view<float>();
  for_each_pixel(filtered.shape(), options_.threads, [&](std::int64_t n, std::int64_t y, std::int64_t x) {
    float& alpha = values.at(n, colours, y, x);
    const double share = static_cast<double>(alpha) / weight_sum_;
    for (std::int64_t c = 0; c < colours; ++c) {
      float& colour = values.at(n, c, y, x);
      colour = share > 0 ? static_cast<float>(static_cast<double>(colour) / share) : 0.0F;
    }
    alpha = static_cast<float>(share * full);
  });

  const auto store = [&](std::int64_t first, std::int64_t count, const Mapping& how) {
    const ConstTensorRef part = filtered.ref().channels(first, count);
    return run_mapped(identity_plan(part.dtype, part.shape, options_), part, input_dtype_,
                      output.channels(first, count), how);
  };
  store(colours, 1, OutputMap::clip);
  return store(0, colours, mapping);
}

}  // namespace convtool
