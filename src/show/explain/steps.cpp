#include "show/explain/steps.h"

#include <cmath>
#include <utility>

#include "core/printable.h"
#include "core/text.h"

namespace convtool {
namespace {

std::string signed_text(double value) { return value < 0 ? "- " + number_text(-value) : "+ " + number_text(value); }

std::string bracketed(double value) { return value < 0 ? "(" + number_text(value) + ")" : number_text(value); }

/// `term` of each response, with a separator between them.
template <class Term>
std::string joined(const std::vector<KernelSum>& sums, const char* separator, const Term& term) {
  std::string text;
  for (const KernelSum& sum : sums) text += (text.empty() ? "" : separator) + term(*sum.response);
  return text;
}

std::string whole_combine_text(const LayerStep& step, const std::string& name) {
  const std::vector<KernelSum>& sums = step.sums;
  switch (step.combine) {
    case Combine::magnitude:
      return name + ": sqrt(" + joined(sums, " + ", [](double value) { return bracketed(value) + "^2"; }) + ")";
    case Combine::l1:
      return name + ": " + joined(sums, " + ", [](double value) { return "|" + number_text(value) + "|"; });
    case Combine::sum: return name + ": " + joined(sums, " + ", bracketed);
    case Combine::mean: return name + ": (" + joined(sums, " + ", bracketed) + ") / " + std::to_string(sums.size());
    default: return name + "(" + joined(sums, ", ", [](double value) { return number_text(value); }) + ")";
  }
}

/// "magnitude: sqrt(3^2 + 4^2)"; of many numbers "magnitude of 8".
std::string combine_text(const LayerStep& step) {
  constexpr std::size_t kLongest = 60;  // leaves room for the result on a line of 80 columns
  const std::string name(kCombines[static_cast<int>(step.combine)]), text = whole_combine_text(step, name);
  return text.size() <= kLongest ? text : name + " of " + std::to_string(step.sums.size());
}

ArithmeticStep step_of(std::string label, double value) {
  return {.label = std::move(label), .value = number_text(value), .is_rounded = is_rounded(value)};
}

/// What a scale comes from: the map, or a change of depth.
std::string scale_name(const Trace& trace, DType to) {
  const Mapping& mapping = trace.numbers->mapping;
  const OutputMap map = mapping.map;
  if ((map != OutputMap::clip && map != OutputMap::abs) || mapping.gain != 1) return std::string(to_string(map));
  return std::string(to_string(trace.dtype())) + " to " + std::string(to_string(to));
}

}  // namespace

std::string exact_text(double value) { return std::isnan(value) ? "nan" : to_text(value + 0.0); }

std::string number_text(double value, int digits) {
  constexpr double kLargestWhole = 1e9;
  const bool is_whole = value == std::trunc(value) && std::fabs(value) < kLargestWhole;
  return is_whole || !std::isfinite(value) ? exact_text(value) : short_text(value, digits);
}

bool is_rounded(double value, int digits) {
  if (!std::isfinite(value)) return false;
  const std::string text = number_text(value, digits);
  return text != exact_text(value) && text != exact_text(as_printed(static_cast<float>(value)));
}

std::string channel_text(const Trace& trace, std::int64_t channel) {
  if (trace.output().c == 1) return "";
  return ", channel " + std::to_string(channel) +
         (trace.shows_signs() ? std::string(" (") + "RGB"[channel] + ")" : std::string());
}

std::string layer_name(const Trace& trace, std::size_t layer) {
  constexpr std::size_t kLongestName = 30;
  return "layer " + std::to_string(layer + 1) + ", " + printable_start(trace.network.banks[layer].name, kLongestName);
}

std::vector<ArithmeticStep> steps_of_sum(const KernelSum& sum) {
  std::vector<ArithmeticStep> steps;
  if (!sum.sum && !sum.largest) return steps;
  const auto add = [&](std::string label, double value) { steps.push_back(step_of(std::move(label), value)); };
  if (sum.largest) {
    if (sum.activation != Activation::none) {
      add("largest", *sum.largest);
      add(activation_text(sum.activation, sum.numbers), *sum.response);
    }
    return steps;
  }
  double value = *sum.sum;
  const bool is_plain = sum.divisor == 1 && sum.bias == 0 && sum.activation == Activation::none;
  if (sum.channels > 1)
    add("sum of " + std::to_string(sum.channels) + " channels", value);
  else if (!is_plain)
    add("sum", value);
  if (sum.divisor != 1) add("/ " + number_text(sum.divisor), value /= sum.divisor);
  if (sum.bias != 0) add(signed_text(sum.bias) + " (bias)", value + sum.bias);
  if (sum.activation != Activation::none) add(activation_text(sum.activation, sum.numbers), *sum.response);
  return steps;
}

std::vector<ArithmeticStep> steps_after_sums(const Trace& trace, const LayerStep& step) {
  if (step.addend && step.response) {
    const KernelSum& sum = step.sums.front();
    std::vector<ArithmeticStep> steps = {step_of(layer_name(trace, *step.source), *sum.terms.front().input),
                                         step_of("+ " + layer_name(trace, *step.addend), *sum.terms.back().input)};
    steps.push_back(step_of("sum", *sum.sum));
    for (ArithmeticStep& after : steps_of_sum(sum))
      if (after.label != "sum") steps.push_back(std::move(after));
    return steps;
  }
  if (step.combine != Combine::none && step.response) return {step_of(combine_text(step), *step.response)};
  return step.is_bank ? std::vector<ArithmeticStep>() : steps_of_sum(step.sums.front());
}

std::vector<ArithmeticStep> steps_to_stored(const Explanation& explanation) {
  std::vector<ArithmeticStep> steps;
  if (!explanation.stored) return steps;
  const auto add = [&](std::string label, double value) { steps.push_back(step_of(std::move(label), value)); };
  const Explanation::Stored& stored = *explanation.stored;
  const Trace& trace = *explanation.trace;
  const ValueMap& map = stored.map;
  const std::string name = " (" + std::string(to_string(trace.numbers->mapping.map)) + ")";
  double value = *explanation.last().response;
  if (map.absolute) add("absolute value", value = std::fabs(value));
  if (map.threshold) {
    add((stored.value > 0 ? "above " : "not above ") + number_text(*map.threshold), stored.value);
  } else {
    if (map.shift != 0) add(signed_text(-map.shift) + name, value -= map.shift);
    if (map.scale != 1)
      add("* " + number_text(map.scale) + " (" + scale_name(trace, stored.dtype) + ")", value *= map.scale);
    if (map.offset != 0) add(signed_text(map.offset) + name, value + map.offset);
  }
  const std::string type(to_string(stored.dtype));
  if (!is_integer(stored.dtype)) {
    steps.push_back({"stored as " + type, exact_text(stored.value)});
    return steps;
  }
  if (stored.clipped != Clipped::no)
    add("clipped to 0..." + number_text(full_range(stored.dtype)), stored.value);
  else if (std::isnan(stored.mapped))
    add("not a number", stored.value);
  else if (stored.mapped != stored.value)
    add("rounded", stored.value);
  add("stored as " + type, stored.value);
  if (!trace.shows_signs()) return steps;
  std::string colour;
  for (std::int64_t c = 0; c < kSignChannels; ++c)
    colour +=
        (c > 0 ? ", " : "") + exact_text(value_at(trace.numbers->stored, {c, explanation.at.y, explanation.at.x}));
  steps.push_back({.label = "the colour R, G, B", .value = colour});
  return steps;
}

}  // namespace convtool
