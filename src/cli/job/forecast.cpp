#include "cli/job/forecast.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "cli/job/result_format.h"
#include "conv/weight_memory.h"
#include "network/network_plan.h"
#include "network/residual.h"
#include "pictures/decode_image.h"

namespace convtool {
namespace {

// Bytes are counted in double: the sum may exceed 64 bits.
constexpr double kFloat = size_of(DType::f32);

double pixels_of(const Shape& shape) {
  return static_cast<double>(shape.n) * static_cast<double>(shape.h) * static_cast<double>(shape.w);
}

double values_of(const Shape& shape) { return pixels_of(shape) * static_cast<double>(shape.c); }

/// Bytes of the responses that later banks add or read, while bank `i` runs: without its own input, unless that is
/// added to.
double kept_for_sums(const Forecast& forecast, std::size_t i) {
  double values = 0;
  for (std::size_t j = 0; j < i; ++j)
    if (forecast.last_uses[j] >= i && (j + 1 < i || forecast.adds[i])) values += values_of(forecast.responses[j]);
  if (forecast.adds[i] && forecast.sources[i])
    values += values_of(forecast.responses[*forecast.sources[i]]);  // the sum
  return kFloat * values;
}

/// Bytes kept in f32 between the stages: the responses of two banks at a time, and those that later banks add. With
/// --dump-layers and surveys also those of the last bank, with --dump-layers a copy of each as it is written.
double between_stages(const Forecast& forecast, const FilterSpec& spec) {
  const std::vector<Shape>& responses = forecast.responses;
  double bytes = 0;
  const bool dumps = spec.dumps_layers, keeps_last = dumps || spec.survey;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const bool is_kept = keeps_last || i + 1 < responses.size();  // else the last one is the result
    const double before = i > 0 ? values_of(responses[i - 1]) : 0, own = is_kept ? values_of(responses[i]) : 0;
    bytes = std::max(bytes, kFloat * (before + own) + kept_for_sums(forecast, i));
    if (dumps)
      bytes =
          std::max(bytes, kFloat * (2 * own + (i + 1 == responses.size() ? before : 0)) + kept_for_sums(forecast, i));
  }
  const Shape& last = responses.back();
  if (spec.edges) {
    // EdgePlan: the responses twice, three planes of strengths, three of colours or angles; for hysteresis a plane of
    // marks and a stack of places.
    bytes += kFloat * (2 * values_of(last) + 6 * pixels_of(last));
    if (spec.edges->hysteresis) bytes += 33 * pixels_of(last);
  }
  if (spec.percentiles) bytes += kFloat * values_of(last);
  if (spec.edges && spec.edges->brightness) bytes += kFloat * pixels_of(last);
  if (spec.alpha == AlphaRule::premultiply) bytes += kFloat * (values_of(forecast.filtered) + values_of(last));
  return bytes;
}

/// Bytes of the decoded picture while it is made grey, and of what is left of it while it is filtered.
struct HeldMemory {
  double making_grey, filtering;
};

HeldMemory held_memory(const SourceHeader& header, const FilterSpec& spec) {
  const double decoded = values_of(header.shape) * static_cast<double>(size_of(header.dtype));
  if (header.format.is_tensor() || header.shape.c <= 2 || !spec.makes_grey())
    return {.making_grey = decoded, .filtering = decoded};
  const double plane = pixels_of(header.shape) * static_cast<double>(size_of(header.dtype));
  const double grey = header.has_alpha() ? 2 * plane : plane, luma = header.has_alpha() ? plane : 0;
  const bool is_painted_on = spec.edges && spec.edges->kind == EdgeKind::overlay;
  return {.making_grey = decoded + luma + grey, .filtering = grey + (is_painted_on ? decoded : 0)};
}

/// The size of the stored result; nothing if planning will refuse it.
struct Result {
  double pixels = 0, bytes = 0;
  std::int64_t channels = 0;
  DType dtype = DType::u8;
};

Result find_result(const SourceHeader& header, const FileFormat& format, const Forecast& forecast,
                   const FilterSpec& spec) {
  const std::optional<ResultLayout> layout = forecast_result(header, format, forecast, spec);
  if (!layout) return {};
  return {.pixels = pixels_of(layout->shape),
          .bytes = values_of(layout->shape) * static_cast<double>(size_of(layout->dtype)),
          .channels = layout->shape.c,
          .dtype = layout->dtype};
}

/// Bytes that encoding takes in addition to the result. Files that grow by doubling are there twice while they grow.
double encoding_memory(const FileFormat& format, const Result& result) {
  switch (format.kind) {
    case FileFormat::Kind::npy: return 0;                  // computed where it is written from
    case FileFormat::Kind::json: return 8 * result.bytes;  // up to 16 characters a float
    case FileFormat::Kind::picture: break;
  }
  const std::string_view name = format.picture->name;
  if (name == "pfm") return result.bytes;
  if (name == "exr") return result.channels == 2 ? 2 * result.bytes : result.bytes;  // grey as R, G and B
  if (name == "tiff" && is_integer(result.dtype))
    return 3 * result.bytes;  // strips and the file; LZW makes of a byte of noise up to 12 bits
  // libwebp's lossless search takes up to 48 bytes a pixel (measured, with noise of a megapixel; fewer in larger ones).
  if (name == "webp") return 2 * result.bytes + 48 * result.pixels;
  if (name == "jpeg" && result.channels == 1) return 4 * result.bytes;  // strips and the file (write_jpeg.cpp)
  return 2 * result.bytes;  // of png: filtered rows or strips, compressed noise and the file
}

/// Bytes that decoding takes, the file and the decoded picture included.
double decoding_memory(const SourceHeader& header, std::int64_t file_bytes) {
  if (header.picture) return static_cast<double>(decoding_memory(*header.picture, file_bytes));
  const Shape& shape = header.shape;
  const double file = static_cast<double>(file_bytes), values = values_of(shape);
  if (header.format.kind != FileFormat::Kind::json) return file + kFloat * values;
  // Values of 16 bytes, in lists that grow by doubling. A list is a value, and has two blocks of 32
  // bytes or more, of which 40 are counted.
  constexpr double kValue = 48, kList = 80;
  const double rows = values_of({shape.n, shape.c, shape.h, 1}), channels = values_of({shape.n, shape.c, 1, 1});
  return file + (kFloat + kValue) * values + kList * (rows + channels + static_cast<double>(shape.n));
}

/// Bytes of the surveys of the input, the responses, the output and its sheet.
std::int64_t survey_memory(const Forecast& forecast, const FilterSpec& spec) {
  if (!spec.survey || forecast.responses.empty()) return 0;
  constexpr Shape kLargestSheet{.n = 1, .c = 3, .h = 4096, .w = 4096};
  return Survey::memory(forecast.filtered, *spec.survey) + 2 * Survey::memory(forecast.responses.back(), *spec.survey) +
         (spec.sheet ? Survey::memory(kLargestSheet, *spec.survey) : 0);
}

/// Bytes of the sheets of --sheet, one at a time, and of the responses and the file of the last one.
double sheets_memory(const Forecast& forecast, const FilterSpec& spec) {
  if (!spec.sheet || forecast.responses.empty()) return 0;
  constexpr double kSheetPixel = 3, kFiles = 2;  // while it grows, a file is there twice
  double most = 0;
  for (const Shape& shape : forecast.responses) {
    if (!spec.dumps_layers && &shape != &forecast.responses.back()) continue;
    try {
      const SheetLayout layout = sheet_layout(shape, *spec.sheet);
      const double pixels = static_cast<double>(layout.height) * static_cast<double>(layout.width);
      most = std::max(most, sheet_memory(layout, shape, *spec.sheet) + kFiles * kSheetPixel * pixels);
    } catch (const Error&) {
      return 0;  // planning refuses it
    }
  }
  return most + kFloat * values_of(forecast.responses.back());
}

/// What a layer takes beside its weights: names, parameters and plans, in floats (measured with 3,000 of one weight).
constexpr double kLayerFloats = 512;

}  // namespace

Forecast make_forecast(const SourceHeader& header, const FilterSpec& spec) {
  Forecast result{.filtered = header.traits(spec.alpha, spec.makes_grey()).filtered, .responses = {}};
  Shape input = result.filtered;
  DType dtype = header.dtype;
  try {
    const std::vector<std::optional<std::size_t>> addends = addends_of(spec.network);
    result.sources = sources_of(spec.network);
    result.last_uses = last_uses(addends, result.sources);
    for (const std::optional<std::size_t>& addend : addends) result.adds.push_back(addend.has_value());
    const bool repeats_grey = spec.repeats_grey(input.c, header.format);
    for (const Bank& each : spec.network.banks) {
      const std::size_t i = result.responses.size();
      const Bank& bank = repeats_grey && i == 0 ? *spec.grey_scaling : each;
      if (result.sources[i]) input = result.responses[*result.sources[i]];
      const BankGeometry geometry = bank_geometry(bank, dtype, input);
      for (const ConvProblem& problem : geometry.problems) result.weights += kept_weights(problem);
      result.weights += kLayerFloats * static_cast<double>(bank.layers.size());
      check_plannable(geometry.output, spec.max_pixels, "the result");
      result.responses.push_back(geometry.output);
      input = geometry.output;
      dtype = DType::f32;
    }
  } catch (const Error&) {
    return {.filtered = result.filtered, .responses = {}};
  }
  return result;
}

std::optional<ResultLayout> forecast_result(const SourceHeader& header, const FileFormat& format,
                                            const Forecast& forecast, const FilterSpec& spec) {
  if (forecast.responses.empty()) return std::nullopt;
  try {
    std::optional<EdgeRecipe> recipe;
    if (spec.edges) recipe = complete_recipe(spec, header.format.is_tensor(), header.dtype, format);
    ResultLayout result{.shape = forecast.responses.back(),
                        .dtype = result_dtype(header.dtype, format, given_depth(spec, recipe), spec.is_map_given())};
    if (recipe) result.shape.c = recipe->channels();
    if (resolve_map(spec.given_map(), spec.network.banks, result.dtype).map == OutputMap::signs)
      result.shape.c = kSignChannels;
    if (header.has_alpha() && spec.alpha == AlphaRule::keep) ++result.shape.c;
    return result;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::int64_t band_plans_memory(const Forecast& forecast) {
  constexpr double kPlans = 4;
  return static_cast<std::int64_t>(std::min(0x1p61, kPlans * kFloat * forecast.weights));
}

std::int64_t memory_beside_bands(const Forecast& forecast, const FilterSpec& spec) {
  return kEngineMemory + survey_memory(forecast, spec) + band_plans_memory(forecast);
}

std::int64_t threads_memory(const Plan& plan) {
  double work = 0;  // one bank runs after another
  const auto count = [&](const NetworkPlan& network) {
    for (const BankPlan& bank : network.banks()) work = std::max(work, bank.work_memory());
  };
  count(plan.kernels());
  if (plan.folded() != nullptr) count(plan.folded()->plan);
  return static_cast<std::int64_t>(std::max(0.0, work + static_cast<double>(kBlocksMemory - kEngineMemory)));
}

std::int64_t memory_needed(const SourceHeader& header, std::int64_t file_bytes, const FileFormat& result_format,
                           const Forecast& forecast, const FilterSpec& spec) {
  const Result result = find_result(header, result_format, forecast, spec);
  const HeldMemory held = held_memory(header, spec);
  const double between = forecast.responses.empty() ? 0 : between_stages(forecast, spec);
  // A plan lives until the file is written.
  const double plan = static_cast<double>(kEngineMemory + survey_memory(forecast, spec)) + kFloat * forecast.weights +
                      sheets_memory(forecast, spec);
  const double pixels =
      std::max({decoding_memory(header, file_bytes), held.making_grey, held.filtering + between + result.bytes,
                result.bytes + encoding_memory(result_format, result)});
  // In the header, the source and the job; encoders copy them into parts of the file.
  const double metadata = 5 * static_cast<double>(header.metadata.size());
  return static_cast<std::int64_t>(std::min(0x1p62, plan + pixels + metadata));
}

}  // namespace convtool
