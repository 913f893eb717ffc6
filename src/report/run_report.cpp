#include "report/run_report.h"

#include <algorithm>
#include <cmath>

#include "core/printable.h"
#include "core/text.h"
#include "edges/canny.h"
#include "report/weights_text.h"

namespace convtool {
namespace {

std::string extent_text(const Extent& extent) {
  return extent.h == extent.w ? std::to_string(extent.h) : join_sizes({extent.h, extent.w});
}

std::string pads_text(const Pads& pads) {
  const bool even = pads.top == pads.bottom && pads.left == pads.right;
  return even ? extent_text({pads.top, pads.left})
              : std::to_string(pads.top) + "," + std::to_string(pads.left) + "," + std::to_string(pads.bottom) + "," +
                    std::to_string(pads.right);
}

std::string padding_text(const ConvProblem& problem) {
  if (problem.pads == Pads{}) return "0";
  std::string text = pads_text(problem.pads) + " " + std::string(to_string(problem.padding_mode));
  if (problem.padding_mode == PaddingMode::constant)
    text += " " + short_text(static_cast<double>(problem.padding_value), 6);
  return text;
}

/// "edge 3x3", "max pool 2x2", "bilinear upsampling by 2x2".
std::string kernel_text(const BankReport& bank) {
  if (bank.mixed) return printable(bank.name);
  if (!bank.add.empty()) return "sum with '" + printable(bank.add) + "'";
  const std::string name = bank.kind.empty() ? printable(bank.name) : bank.kind;
  return name + (bank.is_upsampling ? " by " : " ") + join_sizes(bank.kernel_shape);
}

/// Whether a bank slides windows over its input, which have strides and padding.
bool has_windows(const BankReport& bank) { return bank.add.empty() && !bank.is_upsampling; }

/// The options of a bank that change the size or the channels, if they are not the defaults: "stride 2", "groups 3".
std::vector<std::string> option_items(const BankReport& bank) {
  const ConvProblem& problem = bank.problem;
  std::vector<std::string> items;
  if (!has_windows(bank)) return items;
  if (problem.stride != Extent{}) items.push_back("stride " + extent_text(problem.stride));
  if (bank.mixed) return items;
  if (problem.dilation != Extent{}) items.push_back("dilation " + extent_text(problem.dilation));
  if (problem.groups > 1 && !bank.per_channel) items.push_back("groups " + std::to_string(problem.groups));
  return items;
}

/// Every option of a bank: "kernel edge 3x3, stride 1, padding 1 replicate".
std::string bank_text(const BankReport& bank) {
  const ConvProblem& problem = bank.problem;
  std::string text = (bank.kind.empty() ? bank.mixed ? "kernels " : "kernel " : "") + kernel_text(bank);
  if (has_windows(bank)) text += ", stride " + extent_text(problem.stride);
  if (!bank.mixed && has_windows(bank)) {
    text += ", padding " + padding_text(problem);
    if (problem.dilation != Extent{}) text += ", dilation " + extent_text(problem.dilation);
    if (problem.groups > 1 && !bank.per_channel) text += ", groups " + std::to_string(problem.groups);
    if (bank.combine != Combine::none) text += ", combine " + std::string(kCombines[static_cast<int>(bank.combine)]);
  }
  if (!bank.from.empty()) text += ", from '" + printable(bank.from) + "'";
  if (!bank.activation.empty()) text += ", activation " + bank.activation;
  return text;
}

/// Two lines on a bank, with the algorithm unless it `is_folded` with others.
std::string verbose_bank(const BankReport& bank, bool is_folded) {
  const std::string algorithm =
      is_folded ? "folded" : bank.algorithm + ", " + bank.instruction_set + ", " + counted(bank.threads, "thread");
  return "\n  " + bank_text(bank) + "\n  " + to_string(bank.problem) + "; " + algorithm;
}

/// "map abs, threshold 100".
std::string mapping_text(const RunReport& report) {
  std::string text = "map " + std::string(map_name(report));
  if (!report.mapping) return text;
  if (report.mapping->gain != 1) text += " x" + short_text(report.mapping->gain, 6);
  if (report.mapping->map == OutputMap::signs && report.mapping->zero != SignedZero::white)
    text += " with " + std::string(kSignedZeros[static_cast<int>(report.mapping->zero)]) + " zero";
  if (const auto& percentiles = report.mapping->percentiles)
    text += " from percentile " + short_text((*percentiles)[0], 6) + " to " + short_text((*percentiles)[1], 6);
  if (const auto& threshold = report.mapping->threshold) text += ", threshold " + short_text(*threshold, 6);
  return text;
}

/// "thin magnitude", "color max", "thresholds 77 and 154 (Otsu)", "1234 edge pixels"; without the defaults.
std::vector<std::string> edge_items(const EdgeReport& edges) {
  const EdgeRecipe& recipe = edges.recipe;
  std::vector<std::string> items;
  if (recipe.thin || recipe.kind != EdgeKind::magnitude)
    items.push_back((recipe.thin ? "thin " : "") + std::string(kEdgeKinds[static_cast<int>(recipe.kind)]));
  if (recipe.kind == EdgeKind::orientation)
    items.back() += " in " + std::string(kAngleUnits[static_cast<int>(recipe.angle)]);
  if (recipe.color != ColorRule::luma)
    items.push_back("color " + std::string(kColorRules[static_cast<int>(recipe.color)]));
  if (const auto& thresholds = edges.result.thresholds) {
    items.push_back("thresholds " + short_text(thresholds->low, 6) + " and " + short_text(thresholds->high, 6));
    if (recipe.hysteresis->source != ThresholdRule::Source::response)
      items.back() += " (" + std::string(to_string(recipe.hysteresis->source)) + ")";
  }
  if (edges.result.edge_pixels) items.push_back(std::to_string(*edges.result.edge_pixels) + " edge pixels");
  return items;
}

/// The kernels' weights, and for a Canny detector its differences from OpenCV's.
std::string verbose_edges(const EdgeReport& edges, DType input_dtype) {
  std::string text;
  for (const Layer& layer : edges.recipe.kernels.layers) {
    text += "\n  " + printable(layer.name) + "\n" + weights_text(layer);
    text.pop_back();  // the last line's end
  }
  if (is_canny(edges.recipe)) text += "\n  " + difference_from_canny(edges.recipe, input_dtype, edges.channels);
  return text;
}

/// "12 (0.01 %)" of all responses.
std::string count_text(std::int64_t count, const RunReport& report) {
  const std::string text = std::to_string(count);
  return count == 0 ? text : text + " (" + share_text(count, report.responses) + ")";
}

/// "response -569 to 891, clipped 0 low, 1533 (0.21 %) high, mean 12.5".
std::string responses_text(const RunReport& report) {
  const ResponseStats& stats = report.stats;
  std::string text;
  if (stats.min <= stats.max) text += "response " + short_text(stats.min, 6) + " to " + short_text(stats.max, 6) + ", ";
  text +=
      "clipped " + count_text(stats.clipped_low, report) + " low, " + count_text(stats.clipped_high, report) + " high";
  if (const std::optional<double> mean = stats.mean(); mean && std::isfinite(*mean))
    text += ", mean " + short_text(*mean, 6);
  return text;
}

std::string timings_text(const RunReport& report) {
  return "decode " + short_text(report.decode_seconds, 6) + " s, convolve " + short_text(report.convolve_seconds, 6) +
         " s, encode " + short_text(report.encode_seconds, 6) + " s";
}

/// "3x478x638 u8".
std::string sized_text(const Shape& shape, int rank, DType dtype) {
  return join_sizes(sizes_of(shape, std::max(rank, 3))) + " " + std::string(to_string(dtype));
}

/// "sheet s.png of 8 tiles in 4 columns"; or, of the output itself, "sheet of 8 tiles in 4 columns, showing 8x98x98
/// f32".
std::string sheet_text(const SheetReport& sheet, const RunReport& report) {
  const bool is_output = report.sheet_is_output();
  std::string text = "sheet " + (is_output ? std::string() : printable(sheet.output) + " ") + "of " +
                     counted(sheet.tiles, "tile") + " in " + counted(sheet.columns, "column");
  if (is_output) text += ", showing " + sized_text(sheet.result, report.rank, sheet.result_dtype);
  if (sheet.reduced > 1) text += ", reduced to 1/" + std::to_string(sheet.reduced);
  return text;
}

/// "input scale 0.00392157, mean 0.5, std 0.25, bgr"; without the defaults.
std::vector<std::string> scaling_items(const InputScaling& scaling) {
  std::vector<std::string> items;
  if (scaling.scale != 1) items.push_back("scale " + short_text(scaling.scale, 6));
  if (!scaling.mean.empty()) items.push_back("mean " + join_numbers(scaling.mean));
  if (!scaling.deviation.empty()) items.push_back("std " + join_numbers(scaling.deviation));
  if (scaling.order != ChannelOrder::rgb) items.emplace_back(kChannelOrders[static_cast<int>(scaling.order)]);
  if (items.empty()) return items;
  items.front() = "input " + items.front();
  return items;
}

/// The items of the first lines of a report, after the two names.
std::vector<std::string> summary_items(const RunReport& report) {
  std::vector<std::string> items;
  const std::size_t layers = report.banks.size() - (report.scaling ? 1 : 0);
  if (layers == 1) {
    items = option_items(report.banks.back());
    items.insert(items.begin(), kernel_text(report.banks.back()));
  } else {
    items = {"network " + printable(report.kernel_name) + " of " + std::to_string(layers) + " layers"};
  }
  if (report.scaling) {
    const std::vector<std::string> scaling = scaling_items(*report.scaling);
    items.insert(items.end(), scaling.begin(), scaling.end());
  }
  if (report.frames) items.push_back(counted(*report.frames, "frame"));
  if (!report.layer_outputs.empty())
    items.push_back("layers " + printable(report.layer_outputs.front()) +
                    (report.layer_outputs.size() > 1 ? " to " + printable(report.layer_outputs.back()) : ""));
  if (!report.layer_sheets.empty())
    items.push_back("their sheets " + printable(report.layer_sheets.front()) +
                    (report.layer_sheets.size() > 1 ? " to " + printable(report.layer_sheets.back()) : ""));
  if (report.sheet) items.push_back(sheet_text(*report.sheet, report));
  if (report.edges) {
    const std::vector<std::string> edges = edge_items(*report.edges);
    items.insert(items.end(), edges.begin(), edges.end());
  }
  if (report.mapping && (report.mapping->map != OutputMap::clip || report.mapping->threshold))
    items.push_back(mapping_text(report));
  if (report.dry_run) {
    items.emplace_back("dry run, nothing written");
    return items;
  }
  if (report.mapping)
    items.push_back("clipped " + count_text(report.stats.clipped_low + report.stats.clipped_high, report));
  if (report.stats.nan_count > 0) items.push_back("NaN " + std::to_string(report.stats.nan_count));
  return items;
}

/// "HEAD; ITEM, ITEM" on one line if it has at most kReportColumns, else the items on lines of their own, indented.
std::string wrapped(const std::string& head, const std::vector<std::string>& items) {
  std::string line;
  for (const std::string& item : items) line += (line.empty() ? "" : ", ") + item;
  if (head.size() + 2 + line.size() <= kReportColumns) return head + "; " + line;

  std::string text = head + ";";
  line = "\n ";
  for (const std::string& item : items) {
    const bool is_first = line.size() == 2;
    if (!is_first && line.size() + 1 + item.size() > kReportColumns) {  // with a comma, without the newline
      text += line;
      line = "\n ";
    }
    line += " " + item + (&item == &items.back() ? "" : ",");
  }
  return text + line;
}

}  // namespace

std::string share_text(std::int64_t part, std::int64_t all) {
  const double percent = 100 * static_cast<double>(part) / static_cast<double>(all);
  return (percent < 9.95 ? short_text(percent, 2) : fixed_text(percent, 0)) + " %";
}

std::string InputPart::title() const {
  return kind == "picture" && number == 1 ? "" : std::string(kind) + " " + std::to_string(number);
}

std::string to_text(const RunReport& report, bool verbose) {
  const std::string part = report.part ? report.part->title() : "";
  const std::string input = report.input + (part.empty() ? "" : " " + part);
  if (report.status == RunReport::Status::skipped)
    return printable(input + " skipped: " + report.output +
                     (report.skipped == SkipReason::up_to_date ? " is up to date" : " exists"));
  std::string text = wrapped(printable(input) + " " + sized_text(report.input_shape, report.rank, report.input_dtype) +
                                 " -> " + printable(report.output) + " " +
                                 sized_text(report.output_shape, report.output_rank(), report.output_dtype),
                             summary_items(report));
  if (!verbose) return text;
  for (std::size_t i = 0; i < report.banks.size(); ++i) {
    const auto is_inside = [i](const FoldedReport& folded) { return folded.first <= i + 1 && i + 1 <= folded.last; };
    text += verbose_bank(report.banks[i], std::any_of(report.folded.begin(), report.folded.end(), is_inside));
  }
  for (const FoldedReport& folded : report.folded)
    text += "\n  layers " + std::to_string(folded.first) + " to " + std::to_string(folded.last) +
            " are folded into one:" + verbose_bank(folded.bank, false);
  if (report.edges) text += verbose_edges(*report.edges, report.input_dtype);
  text += "\n  " + mapping_text(report);
  if (!report.dry_run) text += ", " + responses_text(report) + "\n  " + timings_text(report);
  return text;
}

}  // namespace convtool
