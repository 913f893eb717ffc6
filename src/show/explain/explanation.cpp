#include "show/explain/explanation.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/text.h"
#include "network/receptive_field.h"
#include "network/residual.h"

namespace convtool {

namespace {

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
std::optional<Region> window_around(const std::vector<KernelSum>& sums) {
  if (sums.front().terms.empty()) return std::nullopt;
  const Term& first = sums.front().terms.front();
  const Term& last = sums.front().terms.back();
  return Region{first.at.y, last.at.y, first.at.x, last.at.x};
}

/// An output of a layer.
struct Place {
  std::size_t layer = 0;
  Pixel at;
};

/// The place that the term of a step that contributes most reads, or where there are no numbers the one in the middle,
/// of two addends the first. Nothing where all terms are padding, and where they read the input of the network.
std::optional<Place> most_important(const LayerStep& step) {
  const Term* best = nullptr;
  const auto weight_of = [](const Term& term) { return std::fabs(term.product.value_or(0)); };
  const auto exceeds = [](double a, double b) { return a > b || (std::isnan(a) && !std::isnan(b)); };  // NaN decides
  for (const KernelSum& sum : step.sums) {
    const auto middle = static_cast<std::size_t>(sum.kh * sum.kw / 2);
    for (std::size_t i = 0; i < sum.terms.size(); ++i) {
      const Term& term = sum.terms[i];
      if (!term.source) continue;
      bool better = best == nullptr;
      if (!better && !sum.response) better = i == middle && !step.addend;
      if (!better && sum.response && step.pooling == Pooling::max) better = exceeds(*term.input, *best->input);
      if (!better && sum.response && step.pooling != Pooling::max) better = exceeds(weight_of(term), weight_of(*best));
      if (better) best = &term;
    }
  }
  if (best == nullptr) return std::nullopt;
  const bool is_added = step.addend && best == &step.sums.front().terms.back();
  const std::optional<std::size_t>& layer = is_added ? step.addend : step.source;
  return layer ? std::optional(Place{*layer, *best->source}) : std::nullopt;
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
  const double limit = std::max(std::fabs(numbers.measured.min), std::fabs(numbers.measured.max));
  if (trace.shows_signs() && numbers.mapping.percentiles && std::fabs(response) > limit) {
    stored.clipped = response < 0 ? Clipped::low : Clipped::high;
    response = *(stored.limited = std::copysign(limit, response));
  }
  const double value = map.absolute ? std::fabs(response) : response;
  stored.mapped =
      map.threshold ? (value > *map.threshold ? map.scale : 0.0) : (value - map.shift) * map.scale + map.offset;
  if (stored.limited) return stored;
  if (is_integer(result.dtype)) {
    if (stored.mapped < -0.5) stored.clipped = Clipped::low;
    if (stored.mapped >= full_range(result.dtype) + 0.5) stored.clipped = Clipped::high;
  } else if (std::isinf(stored.value) && std::isfinite(stored.mapped)) {
    stored.clipped = stored.value < 0 ? Clipped::low : Clipped::high;
  }
  return stored;
}

}  // namespace

ConvProblem windows_of(const BankGeometry& bank) {
  ConvProblem problem = bank.problems.front();
  if (!bank.enlarged) return problem;
  problem.pads = {};
  if (bank.enlarged->kind != Enlarging::bilinear) return problem;
  problem.padding_mode = PaddingMode::replicate;
  if (problem.stride.h > 1) problem.pads.top = problem.pads.bottom = 1;
  if (problem.stride.w > 1) problem.pads.left = problem.pads.right = 1;
  return problem;
}

Explainer::Explainer(const Trace& trace)
    : trace_(trace), sources_(sources_of(trace.network)), addends_(addends_of(trace.network)) {
  for (std::size_t i = 1; i < sources_.size(); ++i)
    if (!sources_[i]) sources_[i] = i - 1;
  for (std::size_t i = 0; i < trace.banks.size(); ++i)
    kernels_.push_back(bind_bank(trace.network.banks[i], trace.banks[i], trace.flip));
  for (std::size_t i = 0; i < trace.banks.size(); ++i) {
    const ConvProblem& whole = trace.banks[i].problems.front();
    phases_.push_back(trace.banks[i].enlarged
                          ? phases_of(trace.network.banks[i].layers.front(), whole.input_dtype, whole.input)
                          : std::vector<Phase>());
  }
}

Region Explainer::receptive_field(const Pixel& place) const {
  return *regions_before(trace_.network, trace_.banks, {place.y, place.y, place.x, place.x}).front();
}

std::int64_t Explainer::terms_of(std::size_t layer) const {
  const Bank& bank = trace_.network.banks[layer];
  const KernelShape& window = trace_.banks[layer].problems.front().kernel;
  if (bank.layers.front().is_window_pool()) return window.kh * window.kw;
  if (addends_[layer]) return 2;
  const std::vector<BoundKernel>& kernels = kernels_[layer];
  if (bank.combine != Combine::none)
    return kernels.front().kernel.shape.taps() * kernels.front().epilogue.combine_count;
  std::int64_t most = 0;
  for (const BoundKernel& bound : kernels) most = std::max(most, bound.kernel.shape.taps());
  return most;
}

KernelSum Explainer::sum_of_addends(const LayerStep& step) const {
  const Epilogue& epilogue = kernels_[step.layer].front().epilogue;
  KernelSum result{.kernel = {}, .channels = 1, .kh = 1, .kw = 2, .terms = {}};
  result.activation = epilogue.activation;
  result.numbers = epilogue.numbers;
  float sum = 0;
  for (const std::size_t layer : {*step.source, *step.addend}) {
    Term& term = result.terms.emplace_back(Term{.at = step.at, .source = step.at, .weight = 1});
    if (!trace_.numbers) continue;
    const ConstTensorRef& values = trace_.numbers->responses[layer];
    term.product = term.input = value_at(values, step.at);
    sum += values.view<float>().at(0, step.at.channel, step.at.y, step.at.x);
  }
  if (!trace_.numbers) return result;
  result.sum = static_cast<double>(sum) + 0.0;
  result.response = activated(result.activation, result.numbers, *result.sum) + 0.0;
  return result;
}

LayerStep Explainer::explain_layer(std::size_t layer, const Pixel& at) const {
  const Bank& bank = trace_.network.banks[layer];
  const Layer& first = bank.layers.front();
  const BankGeometry& geometry = trace_.banks[layer];
  LayerStep step{.layer = layer,
                 .name = bank.name,
                 .source = sources_[layer],
                 .addend = addends_[layer],
                 .problem = windows_of(geometry),
                 .output = geometry.output};
  step.at = at;
  step.is_bank = bank.layers.size() > 1;
  step.pooling = first.pooling;
  step.has_pool_windows = first.is_window_pool();
  step.enlarging = first.enlarging;
  step.combine = bank.combine;

  LayerInput input{.problem = step.problem, .values = {}};
  if (trace_.numbers) input.values = step.source ? trace_.numbers->responses[*step.source] : trace_.numbers->input;
  std::optional<double> response;
  if (bank.combine != Combine::none) {
    const BoundKernel& bound = kernels_[layer].front();
    const std::int64_t count = bound.epilogue.combine_count;
    for (std::int64_t k = 0; k < count; ++k) {
      step.sums.push_back(kernel_sum(input, bound, at.channel * count + k, at.y, at.x));
      step.sums.back().kernel = bank.layers[static_cast<std::size_t>(k)].name;
    }
    if (step.sums.front().response) response = combined(bank.combine, step.sums);
  } else {
    if (step.addend) {
      step.sums.push_back(sum_of_addends(step));
    } else if (step.has_pool_windows) {
      step.sums.push_back(pool_sum(input, first, at));
    } else if (geometry.enlarged) {
      step.sums.push_back(enlarged_sum(input, *geometry.enlarged, phases_[layer], kernels_[layer], at));
    } else {
      std::size_t kernel = 0;
      std::int64_t channel = at.channel;
      while (channel >= kernels_[layer][kernel].kernel.shape.c_o) channel -= kernels_[layer][kernel++].kernel.shape.c_o;
      step.problem = kernels_[layer][kernel].problem;
      step.sums.push_back(kernel_sum(input, kernels_[layer][kernel], channel, at.y, at.x));
      step.sums.back().kernel = bank.layers[kernel].name;
    }
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
  std::optional<Place> next = Place{trace_.banks.size() - 1, place};
  if (trace_.numbers && trace_.numbers->mapping.map == OutputMap::signs) next->at.channel = 0;
  const std::vector<std::optional<Region>> regions =
      regions_before(trace_.network, trace_.banks, {place.y, place.y, place.x, place.x});
  std::int64_t terms = 0;
  while (next) {
    terms += terms_of(next->layer);
    if (terms > kMostTerms)
      refuse_shape("", "an output comes about from " + std::to_string(terms) +
                           " products or more, too many to explain (at most " + std::to_string(kMostTerms) +
                           "); explain a smaller kernel");
    explanation.layers.push_back(explain_layer(next->layer, next->at));
    const std::optional<std::size_t>& source = explanation.layers.back().source;
    explanation.layers.back().seen = *regions[source ? *source + 1 : 0];
    next = most_important(explanation.layers.back());
  }
  if (trace_.numbers) explanation.stored = stored_value(trace_, *trace_.numbers, place, *explanation.last().response);
  return explanation;
}

}  // namespace convtool
