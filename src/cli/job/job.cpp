#include "cli/job/job.h"

#include <algorithm>
#include <span>
#include <string>

#include "cli/job/result_format.h"
#include "network/input_scaling.h"

namespace convtool {
namespace {

/// Channels of OutputMap::signs. Throws unless there is one response to show, in a type that can show it.
std::int64_t channels_of_signs(const Shape& response, DType dtype, const FileFormat& format, bool is_grey_possible,
                               const Bank& last) {
  const bool is_combinable = last.layers.size() > 1 && last.combine == Combine::none;
  if (response.c != 1)
    refuse_shape("", "--map signed shows one channel in two colours (got " + std::to_string(response.c) +
                         " channels); " +
                         (is_grey_possible ? "add --gray"
                          : is_combinable  ? "combine them with --combine, or write them as tiles with --sheet FILE.png"
                                           : "write them as tiles, in the same colours, with --sheet FILE.png"));
  if (!is_integer(dtype))
    refuse_shape("", std::string("--map signed writes colours of 8 or 16 bits (got f32); ") +
                         (format.is_tensor() ? "write a picture such as .png" : "choose --depth u8"));
  return kSignChannels;
}

Mapping choose_mapping(const FilterSpec& spec, DType dtype) {
  // Scaled pixels are small numbers on both sides of 0, and so are responses to them.
  const bool is_scaled = spec.scaling && changes_values(*spec.scaling);
  const bool fits_range = is_scaled && is_integer(dtype) && spec.given_map() == OutputMap::automatic && !spec.threshold;
  const std::span banks = std::span(spec.network.banks).subspan(spec.scaling ? 1 : 0);
  Mapping mapping = fits_range ? OutputMap::normalize : resolve_map(spec.given_map(), banks, dtype);
  mapping.is_unitless = is_scaled;
  mapping.zero = spec.signed_zero.value_or(SignedZero::white);
  mapping.percentiles = spec.percentiles;
  mapping.threshold = spec.threshold;
  if (mapping.threshold) mapping.gain = 1;
  if (spec.signed_zero && mapping.map != OutputMap::signs && !spec.sheet)
    refuse_shape("", "--signed-zero is the colour of 0 with --map signed (the map is " +
                         std::string(to_string(mapping.map)) + "); leave it out, or add --map signed");
  if (mapping.threshold && mapping.map != OutputMap::clip && mapping.map != OutputMap::abs)
    refuse_shape("", "--threshold needs --map clip or abs (the kernel file asks for " +
                         std::string(to_string(mapping.map)) + "); add one of them");
  return mapping;
}

Remedies remedies_for(const FilterSpec& spec) {
  const Bank& bank = spec.network.banks.back();
  const std::optional<EdgeRecipe>& recipe = spec.edges;
  const char* const channels = spec.given_map() == OutputMap::signs ? "choose another --map"
                               : recipe                             ? "choose another --output-kind"
                                                                    : "choose a kernel with one channel of output";
  if (!recipe)
    return {.combine = bank.layers.size() > 1 && bank.combine == Combine::none,
            .layers = spec.dumps_layers,
            .channels = channels};
  Remedies remedies{.combine = false, .sheet = false, .channels = channels};
  if (recipe->is_signed())
    remedies.range = recipe->kind == EdgeKind::orientation ? ", or choose --angle wheel" : "";
  else if (!recipe->is_mapped())
    remedies.range = ", or choose --depth u8";
  return remedies;
}

/// Throws Error(shape) if a sheet of the result, or of a layer, would be too large.
void check_sheets(const Plan& plan, const Destination& destination, const SheetOptions& options) {
  if (destination.is_sheet || !destination.sheet.empty()) sheet_layout(plan.output_shape(), options);
  if (destination.layer_sheets.empty()) return;
  for (const BankPlan& bank : plan.kernels().banks()) sheet_layout(bank.output_shape(), options);
}

/// The formats of all files that are written, the output's first.
std::vector<FileFormat> formats_of(const Destination& destination) {
  std::vector<FileFormat> formats = {*destination.format};
  if (destination.sheet_format) formats.push_back(*destination.sheet_format);
  if (!destination.layer_sheets.empty()) formats.push_back(*find_file_format("png"));
  return formats;
}

}  // namespace

int result_rank(const Shape& result, int rank) { return result.c == 1 ? rank : std::max(rank, 3); }

void add_remarks(const Destination& destination, const FilterSpec& spec, std::vector<Remark>& remarks) {
  if (!destination.remark.empty()) remarks.push_back({destination.remark});
  if (destination.follows_input)
    for (const std::string& text : options_without_effect(formats_of(destination), spec.encode, spec.tensor_text))
      remarks.push_back({text, true});
}

void keep_metadata(PictureMetadata metadata, const FilterSpec& spec, Job& job, std::vector<Remark>& remarks) {
  if (spec.strips_metadata || job.destination.is_sheet) return;  // a sheet is another picture
  if (job.format().is_tensor()) return;                          // it has numbers alone, as everybody expects
  job.metadata = std::move(metadata);
  fit_metadata(job.metadata, job.format().name(), job.pixels, remarks);
}

Job plan_job(const SourceTraits& source, const Destination& destination, const FilterSpec& spec) {
  // The tiles of a sheet are painted from responses, which are kept as a tensor is.
  const FileFormat format = destination.is_sheet ? *find_file_format("npy") : *destination.format;
  if (format.is_video() != source.format.is_video())
    refuse_shape("", source.format.is_video()
                         ? "a video is written as y4m only (got " + std::string(format.name()) +
                               "); name the output .y4m, or convert it, for example with ffmpeg"
                         : "y4m stores a video, and the input is " + std::string(source.format.name()) +
                               "; write a picture such as .png");
  if (spec.planes && !source.format.is_video()) refuse_shape("", "--planes applies to videos (.y4m); leave it out");
  std::unique_ptr<Plan> plan = make_plan(source, format, spec);
  std::optional<EdgeRecipe> recipe;
  if (plan->recipe() != nullptr) recipe = *plan->recipe();
  const DType dtype = result_dtype(source.dtype, format, given_depth(spec, recipe), spec.is_map_given());
  const Mapping mapping = destination.is_sheet ? Mapping() : choose_mapping(spec, dtype);
  if (spec.sheet) check_sheets(*plan, destination, *spec.sheet);
  Shape shape = plan->output_shape();
  if (mapping.map == OutputMap::signs)
    shape.c = channels_of_signs(shape, dtype, format,
                                !source.is_tensor() && source.filtered.c > 1 && keeps_channels(spec.network),
                                spec.network.banks.back());

  const bool alpha_kept = source.has_alpha && spec.alpha == AlphaRule::keep && !destination.is_sheet;
  const bool filters_alpha =
      source.has_alpha && (spec.alpha == AlphaRule::filter || spec.alpha == AlphaRule::premultiply);
  const std::optional<PixelFormat> pixels =
      result_pixels({.count = shape.c,
                     .are_colours = mapping.map == OutputMap::signs ||
                                    has_colours(!source.is_tensor() && source.shape.c > 2, spec, recipe),
                     .alpha_kept = alpha_kept,
                     .alpha_filtered = filters_alpha && keeps_channels(spec.network) && shape.c == source.filtered.c});
  check_holds(format, shape, dtype, pixels, alpha_kept, remedies_for(spec));
  if (!destination.as_input && !destination.follows_input)
    check_encoding(formats_of(destination), spec.encode, spec.tensor_text);
  shape.c += alpha_kept ? 1 : 0;
  const bool map_matters =
      (!recipe || recipe->is_mapped()) && (spec.is_map_given() || is_integer(dtype)) && !destination.is_sheet;
  return {.plan = std::move(plan),
          .destination = destination,
          .input_shape = source.shape,
          .input_rank = source.rank,
          .input_dtype = source.dtype,
          .shape = shape,
          .dtype = dtype,
          .pixels = pixels,
          .alpha_kept = alpha_kept,
          .mapping = mapping,
          .map_matters = map_matters,
          .repeats_grey = spec.repeats_grey(source.filtered.c, source.format),
          .tensor_rank = result_rank(shape, source.rank)};
}

Job JobPlanner::plan(const SourceTraits& source, const Destination& destination, const FilterSpec& spec) {
  const std::lock_guard lock(mutex_);
  const bool is_same = last_ && last_->source == source && last_->job.destination.format == destination.format;
  if (!is_same) last_ = Planned{.source = source, .job = plan_job(source, destination, spec)};
  Job job = last_->job;
  job.destination = destination;
  return job;
}

std::int64_t planned_threads_memory(const SourceHeader& header, const Destination& destination, const FilterSpec& spec,
                                    JobPlanner& planner) {
  try {
    return threads_memory(*planner.plan(header.traits(spec.alpha, spec.makes_grey()), destination, spec).plan);
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace convtool
