#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/printable.h"
#include "files/json_object.h"
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

void put_sum(const KernelSum& sum, bool is_max_pool, JsonObject& object) {
  object.add_text("terms", json_list(sum.terms, [](const Term& term) { return json_dump(term_json(term)); }));
  object.add("sum", number(sum.sum));
  object.add("divisor", is_max_pool ? ordered_json(nullptr) : number(sum.divisor));
  object.add("bias", is_max_pool ? ordered_json(nullptr) : float_number(sum.bias));
  object.add_text("activation", activation_json(sum.activation, sum.numbers));
}

std::string part_text(const KernelSum& sum) {
  JsonObject part;
  part.add("kernel", sum.kernel);
  put_sum(sum, false, part);
  part.add("response", number(sum.response));
  return part.finish();
}

ordered_json region_json(const Region& region) {
  return {{"y", {region.first_row, region.last_row}}, {"x", {region.first_column, region.last_column}}};
}

/// The options of a layer, by the names that they have in kernel files.
void put_options(const Trace& trace, const LayerStep& step, JsonObject& object) {
  const Layer& layer = trace.network.banks[step.layer].layers.front();
  const ConvProblem& problem = step.problem;
  if (step.addend) return object.add("add", layer.add);
  if (is_upsampling(step.enlarging)) {
    object.add("upsample", kEnlargings[static_cast<int>(step.enlarging)]);
    return object.add("scale", {problem.stride.h, problem.stride.w});
  }
  const bool is_transposed = step.enlarging == Enlarging::transposed;
  const Pads& pads = is_transposed ? layer.params.padding.pads : problem.pads;
  if (is_transposed) object.add("transposed", true);
  if (step.pooling != Pooling::none) object.add("pool", kPoolings[static_cast<int>(step.pooling)]);
  object.add("stride", {problem.stride.h, problem.stride.w});
  object.add("pads", {pads.top, pads.left, pads.bottom, pads.right});
  if (is_transposed) object.add("output_padding", {layer.output_padding.h, layer.output_padding.w});
  object.add("padding_mode", to_string(problem.padding_mode));
  object.add("dilation", {problem.dilation.h, problem.dilation.w});
  object.add("groups", problem.groups);
  if (!is_transposed) return;
  object.add("kernel_rows", step.sums.front().kernel_rows);
  object.add("kernel_columns", step.sums.front().kernel_columns);
}

void put_step(const Trace& trace, const LayerStep& step, JsonObject& object) {
  put_options(trace, step, object);
  object.add("window", step.window ? region_json(*step.window) : ordered_json(nullptr));
  if (!step.is_bank) return put_sum(step.sums.front(), step.pooling == Pooling::max, object);
  object.add_text("parts", json_list(step.sums, part_text));
  object.add("combine", kCombines[static_cast<int>(step.combine)]);
}

/// The layers whose outputs a layer reads, counted from 1; of two, the second is added to the first. 0 is the input.
ordered_json layers_read(const LayerStep& step) {
  ordered_json layers = {step.source ? *step.source + 1 : 0};
  if (step.addend) layers.push_back(*step.addend + 1);
  return layers;
}

std::string layer_text(const Trace& trace, const LayerStep& step, int rank) {
  JsonObject object;
  object.add("layer", step.layer + 1);
  object.add("name", step.name);
  object.add("reads", layers_read(step));
  object.add("input_shape", sizes_of(step.problem.input, rank));
  object.add("output_shape", sizes_of(step.output, rank));
  object.add("at", {step.at.y, step.at.x});
  object.add("channel", step.at.channel);
  object.add("receptive_field", region_json(step.seen));
  put_step(trace, step, object);
  object.add("response", number(step.response));
  return object.finish();
}

}  // namespace

std::string to_json(const Explanation& explanation) {
  const Trace& trace = *explanation.trace;
  const int rank = std::max(trace.rank, 3);
  JsonObject object;
  object.add("version", 1);
  object.add("input", trace.name);
  object.add("kernel", trace.network.name);
  object.add("input_shape", sizes_of(trace.input, rank));
  object.add("output_shape", sizes_of(trace.output(), rank));
  object.add("input_dtype", to_string(trace.dtype()));
  object.add("output_dtype", explanation.stored ? ordered_json(to_string(explanation.stored->dtype)) : ordered_json());
  object.add("at", {explanation.at.y, explanation.at.x});
  object.add("channel", explanation.at.channel);
  if (trace.banks.size() == 1) {
    put_step(trace, explanation.last(), object);
  } else {
    object.add_text(
        "layers", json_list(explanation.layers, [&](const LayerStep& step) { return layer_text(trace, step, rank); }));
  }
  object.add("response", number(explanation.last().response));
  const std::optional<Explanation::Stored>& stored = explanation.stored;
  const std::string_view map = stored && trace.numbers->map_matters ? to_string(trace.numbers->mapping.map) : "none";
  object.add("map", stored ? ordered_json(map) : ordered_json());
  object.add("mapped", stored ? number(stored->mapped) : ordered_json());
  object.add("stored", stored ? number(stored->value) : ordered_json());
  object.add("clipped", stored ? ordered_json(kClipped[static_cast<int>(stored->clipped)]) : ordered_json());
  return printable_json(object.finish());
}

}  // namespace convtool
