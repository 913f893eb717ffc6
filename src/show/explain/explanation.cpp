#include "show/explain/explanation.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "conv/padding.h"
#include "core/text.h"
#include "network/receptive_field.h"

namespace convtool {

double value_at(const ConstTensorRef& tensor, const Pixel& at) {
  return visit_dtype(tensor.dtype,
                     [&]<class T>(T) { return static_cast<double>(tensor.view<T>().at(0, at.channel, at.y, at.x)); });
}

namespace {

/// The places that one output reads, and the numbers there.
class TermReader {
 public:
  TermReader(const ConvProblem& problem, const std::optional<ConstTensorRef>& input, std::int64_t y, std::int64_t x)
      : problem_(problem), input_(input), y_(y), x_(x) {}

  Term term(std::int64_t channel, std::int64_t u, std::int64_t v) const {
    Term term;
    term.at = {channel, y_ * problem_.stride.h - problem_.pads.top + u * problem_.dilation.h,
               x_ * problem_.stride.w - problem_.pads.left + v * problem_.dilation.w};
    const std::int64_t row = pad_index(problem_.padding_mode, term.at.y, problem_.input.h);
    const std::int64_t column = pad_index(problem_.padding_mode, term.at.x, problem_.input.w);
    term.inside = is_inside(term.at.y, problem_.input.h) && is_inside(term.at.x, problem_.input.w);
    if (row != kOutside && column != kOutside) {
      term.source = Pixel{channel, row, column};
      if (input_) term.input = value_at(*input_, *term.source);
    } else {
      term.input = as_printed(problem_.padding_value);
    }
    return term;
  }

 private:
  static bool is_inside(std::int64_t i, std::int64_t size) { return i >= 0 && i < size; }

  const ConvProblem& problem_;
  const std::optional<ConstTensorRef>& input_;
  std::int64_t y_, x_;
};

/// The sum of channel `o` of `kernel`, at the output that `reader` reads for.
KernelSum sum_of(const TermReader& reader, const BoundKernel& bound, std::int64_t o) {
  const KernelShape& shape = bound.kernel.shape;
  const auto channel = static_cast<std::size_t>(o);
  KernelSum result{.kernel = {}, .channels = shape.c_i_per_group, .kh = shape.kh, .kw = shape.kw, .terms = {}};
  result.divisor = bound.kernel.divisor.empty() ? 1 : bound.kernel.divisor[channel];
  result.bias = static_cast<double>(bound.kernel.bias[channel]);
  result.activation = bound.epilogue.activation;
  result.numbers = bound.epilogue.numbers;
  const std::int64_t first = o / (shape.c_o / bound.problem.groups) * shape.c_i_per_group;
  result.terms.reserve(static_cast<std::size_t>(shape.taps()));
  double sum = 0;
  bool is_known = true;
  for (std::int64_t c = 0; c < shape.c_i_per_group; ++c)
    for (std::int64_t u = 0; u < shape.kh; ++u)
      for (std::int64_t v = 0; v < shape.kw; ++v) {
        Term& term = result.terms.emplace_back(reader.term(first + c, u, v));
        if (!bound.kernel.weights.empty()) term.weight = static_cast<double>(bound.kernel.taps(o, c)[u * shape.kw + v]);
        if (term.weight && term.input) term.product = *term.weight * *term.input;
        is_known &= term.product.has_value();
        sum += term.product.value_or(0);
      }
  if (!is_known) return result;
  result.sum = sum + 0.0;  // no -0
  result.response = activated(result.activation, result.numbers, sum / result.divisor + result.bias) + 0.0;
  return result;
}

/// The window of a max pool, whose padding never counts.
KernelSum window_of(const TermReader& reader, const KernelShape& shape, std::int64_t channel) {
  KernelSum result{.kernel = {}, .channels = 1, .kh = shape.kh, .kw = shape.kw, .terms = {}};
  for (std::int64_t u = 0; u < shape.kh; ++u)
    for (std::int64_t v = 0; v < shape.kw; ++v) {
      Term& term = result.terms.emplace_back(reader.term(channel, u, v));
      if (!term.inside) term.source = std::nullopt;
      if (!term.inside) term.input = std::nullopt;
      if (!term.input) continue;
      // As in PyTorch, a NaN is larger than any number.
      if (!result.response || *term.input > *result.response || std::isnan(*term.input))
        if (!result.response || !std::isnan(*result.response)) result.response = term.input;
    }
  return result;
}

double combined(Combine combine, const std::vector<KernelSum>& sums) {
  double result = 0;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    const double value = *sums[k].response;
    switch (combine) {
      case Combine::magnitude: result += value * value; break;
      case Combine::l1: result += std::fabs(value); break;
      case Combine::max: result = k == 0 || value > result || std::isnan(value) ? value : result; break;
      case Combine::min: result = k == 0 || value < result || std::isnan(value) ? value : result; break;
      case Combine::none:
      case Combine::sum:
      case Combine::mean: result += value; break;
    }
  }
  if (combine == Combine::magnitude) return std::sqrt(result);
  return combine == Combine::mean ? result / static_cast<double>(sums.size()) : result;
}

/// `ours` if it rounds to the engine's float without being one, else that.
double agreed(double ours, float engine) {
  const auto rounded = static_cast<float>(ours);
  return rounded == engine && static_cast<double>(rounded) != ours ? ours : as_printed(engine);
}

/// The rows and columns that all taps of `sums` read.
Region window_around(const std::vector<KernelSum>& sums) {
  const Term& first = sums.front().terms.front();
  const Term& last = sums.front().terms.back();
  return {first.at.y, last.at.y, first.at.x, last.at.x};
}

/// The term of a step that contributes most, or the one in the middle where there are no numbers, with a source.
std::optional<Pixel> most_important(const LayerStep& step) {
  const Term* best = nullptr;
  const auto weight_of = [](const Term& term) { return std::fabs(term.product.value_or(0)); };
  const auto exceeds = [](double a, double b) { return a > b || (std::isnan(a) && !std::isnan(b)); };  // NaN decides
  for (const KernelSum& sum : step.sums) {
    const std::size_t middle = (sum.kh * sum.kw) / 2;
    for (std::size_t i = 0; i < sum.terms.size(); ++i) {
      const Term& term = sum.terms[i];
      if (!term.source) continue;
      bool better = best == nullptr;
      if (!better && !sum.response) better = i == middle;
      if (!better && sum.response && step.pooling == Pooling::max) better = exceeds(*term.input, *best->input);
      if (!better && sum.response && step.pooling != Pooling::max) better = exceeds(weight_of(term), weight_of(*best));
      if (better) best = &term;
    }
  }
  return best == nullptr ? std::nullopt : best->source;
}

Explanation::Stored stored_value(const Trace& trace, const Trace::Numbers& numbers, const Pixel& at, double response) {
  const ConstTensorRef& result = numbers.stored;
  Explanation::Stored stored{.map = {}, .value = value_at(result, at), .dtype = result.dtype};
  if (stored.dtype == DType::f32) stored.value = as_printed(static_cast<float>(stored.value));
  stored.map =
      numbers.mapping.map == OutputMap::signs
          ? make_sign_maps(result.dtype, numbers.measured, numbers.mapping.zero)[static_cast<std::size_t>(at.channel)]
          : make_value_map(numbers.mapping, trace.dtype(), result.dtype, numbers.measured);
  const ValueMap& map = stored.map;
  const double value = map.absolute ? std::fabs(response) : response;
  stored.mapped =
      map.threshold ? (value > *map.threshold ? map.scale : 0.0) : (value - map.shift) * map.scale + map.offset;
  if (is_integer(result.dtype)) {
    if (stored.mapped < -0.5) stored.clipped = Clipped::low;
    if (stored.mapped >= full_range(result.dtype) + 0.5) stored.clipped = Clipped::high;
  } else if (std::isinf(stored.value) && std::isfinite(stored.mapped)) {
    stored.clipped = stored.value < 0 ? Clipped::low : Clipped::high;
  }
  return stored;
}

}  // namespace

double as_printed(float number) { return parse_number<double>(to_text(number)).value_or(static_cast<double>(number)); }

Explainer::Explainer(const Trace& trace) : trace_(trace) {
  for (std::size_t i = 0; i < trace.banks.size(); ++i)
    kernels_.push_back(bind_bank(trace.network.banks[i], trace.banks[i], trace.flip));
}

Region Explainer::region_before(std::size_t layer, const Pixel& place) const {
  const ReceptiveField field = receptive_field_of(trace_.network, trace_.banks, layer);
  const std::int64_t row = field.h.first(place.y), column = field.w.first(place.x);
  return {row, row + field.h.size - 1, column, column + field.w.size - 1};
}

std::int64_t Explainer::terms_of(std::size_t layer) const {
  const Bank& bank = trace_.network.banks[layer];
  const KernelShape& window = trace_.banks[layer].problems.front().kernel;
  if (bank.layers.front().is_max_pool()) return window.kh * window.kw;
  const std::vector<BoundKernel>& kernels = kernels_[layer];
  if (bank.combine != Combine::none)
    return kernels.front().kernel.shape.taps() * kernels.front().epilogue.combine_count;
  std::int64_t most = 0;
  for (const BoundKernel& bound : kernels) most = std::max(most, bound.kernel.shape.taps());
  return most;
}

LayerStep Explainer::explain_layer(std::size_t layer, const Pixel& at) const {
  const Bank& bank = trace_.network.banks[layer];
  const BankGeometry& geometry = trace_.banks[layer];
  LayerStep step{.layer = layer, .name = bank.name, .problem = geometry.problems.front(), .output = geometry.output};
  step.at = at;
  step.is_bank = bank.layers.size() > 1;
  step.pooling = bank.layers.front().pooling;
  step.combine = bank.combine;

  std::optional<ConstTensorRef> input;
  if (trace_.numbers) input = layer == 0 ? trace_.numbers->input : trace_.numbers->responses[layer - 1];
  const auto reader = [&] { return TermReader(step.problem, input, at.y, at.x); };
  std::optional<double> response;
  if (bank.layers.front().is_max_pool()) {
    step.sums.push_back(window_of(reader(), step.problem.kernel, at.channel));
    response = step.sums.front().response;
  } else if (bank.combine != Combine::none) {
    const BoundKernel& bound = kernels_[layer].front();
    const std::int64_t count = bound.epilogue.combine_count;
    for (std::int64_t k = 0; k < count; ++k) {
      step.sums.push_back(sum_of(reader(), bound, at.channel * count + k));
      step.sums.back().kernel = bank.layers[static_cast<std::size_t>(k)].name;
    }
    if (step.sums.front().response) response = combined(bank.combine, step.sums);
  } else {
    std::size_t kernel = 0;
    std::int64_t channel = at.channel;
    while (channel >= kernels_[layer][kernel].kernel.shape.c_o) channel -= kernels_[layer][kernel++].kernel.shape.c_o;
    step.problem = kernels_[layer][kernel].problem;
    step.sums.push_back(sum_of(reader(), kernels_[layer][kernel], channel));
    step.sums.back().kernel = bank.layers[kernel].name;
    response = step.sums.front().response;
  }
  if (trace_.numbers && response) {
    const float engine = trace_.numbers->responses[layer].view<float>().at(0, at.channel, at.y, at.x);
    const bool is_float = layer + 1 < trace_.banks.size() || trace_.numbers->stored.dtype == DType::f32;
    step.response = is_float ? as_printed(engine) : agreed(*response, engine);
  }
  step.window = window_around(step.sums);
  return step;
}

void Explainer::check(const Pixel& place) const {
  const Shape output = trace_.output();
  const auto range = [](std::int64_t size) {
    return size == 1 ? std::string("0") : "0 to " + std::to_string(size - 1);
  };
  if (place.channel < 0 || place.channel >= output.c)
    refuse_usage("--channel", std::to_string(place.channel) + " is not a channel of the output (expected " +
                                  range(output.c) + ", for an output of " + to_string(output) + ")");
  if (place.y < 0 || place.y >= output.h || place.x < 0 || place.x >= output.w)
    refuse_usage("--at", std::to_string(place.y) + "," + std::to_string(place.x) +
                             " is outside the output (expected Y " + range(output.h) + " and X " + range(output.w) +
                             ", for an output of " + to_string(output) + ")");
}

Explanation Explainer::at(const Pixel& place) const {
  check(place);
  Explanation explanation{.trace = &trace_, .at = place, .layers = {}, .stored = {}};
  std::optional<Pixel> next = place;
  if (trace_.numbers && trace_.numbers->mapping.map == OutputMap::signs) next->channel = 0;
  std::int64_t terms = 0;
  for (std::size_t layer = trace_.banks.size(); next && layer-- > 0;) {
    terms += terms_of(layer);
    if (terms > kMostTerms)
      refuse_shape("", "an output comes about from " + std::to_string(terms) +
                           " products or more, too many to explain (at most " + std::to_string(kMostTerms) +
                           "); explain a smaller kernel");
    explanation.layers.push_back(explain_layer(layer, *next));
    explanation.layers.back().seen = region_before(layer, place);
    next = most_important(explanation.layers.back());
  }
  if (trace_.numbers) explanation.stored = stored_value(trace_, *trace_.numbers, place, *explanation.last().response);
  return explanation;
}

}  // namespace convtool
