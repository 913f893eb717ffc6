#include "report/run_report.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "edges/canny.h"
#include "report/weights_text.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

std::vector<std::int64_t> shape_list(const Shape& shape, int rank) {
  if (rank == 4) return {shape.n, shape.c, shape.h, shape.w};
  return {shape.c, shape.h, shape.w};
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string extent_text(const Extent& extent) {
  return extent.h == extent.w ? std::to_string(extent.h) : join_sizes({extent.h, extent.w});
}

std::string padding_text(const ConvProblem& problem) {
  const Pads& pads = problem.pads;
  if (pads == Pads{}) return "0";
  const bool even = pads.top == pads.bottom && pads.left == pads.right;
  std::string text = even ? extent_text({pads.top, pads.left})
                          : std::to_string(pads.top) + "," + std::to_string(pads.left) + "," +
                                std::to_string(pads.bottom) + "," + std::to_string(pads.right);
  text += " " + std::string(to_string(problem.padding_mode));
  if (problem.padding_mode == PaddingMode::constant)
    text += " " + short_number(static_cast<double>(problem.padding_value));
  return text;
}

std::string bank_text(const BankReport& bank) {
  if (bank.mixed) return "kernels " + printable(bank.name) + ", stride " + extent_text(bank.problem.stride);
  const std::string what = bank.pooling == Pooling::none
                               ? "kernel " + printable(bank.name)
                               : std::string(kPoolings[static_cast<int>(bank.pooling)]) + " pool";
  std::string text = what + " " + join_sizes(bank.kernel_shape) + ", stride " + extent_text(bank.problem.stride) +
                     ", padding " + padding_text(bank.problem);
  if (bank.problem.dilation != Extent{}) text += ", dilation " + extent_text(bank.problem.dilation);
  if (bank.problem.groups > 1 && !bank.per_channel) text += ", groups " + std::to_string(bank.problem.groups);
  if (bank.combine != Combine::none) text += ", combine " + std::string(kCombines[static_cast<int>(bank.combine)]);
  return text;
}

std::string map_text(const RunReport& report) {
  return report.mapping ? std::string(to_string(report.mapping->map)) : "none";
}

/// ", map clip, threshold 100".
std::string mapping_text(const RunReport& report) {
  std::string text = ", map " + map_text(report);
  if (!report.mapping) return text;
  if (const auto& percentiles = report.mapping->percentiles)
    text += " from percentile " + short_number((*percentiles)[0]) + " to " + short_number((*percentiles)[1]);
  if (const auto& threshold = report.mapping->threshold) text += ", threshold " + short_number(*threshold);
  return text;
}

std::string_view source_text(const ThresholdRule& rule) {
  constexpr std::string_view kSources[] = {"given", "percentiles", "Otsu"};
  return kSources[static_cast<int>(rule.source)];
}

/// "; edges thin magnitude, luma, thresholds 100 and 200 (given), 1234 edge pixels".
std::string edges_text(const EdgeReport& edges) {
  const EdgeRecipe& recipe = edges.recipe;
  std::string text =
      std::string("; edges ") + (recipe.thin ? "thin " : "") + std::string(kEdgeKinds[static_cast<int>(recipe.kind)]);
  if (recipe.kind == EdgeKind::orientation) text += " in " + std::string(kAngleUnits[static_cast<int>(recipe.angle)]);
  text += ", color " + std::string(kColorRules[static_cast<int>(recipe.color)]);
  if (const auto& thresholds = edges.result.thresholds)
    text += ", thresholds " + short_number(thresholds->low) + " and " + short_number(thresholds->high) + " (" +
            std::string(source_text(*recipe.hysteresis)) + ")";
  if (edges.result.edge_pixels) text += ", " + std::to_string(*edges.result.edge_pixels) + " edge pixels";
  return text;
}

/// What the kernels are, and of a Canny detector how it differs from OpenCV's.
std::string verbose_edges(const EdgeReport& edges, DType input_dtype) {
  std::string text;
  for (const Layer& layer : edges.recipe.kernels.layers) {
    text += "\n  " + printable(layer.name) + "\n" + weights_text(layer);
    text.pop_back();  // the last line's end
  }
  if (is_canny(edges.recipe)) text += "\n  " + difference_from_canny(edges.recipe, input_dtype, edges.channels);
  return text;
}

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
                           {"source", source_text(*recipe.hysteresis)}};
  edges["edge_pixels"] = result.edge_pixels ? ordered_json(*result.edge_pixels) : ordered_json(nullptr);
  edges["canny"] = is_canny(recipe)
                       ? ordered_json(difference_from_canny(recipe, report.input_dtype, report.edges->channels))
                       : ordered_json(nullptr);
}

/// The keys that describe a bank.
void put_bank(const BankReport& bank, ordered_json& object) {
  const ConvProblem& problem = bank.problem;
  object["kernel"] = {{"name", bank.name}, {"shape", bank.kernel_shape}};
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
  object["algorithm"] = bank.algorithm;
  object["instruction_set"] = bank.instruction_set;
  object["threads"] = bank.threads;
}

ordered_json finite_or_null(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }

/// To ten digits, within which a mean is exact: 12.8, not what is left of it after a million additions.
double tidy(double mean) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", mean);
  return std::strtod(text, nullptr);
}

void put_run(const RunReport& report, ordered_json& object) {
  object["input_shape"] = shape_list(report.input_shape, report.input_rank);
  object["output_shape"] = shape_list(report.output_shape, report.output_rank);
  object["input_dtype"] = to_string(report.input_dtype);
  object["output_dtype"] = to_string(report.output_dtype);
  if (report.banks.size() == 1) {
    put_bank(report.banks.front(), object);
  } else {  // a network has no one stride; its banks have
    object["kernel"] = {{"name", report.kernel_name}, {"shape", nullptr}};
    for (const char* key :
         {"stride", "pads", "padding_mode", "dilation", "groups", "combine", "algorithm", "instruction_set", "threads"})
      object[key] = nullptr;
    object["layers"] = ordered_json::array();
    for (const BankReport& bank : report.banks) put_bank(bank, object["layers"].emplace_back(ordered_json::object()));
  }
  object["map"] = map_text(report);
  if (report.mapping && report.mapping->percentiles) object["normalize_percentile"] = *report.mapping->percentiles;
  if (report.mapping && report.mapping->threshold) object["threshold"] = *report.mapping->threshold;
  if (!report.layer_outputs.empty()) object["layer_outputs"] = report.layer_outputs;
  if (report.edges) put_edges(report, object);
  if (report.dry_run) {
    for (const char* key : {"clipped", "min", "max", "mean", "nan_count", "seconds"}) object[key] = nullptr;
    object["dry_run"] = true;
    return;
  }
  object["clipped"] = {{"low", report.stats.clipped_low}, {"high", report.stats.clipped_high}};
  object["min"] = finite_or_null(report.stats.min);
  object["max"] = finite_or_null(report.stats.max);
  object["mean"] = report.stats.mean() ? finite_or_null(tidy(*report.stats.mean())) : ordered_json(nullptr);
  object["nan_count"] = report.stats.nan_count;
  object["seconds"] = {
      {"decode", report.decode_seconds}, {"convolve", report.convolve_seconds}, {"encode", report.encode_seconds}};
}

}  // namespace

std::string to_text(const RunReport& report, bool verbose) {
  if (report.status == RunReport::Status::skipped) {
    return printable(report.input + " skipped: " + report.output + (report.up_to_date ? " is up to date" : " exists"));
  }
  const auto sized = [](const std::string& name, const Shape& shape, int rank, DType dtype) {
    return printable(name) + " " + join_sizes(shape_list(shape, rank)) + " " + std::string(to_string(dtype));
  };
  std::string line = sized(report.input, report.input_shape, report.input_rank, report.input_dtype) + " -> " +
                     sized(report.output, report.output_shape, report.output_rank, report.output_dtype);
  if (report.banks.size() == 1)
    line += "; " + bank_text(report.banks.front());
  else
    line += "; network " + printable(report.kernel_name) + " of " + std::to_string(report.banks.size()) + " layers";
  if (!report.layer_outputs.empty()) {
    line += "; layers " + printable(report.layer_outputs.front());
    if (report.layer_outputs.size() > 1) line += " to " + printable(report.layer_outputs.back());
  }
  if (report.edges) line += edges_text(*report.edges);
  line += mapping_text(report);
  if (report.dry_run) {
    line += "; dry run, nothing written";
  } else {
    const ResponseStats& stats = report.stats;
    if (stats.min <= stats.max) line += ", response " + short_number(stats.min) + " to " + short_number(stats.max);
    if (const std::optional<double> mean = stats.mean(); mean && std::isfinite(*mean))
      line += ", mean " + short_number(*mean);
    line += ", clipped " + std::to_string(stats.clipped_low) + " low " + std::to_string(stats.clipped_high) + " high";
    if (stats.nan_count > 0) line += ", NaN " + std::to_string(stats.nan_count);
  }
  if (!verbose) return line;
  for (const BankReport& bank : report.banks) {
    if (report.banks.size() > 1) line += "\n  " + bank_text(bank);
    line += "\n  " + to_string(bank.problem) + "; " + bank.algorithm + ", " + bank.instruction_set + ", " +
            std::to_string(bank.threads) + (bank.threads == 1 ? " thread" : " threads");
  }
  if (report.edges) line += verbose_edges(*report.edges, report.input_dtype);
  if (!report.dry_run) {
    line += "\n  decode " + short_number(report.decode_seconds) + " s, convolve " +
            short_number(report.convolve_seconds) + " s, encode " + short_number(report.encode_seconds) + " s";
  }
  return line;
}

std::string to_json(const RunReport& report) {
  constexpr const char* kStatuses[] = {"ok", "skipped", "error"};
  ordered_json object;
  object["version"] = 1;
  object["input"] = report.input;
  object["output"] = report.output.empty() ? ordered_json(nullptr) : ordered_json(report.output);
  object["status"] = kStatuses[static_cast<int>(report.status)];
  if (report.status == RunReport::Status::ok) put_run(report, object);
  object["memory_needed"] = report.memory ? ordered_json(*report.memory) : ordered_json();
  object["warnings"] = ordered_json::array();
  for (const Remark& warning : report.warnings) object["warnings"].push_back(warning.text);
  if (report.status == RunReport::Status::error) {
    object["error"] = {{"kind", to_string(report.error_kind)}, {"message", report.error_message}};
  }
  // File names need not be UTF-8; JSON must be.
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace convtool
