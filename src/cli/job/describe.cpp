#include "cli/job/describe.h"

#include <algorithm>
#include <utility>

#include "report/clip_remark.h"
#include "report/scaling_remark.h"

namespace convtool {
namespace {

BankReport describe_bank(const Bank& bank, const BankPlan& plan) {
  const Layer& first = bank.layers.front();
  const bool is_upsampled = is_upsampling(first.enlarging);
  const ConvProblem& problem = plan.problem();
  BankReport report{.name = bank.name,
                    .kernel_shape = is_upsampled           ? std::vector{problem.stride.h, problem.stride.w}
                                    : first.pool.is_global ? std::vector{problem.kernel.kh, problem.kernel.kw}
                                                           : first.dimensions(),
                    .per_channel = first.rank == 2,
                    .kind = first.kind_text(),
                    .pooling = first.pooling,
                    .is_upsampling = is_upsampled,
                    .activation = first.activation == Activation::none
                                      ? ""
                                      : activation_text(first.activation, first.activation_numbers),
                    .add = first.add,
                    .from = first.from,
                    .problem = problem,
                    .combine = bank.combine,
                    .algorithm = plan.algorithm(),
                    .instruction_set = std::string(instruction_set_in_use()),
                    .threads = plan.threads()};
  if (bank.layers.size() > 1)
    report.kernel_shape.insert(report.kernel_shape.begin(), static_cast<std::int64_t>(bank.layers.size()));
  report.mixed = std::any_of(bank.layers.begin(), bank.layers.end(), [&](const Layer& layer) {
    return layer.rank != first.rank || layer.shape != first.shape || layer.params != first.params;
  });
  return report;
}

std::vector<FoldedReport> describe_folding(const FoldedPlan& folded) {
  std::vector<FoldedReport> reports;
  std::size_t layer = 1;
  for (std::size_t i = 0; i < folded.folding.counts.size(); ++i) {
    const std::size_t count = folded.folding.counts[i];
    if (count > 1)
      reports.push_back({.first = layer,
                         .last = layer + count - 1,
                         .bank = describe_bank(folded.folding.network.banks[i], folded.plan.banks()[i])});
    layer += count;
  }
  return reports;
}

EdgeReport describe_edges(const EdgeRecipe& recipe, const Job& job, const std::optional<Outcome>& outcome) {
  EdgeReport report{.recipe = recipe,
                    .channels = job.plan->kernels().banks().front().problem().input.c,
                    .result = outcome && outcome->result.edges ? *outcome->result.edges : EdgeResult{}};
  if (!outcome && recipe.hysteresis && recipe.hysteresis->source == ThresholdRule::Source::response)
    report.result.thresholds = Thresholds{recipe.hysteresis->low, recipe.hysteresis->high};
  return report;
}

void describe_sheet(const Job& job, const FilterSpec& spec, RunReport& report) {
  const Destination& destination = job.destination;
  if (!destination.is_sheet && destination.sheet.empty()) return;
  const SheetLayout layout = sheet_layout(job.plan->output_shape(), *spec.sheet);
  const Shape shape{.n = 1, .c = 3, .h = layout.height, .w = layout.width};
  report.sheet = SheetReport{.output = destination.is_sheet ? destination.path : destination.sheet,
                             .shape = shape,
                             .result = job.plan->output_shape(),
                             .result_dtype = DType::f32,
                             .tiles = layout.tiles,
                             .columns = layout.columns,
                             .reduced = layout.reduced};
  if (!destination.is_sheet) return;
  report.output_shape = shape;
  report.output_dtype = DType::u8;
}

void describe_job(const Job& job, const std::optional<Outcome>& outcome, const FilterSpec& spec, RunReport& report) {
  report.input_shape = job.input_shape;
  report.rank = job.input_rank;
  report.input_dtype = job.input_dtype;
  report.output_shape = job.shape;
  report.output_dtype = job.dtype;
  report.responses = job.plan->output_shape().count();
  if (job.map_matters) report.mapping = job.mapping;
  report.kernel_name = spec.network.name;
  report.scaling = spec.scaling;
  report.layer_outputs = job.destination.layers;
  report.layer_sheets = job.destination.layer_sheets;
  describe_sheet(job, spec, report);
  const EdgeRecipe* recipe = job.plan->recipe();
  if (recipe != nullptr) report.edges = describe_edges(*recipe, job, outcome);
  for (std::size_t i = 0; i < spec.network.banks.size(); ++i)
    report.banks.push_back(describe_bank(spec.network.banks[i], job.plan->kernels().banks()[i]));
  if (const FoldedPlan* folded = job.plan->folded()) report.folded = describe_folding(*folded);
}

}  // namespace

RunReport describe(const Attempt& attempt, const FilterSpec& spec) {
  RunReport report{.input = attempt.input, .part = attempt.part, .output = attempt.output};
  if (attempt.skipped) report.status = RunReport::Status::skipped;
  report.skipped = attempt.skipped;
  report.memory = attempt.memory;
  report.warnings = attempt.warnings;
  report.dry_run = !attempt.outcome;
  if (attempt.job) {
    describe_job(*attempt.job, attempt.outcome, spec, report);
    if (attempt.job->repeats_grey)
      report.warnings.push_back({"is grey, which is repeated to the three channels that the network takes", true});
    if (auto remark = scaling_remark(spec.network, spec.scaling, report.input_dtype, attempt.largest))
      report.warnings.push_back(std::move(*remark));
  }
  report.frames = attempt.frames;
  report.largest = attempt.largest;
  if (attempt.frames) report.responses = *attempt.frames * attempt.frame_responses;
  report.decode_seconds = attempt.decode_seconds;
  if (attempt.outcome) {
    report.stats = attempt.outcome->result.stats;
    report.convolve_seconds = attempt.outcome->convolve_seconds;
    report.decode_seconds += attempt.outcome->decode_seconds;
    report.encode_seconds = attempt.outcome->encode_seconds + attempt.write_seconds;
    const bool is_intended = spec.map == OutputMap::clip;
    if (auto remark = clip_remark(report, spec.network); remark && !is_intended)
      report.warnings.push_back(std::move(*remark));
  }
  return report;
}

}  // namespace convtool
