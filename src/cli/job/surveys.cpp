#include "cli/job/surveys.h"

#include <algorithm>
#include <cmath>

#include "network/band_run.h"

namespace convtool {

SurveyResult survey_responses(const BankPlan& bank, bool channels_last, const RowSource& read, int threads,
                              SurveyOptions options) {
  options.side = 0;
  const Shape& shape = bank.output_shape();
  Survey survey(DType::f32, shape, std::nullopt, options);
  const BandRun run(bank, channels_last, {.dtype = DType::f32, .channels = shape.c}, OutputMap::clip, threads);
  run.run({.read = read,
           .write = [&](std::int64_t n, std::int64_t first, const ConstTensorRef& rows) { survey.add(n, first, rows); },
           .order = BandStreams::Order::any});
  return survey.finish();
}

RowSource rows_of(const ConstTensorRef& input) {
  return [input](std::int64_t n, std::int64_t first, const TensorRef& rows) {
    const ConstTensorRef from = ConstTensorRef(input.item(n)).rows(first, rows.shape.h);
    visit_dtype(input.dtype, [&]<class T>(T) {
      const auto source = from.view<T>();
      const auto target = rows.view<T>();
      for (std::int64_t c = 0; c < rows.shape.c; ++c)
        for (std::int64_t y = 0; y < rows.shape.h; ++y)
          for (std::int64_t x = 0; x < rows.shape.w; ++x) target.at(0, c, y, x) = source.at(0, c, y, x);
    });
  };
}

std::optional<PixelFormat> pixels_of(const Job& job) { return job.format().is_tensor() ? std::nullopt : job.pixels; }

SurveyResult survey_file(const RasterReader& reader, const std::optional<PixelFormat>& pixels,
                         const SurveyOptions& options) {
  constexpr std::int64_t kBytes = 1 << 20;  // read at a time
  const RasterLayout& layout = reader.layout();
  const Shape& shape = layout.shape;
  Survey survey(layout.dtype, shape, pixels, options);
  const std::int64_t row_bytes = shape.c * shape.w * size_of(layout.dtype);
  const std::int64_t most = std::clamp<std::int64_t>(kBytes / row_bytes, 1, shape.h);
  Tensor memory(layout.dtype, {.n = 1, .c = shape.c, .h = most, .w = shape.w});
  for (std::int64_t n = 0; n < shape.n; ++n)
    for (std::int64_t y = 0; y < shape.h; y += most) {
      const TensorRef rows(memory.ref().rows(0, std::min(most, shape.h - y)));
      reader.read({.item = n, .row = y}, rows);
      survey.add(n, y, rows);
    }
  return survey.finish();
}

std::optional<std::array<double, 2>> kept_range(const Job& job, const ResponseStats& stats) {
  const Mapping& mapping = job.mapping;
  if (!job.map_matters || !is_integer(job.dtype) || mapping.map == OutputMap::signs || mapping.threshold)
    return std::nullopt;
  if (mapping.percentiles || !std::isfinite(stats.min) || !std::isfinite(stats.max)) return std::nullopt;
  const ValueMap map = make_value_map(mapping, job.input_dtype, job.dtype, stats);
  // Values within half a unit of the range are rounded into it.
  const double high = (full_range(job.dtype) + 0.5 - map.offset) / map.scale + map.shift;
  if (map.absolute) return std::array{-high, high};
  return std::array{(-0.5 - map.offset) / map.scale + map.shift, high};
}

}  // namespace convtool
