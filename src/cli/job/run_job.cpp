#include "cli/job/run_job.h"

#include <span>
#include <tuple>

#include "cli/job/output_file.h"
#include "core/stopwatch.h"
#include "network/alpha.h"

namespace convtool {
namespace {

void write_layer(const std::string& path, std::span<const std::byte> bytes, bool keeps_existing,
                 const OutputCheck& check) {
  check(path);
  create_folder_of(path);
  if (!keeps_existing)
    write_file(path, bytes);
  else
    std::ignore = write_new_file(path, bytes);
}

/// The file of the sheet of `responses`, f32. With `surveys`, also a survey of it where they are wanted.
Bytes encode_sheet(const ConstTensorRef& responses, const FileFormat& format, const FilterSpec& spec,
                   Surveys* surveys = nullptr) {
  Image sheet = paint_sheet(responses, sheet_layout(responses.shape, *spec.sheet), *spec.sheet, spec.plan.threads);
  if (surveys != nullptr && surveys->options) surveys->sheet = survey(sheet.all(), sheet.format(), *surveys->options);
  return encode_image(std::move(sheet), *format.picture, spec.encode, {});
}

/// Writes each layer's responses to its file, as f32, and their sheet; nothing without files.
LayerObserver layer_writer(const Job& job, const Source& source, const FilterSpec& spec, bool keeps_existing,
                           const OutputCheck& check) {
  const Destination& files = job.destination;
  if (files.layers.empty()) return {};
  return [&files, &source, &spec, keeps_existing, &check](std::size_t bank, const ConstTensorRef& responses) {
    if (const std::string& path = files.layers[bank]; !keeps_existing || !exists(path)) {
      NpyFile file = new_npy(responses.shape, result_rank(responses.shape, source.rank()));
      identity_plan(DType::f32, responses.shape, spec.plan).run(responses, file.values(), {});
      write_layer(path, file.bytes, keeps_existing, check);
    }
    if (files.layer_sheets.empty()) return;
    if (const std::string& path = files.layer_sheets[bank]; !keeps_existing || !exists(path))
      write_layer(path, encode_sheet(responses, *find_file_format("png"), spec), keeps_existing, check);
  };
}

/// The bank whose responses survey_responses() can compute once more, or null.
const BankPlan* surveyed_bank(const Job& job) {
  const BankPlan* bank = job.plan->only_bank();
  return bank != nullptr && bank->has_bands() ? bank : nullptr;
}

/// layer_writer(), which for other plans also surveys the responses of the last bank.
LayerObserver observer_of(const Job& job, const Source& source, const FilterSpec& spec, bool keeps_existing,
                          const OutputCheck& check, Surveys& surveys) {
  LayerObserver writer = layer_writer(job, source, spec, keeps_existing, check);
  if (!surveys.options || surveyed_bank(job) != nullptr) return writer;
  return [writer, &job, &surveys](std::size_t bank, const ConstTensorRef& responses) {
    if (writer) writer(bank, responses);
    if (bank + 1 < job.plan->kernels().banks().size()) return;
    SurveyOptions options = *surveys.options;
    options.side = 0;
    surveys.responses = survey(responses, std::nullopt, options);
  };
}

/// Surveys the output, and responses that observer_of() has not surveyed.
void survey_result(const Job& job, const Source& source, const FilterSpec& spec, const TensorRef& output,
                   Surveys& surveys) {
  surveys.after = survey(output, pixels_of(job), *surveys.options);
  const BankPlan* bank = surveyed_bank(job);
  if (bank == nullptr) return;
  const ConstTensorRef input = source.filtered_part(spec.alpha);
  surveys.responses = survey_responses(*bank, source.traits(spec.alpha).channels_last, rows_of(input),
                                       spec.plan.threads, *surveys.options);
}

}  // namespace

PlanResult filter_source(const Job& job, const Source& source, const std::optional<Image>& picture,
                         const FilterSpec& spec, const LayerObserver& observer, const TensorRef& output) {
  const std::int64_t filtered = job.shape.c - (job.alpha_kept ? 1 : 0);
  const PlanResult result = job.plan->run({.input = source.filtered_part(spec.alpha),
                                           .picture = picture ? ConstTensorRef(picture->colour()) : ConstTensorRef(),
                                           .output = output.channels(0, filtered),
                                           .mapping = job.mapping,
                                           .observer = observer});
  if (job.alpha_kept) {
    std::vector<BankGeometry> banks;
    for (const BankPlan& bank : job.plan->kernels().banks()) banks.push_back(bank.geometry());
    const ReceptiveField field = receptive_field_of(spec.network, banks);
    resample_alpha(*source.image().alpha(), field, output.channels(filtered, 1));
  }
  return result;
}

Outcome run_job(const Job& job, std::optional<Source> source, std::optional<Image> picture, const FilterSpec& spec,
                bool keeps_existing, const OutputCheck& check, Surveys& surveys) {
  Outcome outcome;
  const auto run_into = [&](const TensorRef& output) {
    const Stopwatch watch;
    outcome.result = filter_source(job, *source, picture, spec,
                                   observer_of(job, *source, spec, keeps_existing, check, surveys), output);
    outcome.convolve_seconds = watch.seconds();
    if (surveys.options) survey_result(job, *source, spec, output, surveys);
    if (!job.destination.sheet.empty()) {
      const Stopwatch again;
      Tensor responses(DType::f32, job.plan->output_shape());
      job.plan->run({.input = source->filtered_part(spec.alpha), .output = responses.ref(), .mapping = {}});
      outcome.sheet = encode_sheet(std::as_const(responses).ref(), *job.destination.sheet_format, spec, &surveys);
      outcome.convolve_seconds += again.seconds();
    }
    source.reset();
    picture.reset();
  };
  const auto encode = [&](const auto& encoder) {
    const Stopwatch watch;
    outcome.bytes = encoder();
    outcome.encode_seconds = watch.seconds();
  };

  if (job.destination.is_sheet) {
    Tensor responses(job.dtype, job.shape);
    run_into(responses.ref());
    encode([&] { return encode_sheet(std::as_const(responses).ref(), job.format(), spec, &surveys); });
  } else if (!job.format().is_tensor()) {
    Image image(job.dtype, *job.pixels, job.shape.h, job.shape.w);
    run_into(image.all());
    encode([&] { return encode_image(std::move(image), *job.format().picture, spec.encode, job.metadata); });
  } else if (job.format().kind == FileFormat::Kind::npy) {
    NpyFile file = new_npy(job.shape, job.tensor_rank);
    run_into(file.values());
    outcome.bytes = std::move(file.bytes);
  } else {
    RankedTensor tensor{.tensor = Tensor(job.dtype, job.shape), .rank = job.tensor_rank};
    run_into(tensor.tensor.ref());
    encode([&] { return format_tensor_json(tensor, spec.tensor_text); });
  }
  return outcome;
}

}  // namespace convtool
