#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "edges/canny.h"
#include "report/json_line.h"
#include "report/run_report.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

void put_edges(const RunReport& report, ordered_json& object) {
  const EdgeRecipe& recipe = report.edges->recipe;
  const EdgeResult& result = report.edges->result;
  ordered_json& edges = object["edges"];
  edges["output_kind"] = kEdgeKinds[static_cast<int>(recipe.kind)];
  edges["color"] = kColorRules[static_cast<int>(recipe.color)];
  edges["thin"] = recipe.thin;
  edges["angle"] = recipe.kind == EdgeKind::orientation ? ordered_json(kAngleUnits[static_cast<int>(recipe.angle)])
                                                        : ordered_json(nullptr);
  edges["thresholds"] = nullptr;
  if (result.thresholds)
    edges["thresholds"] = {{"low", result.thresholds->low},
                           {"high", result.thresholds->high},
                           {"source", to_string(recipe.hysteresis->source)}};
  edges["edge_pixels"] = result.edge_pixels ? ordered_json(*result.edge_pixels) : ordered_json(nullptr);
  edges["canny"] = is_canny(recipe)
                       ? ordered_json(difference_from_canny(recipe, report.input_dtype, report.edges->channels))
                       : ordered_json(nullptr);
}

/// The keys that describe a bank.
void put_bank(const BankReport& bank, ordered_json& object) {
  const ConvProblem& problem = bank.problem;
  object["kernel"] = {{"name", bank.name}, {"shape", bank.kernel_shape}};
  if (!bank.kind.empty() && bank.pooling == Pooling::none) object["kind"] = bank.kind;
  if (bank.pooling != Pooling::none) object["pool"] = kPoolings[static_cast<int>(bank.pooling)];
  object["stride"] = {problem.stride.h, problem.stride.w};
  object["pads"] = {problem.pads.top, problem.pads.left, problem.pads.bottom, problem.pads.right};
  object["padding_mode"] = to_string(problem.padding_mode);
  object["dilation"] = {problem.dilation.h, problem.dilation.w};
  object["groups"] = problem.groups;
  if (bank.mixed) {
    object["kernel"]["shape"] = nullptr;
    for (const char* key : {"pads", "padding_mode", "dilation", "groups"}) object[key] = nullptr;
  }
  object["combine"] = kCombines[static_cast<int>(bank.combine)];
  if (!bank.activation.empty()) object["activation"] = bank.activation;
  if (!bank.add.empty()) object["add"] = bank.add;
  if (!bank.from.empty()) object["from"] = bank.from;
  object["algorithm"] = bank.algorithm;
  object["instruction_set"] = bank.instruction_set;
  object["threads"] = bank.threads;
}

ordered_json finite_or_null(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }

/// Rounds to ten digits, which hides the rounding errors of many additions: 12.8, not 12.8000000001.
double tidy(double mean) { return parse_number<double>(short_text(mean, 10)).value_or(mean); }

void put_run(const RunReport& report, ordered_json& object) {
  object["input_shape"] = sizes_of(report.input_shape, std::max(report.rank, 3));
  object["output_shape"] = sizes_of(report.output_shape, std::max(report.output_rank(), 3));
  object["input_dtype"] = to_string(report.input_dtype);
  object["output_dtype"] = to_string(report.output_dtype);
  if (report.banks.size() == 1) {
    put_bank(report.banks.front(), object);
  } else {  // the banks of a network may differ in these keys
    object["kernel"] = {{"name", report.kernel_name}, {"shape", nullptr}};
    for (const char* key :
         {"stride", "pads", "padding_mode", "dilation", "groups", "combine", "algorithm", "instruction_set", "threads"})
      object[key] = nullptr;
    object["layers"] = ordered_json::array();
    for (const BankReport& bank : report.banks) put_bank(bank, object["layers"].emplace_back(ordered_json::object()));
  }
  if (report.scaling) {
    const auto& [scale, mean, deviation, order] = *report.scaling;
    object["input_scaling"] = {{"scale", scale},
                               {"mean", mean.empty() ? std::vector{0.0} : mean},
                               {"std", deviation.empty() ? std::vector{1.0} : deviation},
                               {"order", kChannelOrders[static_cast<int>(order)]}};
  }
  for (const FoldedReport& folded : report.folded) {
    ordered_json& one = object["folded"].emplace_back(ordered_json{{"layers", {folded.first, folded.last}}});
    put_bank(folded.bank, one);
    for (std::size_t i = folded.first; i <= folded.last; ++i) object["layers"][i - 1]["algorithm"] = "folded";
  }
  object["map"] = map_name(report);
  if (report.mapping && report.mapping->gain != 1) object["map_gain"] = report.mapping->gain;
  if (report.mapping && report.mapping->map == OutputMap::signs)
    object["signed_zero"] = kSignedZeros[static_cast<int>(report.mapping->zero)];
  if (report.mapping && report.mapping->percentiles) object["normalize_percentile"] = *report.mapping->percentiles;
  if (report.mapping && report.mapping->threshold) object["threshold"] = *report.mapping->threshold;
  if (report.frames) object["frames"] = *report.frames;
  if (!report.layer_outputs.empty()) object["layer_outputs"] = report.layer_outputs;
  if (!report.layer_sheets.empty()) object["layer_sheets"] = report.layer_sheets;
  if (report.sheet)
    object["sheet"] = {{"output", report.sheet->output},
                       {"shape", sizes_of(report.sheet->shape, 3)},
                       {"result_shape", sizes_of(report.sheet->result, std::max(report.rank, 3))},
                       {"result_dtype", to_string(report.sheet->result_dtype)},
                       {"tiles", report.sheet->tiles},
                       {"columns", report.sheet->columns},
                       {"reduced", report.sheet->reduced}};
  if (report.edges) put_edges(report, object);
  if (report.dry_run) {
    for (const char* key : {"clipped", "min", "max", "mean", "nan_count", "seconds"}) object[key] = nullptr;
    object["dry_run"] = true;
    return;
  }
  const std::int64_t low = report.stats.clipped_low, high = report.stats.clipped_high;
  const double share =
      report.responses == 0 ? 0 : static_cast<double>(low + high) / static_cast<double>(report.responses);
  object["clipped"] = {{"low", low}, {"high", high}, {"share", share}};
  object["min"] = finite_or_null(report.stats.min);
  object["max"] = finite_or_null(report.stats.max);
  object["mean"] = report.stats.mean() ? finite_or_null(tidy(*report.stats.mean())) : ordered_json(nullptr);
  object["nan_count"] = report.stats.nan_count;
  object["seconds"] = {
      {"decode", report.decode_seconds}, {"convolve", report.convolve_seconds}, {"encode", report.encode_seconds}};
}

}  // namespace

std::string to_json(const RunReport& report) {
  constexpr const char* kStatuses[] = {"ok", "skipped", "error"};
  ordered_json object;
  object["version"] = 1;
  object["input"] = report.input;
  if (report.part) object[std::string(report.part->kind)] = report.part->number;
  object["output"] = report.output.empty() ? ordered_json(nullptr) : ordered_json(report.output);
  object["status"] = kStatuses[static_cast<int>(report.status)];
  if (report.status == RunReport::Status::ok) put_run(report, object);
  object["memory_needed"] = report.memory ? ordered_json(*report.memory) : ordered_json();
  object["warnings"] = ordered_json::array();
  for (const Remark& warning : report.warnings) object["warnings"].push_back(warning.text);
  if (report.status == RunReport::Status::error) {
    object["error"] = {{"kind", to_string(report.error_kind)}, {"message", report.error_message}};
  }
  return json_line(object);
}

}  // namespace convtool
