#include "cli/commands/explain/traced_run.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "cli/batch/memory/machine_memory.h"
#include "cli/commands/shape/input_shape.h"
#include "cli/job/forecast.h"
#include "cli/job/job.h"
#include "cli/job/run_job.h"
#include "core/largest.h"
#include "core/text.h"
#include "network/outline.h"
#include "network/residual.h"
#include "tensors/tensor_text.h"

namespace convtool {
namespace {

bool is_file(const std::string& text) {
  std::error_code ignored;
  return text == "-" || std::filesystem::exists(text, ignored);
}

bool is_shape(const std::string& text) { return text.find_first_not_of("0123456789x") == std::string::npos; }

bool is_tensor(const std::string& text) { return looks_like_tensor_text(std::as_bytes(std::span(text))); }

/// The name and format that apply would give the result.
Destination default_destination(const ExplainedInput& input, const FilterSpec& spec) {
  const bool has_name = input.name != "-" && is_file(input.name);
  const std::string name = has_name ? input.name : "input" + input.source->format.extension();
  return name_outputs({{.path = name, .folder = {}}}, {}, spec.network).front();
}

/// Throws Error(memory) where the responses of all layers, which are kept, and those that are being computed would not
/// fit into the machine's memory.
void check_memory(const Forecast& forecast) {
  double values = 0, most = 0;
  for (const Shape& shape : forecast.responses) {
    const double own = static_cast<double>(shape.n * shape.c) * static_cast<double>(shape.h * shape.w);
    values += own;
    most = std::max(most, own);
  }
  constexpr double kMebibyte = 1 << 20;
  const double bytes = (values + most) * static_cast<double>(size_of(DType::f32));
  const auto limit = static_cast<double>(default_memory_limit());
  if (bytes > limit)
    throw Error(ErrorKind::memory, "",
                "the responses of all layers, which are kept, need " + fixed_text(bytes / kMebibyte, 0) +
                    " MiB of memory (at most " + fixed_text(limit / kMebibyte, 0) +
                    " may be used); crop the input, or explain fewer layers or channels");
}

Job plan_explained(const ExplainedInput& input, const FilterSpec& spec) {
  const Source& source = *input.source;
  const SourceHeader header{
      .format = source.format, .shape = source.shape, .rank = source.rank(), .dtype = source.dtype()};
  const Forecast forecast = make_forecast(header, spec);
  check_memory(forecast);
  Destination destination = final_name(default_destination(input, spec), header, forecast, spec);
  const SourceTraits traits = source.traits(spec.alpha);
  try {
    return plan_job(traits, destination, spec);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::shape || destination.format->is_tensor()) throw;
    destination.format = find_file_format("npy");
    try {
      return plan_job(traits, destination, spec);
    } catch (const Error&) {
      throw Error(error);  // the picture's reason is the one to report
    }
  }
}

/// Keeps copies of the responses of each layer.
LayerObserver response_keeper(std::vector<Tensor>& kept, const FilterSpec& spec) {
  return [&kept, &spec](std::size_t, const ConstTensorRef& responses) {
    Tensor& copy = kept.emplace_back(DType::f32, responses.shape);
    identity_plan(DType::f32, responses.shape, spec.plan).run(responses, copy.ref(), {});
  };
}

/// The range that `mapping` needs, of the responses of the last layer.
ResponseStats measured_range(const Mapping& mapping, const ResponseStats& stats, const Tensor& responses) {
  if (!mapping.percentiles) return stats;
  const auto* const first = responses.data<float>();
  std::vector<float> values(first, first + responses.shape().count());
  return percentile_range(values, *mapping.percentiles);
}

/// The largest of the error bounds of a layer's plans, for each layer. Two doubles that differ in their last bit may
/// round to neighbouring floats, 2^-23 apart where they are 1: the means of a pool, which can be added up in any order,
/// and sums of two addends that differ by less.
std::vector<double> error_bounds(const NetworkPlan& plan, const Network& network, const Trace::Numbers& numbers) {
  constexpr double kNeighbours = 0x1p-23;
  const std::vector<std::optional<std::size_t>> addends = addends_of(network), sources = sources_of(network);
  std::vector<double> bounds;
  for (std::size_t i = 0; i < network.banks.size(); ++i) {
    const ConstTensorRef& input = i == 0 ? numbers.input : numbers.responses[sources[i].value_or(i - 1)];
    const BankPlan& bank = plan.banks()[i];
    double most = 0;
    if (addends[i]) {
      const double largest = largest_magnitude(input, 0) + largest_magnitude(numbers.responses[*addends[i]], 0);
      most = bank.plans().front().error_bound_of_picture(largest) + kNeighbours * largest;
    } else {
      for (const ConvPlan& own : bank.plans()) most = std::max(most, own.error_bound(input));
      const Layer& first = network.banks[i].layers.front();
      if (first.is_window_pool() && !first.is_max_pool()) most = kNeighbours * largest_magnitude(input, 0);
    }
    bounds.push_back(most);
  }
  return bounds;
}

/// The shapes of the layers of `trace`, whose input has no numbers. Throws Error(shape) where they do not fit.
void trace_shapes(Trace& trace) {
  const std::vector<std::optional<std::size_t>> addends = addends_of(trace.network),
                                                sources = sources_of(trace.network);
  for (std::size_t i = 0; i < trace.network.banks.size(); ++i) {
    Bank& bank = trace.network.banks[i];
    const Shape shape = i == 0 ? trace.input : trace.banks[sources[i].value_or(i - 1)].output;
    if (addends[i]) check_sum(bank.layers.front().add, trace.banks[*addends[i]].output, shape);
    bank = fitted(std::move(bank), shape);
    trace.banks.push_back(bank_geometry(bank, DType::f32, shape));
  }
}

void run_traced(const Job& job, const FilterSpec& spec, TracedRun& run) {
  TensorRef output;
  if (job.format().is_tensor()) {
    output = run.result.emplace<Tensor>(job.dtype, job.shape).ref();
  } else {
    output = run.result.emplace<Image>(job.dtype, *job.pixels, job.shape.h, job.shape.w).all();
  }
  const PlanResult result =
      filter_source(job, *run.source, std::nullopt, spec, response_keeper(run.responses, spec), output);
  Trace::Numbers& numbers = run.trace.numbers.emplace();
  numbers.input = run.source->filtered_part(spec.alpha);
  for (const Tensor& responses : run.responses) numbers.responses.push_back(responses.ref());
  numbers.error_bounds = error_bounds(job.plan->kernels(), run.trace.network, numbers);
  numbers.stored = output.channels(0, job.shape.c - (job.alpha_kept ? 1 : 0));
  numbers.mapping = job.mapping;
  numbers.map_matters = job.map_matters;
  numbers.map_is_automatic = is_integer(job.dtype) && spec.given_map() == OutputMap::automatic && !spec.scaling;
  numbers.measured = measured_range(job.mapping, result.stats, run.responses.back());
}

}  // namespace

ExplainedInput read_explained_input(const std::string& text, std::int64_t max_pixels, PictureDecoder& decoder) {
  if (!is_file(text) && is_shape(text)) {
    const InputShape shape = read_input_shape(text);
    return {.name = text, .source = std::nullopt, .shape = shape.shape, .rank = shape.rank};
  }
  if (!is_file(text) && is_tensor(text)) return {.name = text, .source = text_source(text)};
  try {
    return {.name = text, .source = read_source(read_input(text), text, max_pixels, decoder)};
  } catch (const Error& error) {
    throw Error(error.kind(), error.where().empty() ? text : "", error.what());
  }
}

TracedRun trace_run(ExplainedInput input, const FilterSpec& spec) {
  TracedRun run;
  run.trace.name = input.name;
  run.trace.network = spec.network;
  run.trace.flip = spec.flip;
  if (!input.source) {
    run.trace.rank = input.rank;
    run.trace.input = input.shape;
    trace_shapes(run.trace);
    return run;
  }
  if (spec.makes_grey()) input.source->make_grey();
  if (spec.alpha == AlphaRule::premultiply && input.source->has_alpha())
    refuse_usage("--alpha", "premultiply divides colours by the filtered alpha, which is not explained; choose keep");
  const Job job = plan_explained(input, spec);
  if (job.repeats_grey) run.trace.network.banks.front() = *spec.grey_scaling;
  run.source = std::move(input.source);
  run.trace.rank = job.input_rank;
  run.trace.input = run.source->filtered_part(spec.alpha).shape;
  for (const BankPlan& bank : job.plan->kernels().banks()) run.trace.banks.push_back(bank.geometry());
  run_traced(job, spec, run);
  return run;
}

}  // namespace convtool
