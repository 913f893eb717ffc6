#include <cmath>
#include <nlohmann/json.hpp>

#include "core/printable.h"
#include "show/explain/explanation_text.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

/// Whole numbers are written without a point.
ordered_json number(const std::optional<double>& value) {
  constexpr double kLargestExact = 0x1p53;
  if (!value || !std::isfinite(*value)) return nullptr;
  if (*value == std::trunc(*value) && std::fabs(*value) < kLargestExact) return static_cast<std::int64_t>(*value);
  return *value;
}

/// A number that is a float, or an integer below 2^24.
ordered_json float_number(const std::optional<double>& value) {
  return value ? number(as_printed(static_cast<float>(*value))) : ordered_json(nullptr);
}

ordered_json term_json(const Term& term) {
  ordered_json object;
  object["channel"] = term.at.channel;
  object["y"] = term.at.y;
  object["x"] = term.at.x;
  object["inside"] = term.inside;
  object["source"] = term.source ? ordered_json({term.source->y, term.source->x}) : ordered_json(nullptr);
  object["input"] = float_number(term.input);
  object["weight"] = float_number(term.weight);
  object["product"] = number(term.product);
  return object;
}

void put_sum(const KernelSum& sum, bool is_pool, ordered_json& object) {
  object["terms"] = ordered_json::array();
  for (const Term& term : sum.terms) object["terms"].push_back(term_json(term));
  object["sum"] = number(sum.sum);
  object["divisor"] = is_pool ? ordered_json(nullptr) : number(sum.divisor);
  object["bias"] = is_pool ? ordered_json(nullptr) : float_number(sum.bias);
  object["activation"] = kActivations[static_cast<int>(sum.activation)];
}

ordered_json region_json(const Region& region) {
  return {{"y", {region.first_row, region.last_row}}, {"x", {region.first_column, region.last_column}}};
}

void put_step(const LayerStep& step, ordered_json& object) {
  const ConvProblem& problem = step.problem;
  if (step.pooling != Pooling::none) object["pool"] = kPoolings[static_cast<int>(step.pooling)];
  object["stride"] = {problem.stride.h, problem.stride.w};
  object["pads"] = {problem.pads.top, problem.pads.left, problem.pads.bottom, problem.pads.right};
  object["padding_mode"] = to_string(problem.padding_mode);
  object["dilation"] = {problem.dilation.h, problem.dilation.w};
  object["groups"] = problem.groups;
  object["window"] = region_json(step.window);
  if (!step.is_bank) return put_sum(step.sums.front(), step.pooling == Pooling::max, object);
  object["parts"] = ordered_json::array();
  for (const KernelSum& sum : step.sums) {
    ordered_json& part = object["parts"].emplace_back(ordered_json::object());
    part["kernel"] = sum.kernel;
    put_sum(sum, false, part);
    part["response"] = number(sum.response);
  }
  object["combine"] = kCombines[static_cast<int>(step.combine)];
}

ordered_json layer_json(const LayerStep& step, int rank) {
  ordered_json object;
  object["layer"] = step.layer + 1;
  object["name"] = step.name;
  object["input_shape"] = sizes_of(step.problem.input, rank);
  object["output_shape"] = sizes_of(step.output, rank);
  object["at"] = {step.at.y, step.at.x};
  object["channel"] = step.at.channel;
  object["receptive_field"] = region_json(step.seen);
  put_step(step, object);
  object["response"] = number(step.response);
  return object;
}

}  // namespace

std::string to_json(const Explanation& explanation) {
  const Trace& trace = *explanation.trace;
  const int rank = std::max(trace.rank, 3);
  ordered_json object;
  object["version"] = 1;
  object["input"] = trace.name;
  object["kernel"] = trace.network.name;
  object["input_shape"] = sizes_of(trace.input, rank);
  object["output_shape"] = sizes_of(trace.output(), rank);
  object["input_dtype"] = to_string(trace.dtype());
  object["output_dtype"] = explanation.stored ? ordered_json(to_string(explanation.stored->dtype)) : ordered_json();
  object["at"] = {explanation.at.y, explanation.at.x};
  object["channel"] = explanation.at.channel;
  if (trace.banks.size() == 1) {
    put_step(explanation.last(), object);
  } else {
    object["layers"] = ordered_json::array();
    for (const LayerStep& step : explanation.layers) object["layers"].push_back(layer_json(step, rank));
  }
  object["response"] = number(explanation.last().response);
  const std::optional<Explanation::Stored>& stored = explanation.stored;
  object["map"] = nullptr;
  if (stored) object["map"] = trace.numbers->map_matters ? to_string(trace.numbers->mapping.map) : "none";
  object["mapped"] = stored ? number(stored->mapped) : ordered_json();
  object["stored"] = stored ? number(stored->value) : ordered_json();
  object["clipped"] = stored ? ordered_json(kClipped[static_cast<int>(stored->clipped)]) : ordered_json();
  return printable_json(object.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

}  // namespace convtool
