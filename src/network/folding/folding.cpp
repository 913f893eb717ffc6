#include "network/folding/folding.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "network/bank_plan.h"
#include "network/folding/scaling_folding.h"
#include "network/residual.h"

namespace convtool {
namespace {

/// Whole numbers up to here are floats.
constexpr double kLargestWhole = 0x1p24;

/// Of absolute weights: with pixels of 16 bits, the engine's sums are then exact.
constexpr double kLargestSum = 0x1p37;

/// The most multiplications for a product of kernels. A larger product would not be faster to run either.
constexpr std::int64_t kMostProducts = std::int64_t{1} << 20;

/// The most weights of a product, which has zeros in the gaps that the first layer's stride leaves.
constexpr double kMostWeights = kMostProducts;

/// The only layer of `bank` if it filters each channel by itself and can be a part of a product, or null.
const Layer* foldable(const Bank& bank) {
  const Layer& layer = bank.layers.front();
  const bool is_plain = bank.layers.size() == 1 && layer.rank == 2 && layer.kind_text().empty() && layer.from.empty() &&
                        bank.combine == Combine::none && layer.params.dilation == Extent{};
  return is_plain ? &layer : nullptr;
}

bool is_single(const Layer& layer) { return layer.shape.kh == 1 && layer.shape.kw == 1; }

bool are_zero(const std::vector<float>& bias) {
  return std::all_of(bias.begin(), bias.end(), [](float value) { return value == 0; });
}

bool are_whole(const std::vector<float>& weights) {
  return std::all_of(weights.begin(), weights.end(), [](float weight) { return weight == std::trunc(weight); });
}

double divisor_of(const Layer& layer) { return layer.divisor.empty() ? 1 : layer.divisor.front(); }

/// The weights of the product, row-major; empty where they are too large for exact sums.
std::vector<float> product(const Layer& first, const Layer& second, const Extent& size) {
  const KernelShape &inner = first.shape, &outer = second.shape;
  const Extent& step = first.params.stride;
  std::vector<double> sums(static_cast<std::size_t>(size.h * size.w));
  for (std::int64_t u = 0; u < outer.kh * outer.kw; ++u)
    for (std::int64_t v = 0; v < inner.kh * inner.kw; ++v) {
      const std::int64_t y = u / outer.kw * step.h + v / inner.kw, x = (u % outer.kw) * step.w + v % inner.kw;
      sums[static_cast<std::size_t>(y * size.w + x)] +=
          static_cast<double>(second.weights[static_cast<std::size_t>(u)]) *
          static_cast<double>(first.weights[static_cast<std::size_t>(v)]);
    }
  double total = 0;
  for (const double sum : sums) {
    if (std::fabs(sum) > kLargestWhole) return {};
    total += std::fabs(sum);
  }
  if (total > kLargestSum) return {};
  return {sums.begin(), sums.end()};
}

/// The layer that does what `first` and then `second` do on this input; nothing where there is none, or it would be
/// less exact.
std::optional<Layer> fold_two(const Layer& first, const Layer& second, DType dtype, const Shape& input) {
  if (!are_zero(first.bias) || first.activation != Activation::none) return std::nullopt;
  const BankGeometry before = bank_geometry({.name = "", .layers = {first}}, dtype, input);
  const BankGeometry after = bank_geometry({.name = "", .layers = {second}}, DType::f32, before.output);
  const ConvProblem &one = before.problems.front(), &two = after.problems.front();

  Layer folded = second;
  if (two.pads == Pads{}) {  // it is the first one that sees the border
    folded.params = first.params;
    folded.params.padding = {.rule = Padding::Rule::fixed, .pads = one.pads};
    const Extent stride{one.stride.h * two.stride.h, one.stride.w * two.stride.w};
    if (std::max(stride.h, stride.w) > kLargestParameter) return std::nullopt;
    folded.params.stride = stride;
  } else {
    const bool shows_pixels = !is_constant(two.padding_mode) || two.padding_value == 0;
    if (!is_single(first) || one.pads != Pads{} || one.stride != Extent{} || !shows_pixels) return std::nullopt;
  }
  folded.divisor = {divisor_of(first) * divisor_of(second)};
  if (is_single(first) || is_single(second)) {
    const Layer& single = is_single(first) ? first : second;
    const Layer& other = is_single(first) ? second : first;
    folded.shape = other.shape;
    folded.weights = other.weights;
    folded.divisor.front() /= static_cast<double>(single.weights.front());
    if (is_single(first) && one.stride != Extent{} && !is_single(second)) return std::nullopt;  // leaves gaps
  } else {
    if (one.padding_value != std::trunc(one.padding_value)) return std::nullopt;
    if (!is_integer(dtype) || !are_whole(first.weights) || !are_whole(second.weights)) return std::nullopt;
    if (first.shape.count() > kMostProducts / second.shape.count()) return std::nullopt;
    const Extent size{one.stride.h * (second.shape.kh - 1) + first.shape.kh,
                      one.stride.w * (second.shape.kw - 1) + first.shape.kw};
    if (static_cast<double>(size.h) * static_cast<double>(size.w) > kMostWeights) return std::nullopt;
    folded.shape.kh = size.h;
    folded.shape.kw = size.w;
    folded.weights = product(first, second, size);
    if (folded.weights.empty()) return std::nullopt;
  }
  if (!std::isnormal(folded.divisor.front()) || !fits_float_divided(folded)) return std::nullopt;
  folded.name = first.name + " then " + second.name;
  folded.description.clear();
  return folded;
}

/// The bank that does what `first` and then `second` do on this input; nothing where there is none.
std::optional<Bank> fold_banks(const Bank& first, const Bank& second, DType dtype, const Shape& input) {
  const Layer *one = foldable(first), *two = foldable(second);
  if (one != nullptr && two != nullptr)
    if (const std::optional<Layer> layer = fold_two(*one, *two, dtype, input))
      return Bank{.name = layer->name, .layers = {*layer}};
  return fold_scaling(first, second, dtype, input);
}

/// `name`, or another where a layer of `network` has it already: layers are added and read by their names.
std::string free_name(std::string name, const Network& network) {
  const auto has_it = [&](const Bank& bank) { return bank.name == name; };
  while (std::any_of(network.banks.begin(), network.banks.end(), has_it)) name += "'";
  return name;
}

/// The nanoseconds that `bank` is expected to take on one thread.
double cost_of(const Bank& bank, DType dtype, const Shape& input, bool flip, const PlanOptions& options) {
  double cost = 0;
  for (const BoundKernel& bound : bind_bank(bank, bank_geometry(bank, dtype, input), flip))
    cost += expected_nanoseconds(bound.problem, bound.kernel, options);
  return cost;
}

/// The cost of two banks, with values between them in the better layout.
double cost_of_two(const Bank& first, const Bank& second, DType dtype, const Shape& input, bool flip,
                   const PlanOptions& options) {
  const Shape between = bank_geometry(first, dtype, input).output;
  const auto cost_by = [&](bool channels_last) {
    PlanOptions before = options, after = options;
    before.output_channels_last = after.input_channels_last = channels_last;
    return cost_of(first, dtype, input, flip, before) + cost_of(second, DType::f32, between, flip, after);
  };
  return std::min(cost_by(false), cost_by(true));
}

}  // namespace

std::optional<Folding> fold(const Network& network, DType input_dtype, const Shape& input, bool flip,
                            const PlanOptions& options) {
  if (network.banks.size() < 2 || options.algorithm != "auto") return std::nullopt;
  Folding folding{.network = {.name = network.name, .banks = {network.banks.front()}}, .counts = {1}};
  std::vector<Bank>& banks = folding.network.banks;
  Shape shape = input;  // and type, of the input of the last of `banks`
  DType dtype = input_dtype;
  const std::vector<std::optional<std::size_t>> sources = sources_of(network);
  const std::vector<std::size_t> uses = last_uses(addends_of(network), sources);
  const std::vector<Shape> outputs = output_shapes(network, input_dtype, input);
  for (std::size_t i = 1; i < network.banks.size(); ++i) {
    const Bank& next = network.banks[i];
    const bool is_named = uses[i - 1] > 0 || uses[i] > 0;  // by a later layer
    std::optional<Bank> folded;
    if (!is_named && !sources[i]) folded = fold_banks(banks.back(), next, dtype, shape);
    if (folded &&
        cost_of(*folded, dtype, shape, flip, options) < cost_of_two(banks.back(), next, dtype, shape, flip, options)) {
      folded->map = next.map;
      folded->name = free_name(std::move(folded->name), network);
      banks.back() = *std::move(folded);
      ++folding.counts.back();
      continue;
    }
    shape = outputs[sources[i].value_or(i - 1)];
    dtype = DType::f32;
    banks.push_back(next);
    folding.counts.push_back(1);
  }
  if (banks.size() == network.banks.size()) return std::nullopt;
  return folding;
}

}  // namespace convtool
