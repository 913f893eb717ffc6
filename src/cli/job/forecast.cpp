#include "cli/job/forecast.h"

#include <algorithm>

#include "network/network_plan.h"
#include "pictures/decode_image.h"

namespace convtool {
namespace {

// Bytes are counted in double: the sum may exceed 64 bits.
constexpr double kFloat = size_of(DType::f32);

double pixels_of(const Shape& shape) {
  return static_cast<double>(shape.n) * static_cast<double>(shape.h) * static_cast<double>(shape.w);
}

double values_of(const Shape& shape) { return pixels_of(shape) * static_cast<double>(shape.c); }

Shape filtered_shape(const SourceHeader& header, const FilterSpec& spec) {
  Shape shape = header.shape;
  if (header.format.is_tensor()) return shape;
  const bool has_alpha = header.has_alpha(), is_coloured = shape.c > 2;
  if (is_coloured && spec.makes_grey()) shape.c -= 2;
  if (has_alpha && (spec.alpha == AlphaRule::keep || spec.alpha == AlphaRule::drop)) --shape.c;
  return shape;
}

/// Bytes kept in f32 between the stages: the responses of two banks at a time. With --dump-layers also those of the
/// last bank, and a copy of each as it is written.
double between_stages(const Forecast& forecast, const FilterSpec& spec) {
  const std::vector<Shape>& responses = forecast.responses;
  double bytes = 0;
  const bool dumps = spec.dumps_layers;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const bool is_kept = dumps || i + 1 < responses.size();  // else the last one is the result
    const double before = i > 0 ? values_of(responses[i - 1]) : 0, own = is_kept ? values_of(responses[i]) : 0;
    bytes = std::max(bytes, kFloat * (before + own));
    if (dumps) bytes = std::max(bytes, kFloat * (2 * own + (i + 1 == responses.size() ? before : 0)));
  }
  const Shape& last = responses.back();
  if (spec.edges) {
    // EdgePlan: the responses twice, three planes of strengths, three of colours or angles; for hysteresis a plane of
    // marks and a stack of places.
    bytes += kFloat * (2 * values_of(last) + 6 * pixels_of(last));
    if (spec.edges->hysteresis) bytes += 33 * pixels_of(last);
  }
  if (spec.percentiles) bytes += kFloat * values_of(last);
  if (spec.alpha == AlphaRule::premultiply) bytes += kFloat * (values_of(forecast.filtered) + values_of(last));
  return bytes;
}

/// Bytes that encoding a result of `pixels` pixels and `result` bytes takes in addition to the result.
double encoding_memory(const FileFormat& format, double pixels, double result) {
  switch (format.kind) {
    case FileFormat::Kind::npy: return 0;            // computed where it is written from
    case FileFormat::Kind::json: return 8 * result;  // up to 16 characters a float, in a list that grows by doubling
    case FileFormat::Kind::picture: break;
  }
  // By then the pixels are freed. What remains: filtered rows, compressed noise, the file.
  if (format.picture->name == "png") return 2 * result;
  // Channels in the encoder's order, noise after LZW, and its copy. libwebp's lossless search takes another 32 bytes a
  // pixel (measured).
  return 4 * result + (format.picture->name == "webp" ? 32 * pixels : 0);
}

}  // namespace

Forecast make_forecast(const SourceHeader& header, const FilterSpec& spec) {
  Forecast result{.filtered = filtered_shape(header, spec), .responses = {}};
  Shape input = result.filtered;
  DType dtype = header.dtype;
  try {
    for (const Bank& bank : spec.network.banks) {
      const BankGeometry geometry = bank_geometry(bank, dtype, input);
      for (const ConvProblem& problem : geometry.problems)
        result.weights += static_cast<double>(problem.kernel.count());
      result.responses.push_back(geometry.output);
      input = geometry.output;
      dtype = DType::f32;
      if (input.h > spec.max_pixels / input.w) return {.filtered = result.filtered, .responses = {}};
    }
  } catch (const Error&) {
    return {.filtered = result.filtered, .responses = {}};
  }
  return result;
}

std::int64_t memory_needed(const SourceHeader& header, std::int64_t file_bytes, const FileFormat& result_format,
                           const Forecast& forecast, const FilterSpec& spec) {
  constexpr double kEngine = 32 << 20;  // the most that a plan keeps while it runs
  const double decoded = values_of(header.shape) * static_cast<double>(size_of(header.dtype));
  const std::vector<Shape>& responses = forecast.responses;
  double between = 0, result = 0;
  if (!responses.empty()) {
    between = between_stages(forecast, spec);
    const Shape& last = responses.back();
    const double channels = static_cast<double>(spec.edges ? std::max<std::int64_t>(3, last.c) : last.c) + 1;  // alpha
    const DType dtype = result_format.is_tensor() ? DType::f32 : spec.depth.value_or(header.dtype);
    result = pixels_of(last) * channels * static_cast<double>(size_of(dtype));
  }
  // JSON becomes values of 16 bytes, in lists that grow by doubling.
  const bool is_json = header.format.kind == FileFormat::Kind::json;
  const double decoding =
      header.picture ? static_cast<double>(decoding_memory(*header.picture, file_bytes))
                     : 2 * static_cast<double>(file_bytes) + 2 * decoded + (is_json ? 48 * values_of(header.shape) : 0);
  // A plan keeps a copy of the weights, and an algorithm another in its own order.
  const double filtering = 2 * decoded + between + result + 2 * kFloat * forecast.weights + kEngine;
  const double encoding =
      result + (responses.empty() ? 0 : encoding_memory(result_format, pixels_of(responses.back()), result));
  return static_cast<std::int64_t>(std::min(0x1p62, std::max({decoding, filtering, encoding})));
}

}  // namespace convtool
