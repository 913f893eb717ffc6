#include "conv/sink.h"

#include <cmath>
#include <functional>

#include "conv/engine/finish.h"
#include "conv/engine/flat.h"
#include "conv/engine/simd.h"

namespace convtool {
namespace {

/// Outputs that are not contiguous are computed in chunks of this many, and then moved into place.
constexpr std::int64_t kChunk = kPixelRowBytes / std::int64_t{sizeof(float)};

/// The sum channels that finish_pixels() moves to rows at once: enough to fill a cache line of each pixel, and all that
/// are combined.
std::int64_t channels_at_once(std::int64_t joined) { return std::max<std::int64_t>(1, 16 / joined) * joined; }

/// Whether finish_in_float() may be tried: its result then equals that in double. For f32 outputs, rounding a quotient
/// or sum of floats to double first changes nothing (Figueroa, "When is double rounding innocuous?", 1995). For integer
/// outputs without a bias there are two cases. Dividing by a power of two is exact. Any other whole divisor d keeps n /
/// d, for whole n, at least 1 / (2 d) away from a tie that it does not hit, and a float below 256 is accurate to 2^-16.
/// (Sums of fractional weights are already rounded, and only their bound is promised.) For magnitudes of whole numbers
/// see finish_float-inl.h.
bool is_plain(const FinishJob& job, bool whole_sums) {
  const ValueMap& map = job.map;
  const Epilogue& epilogue = job.epilogue;
  const bool keeps_range = epilogue.activation == Activation::relu || epilogue.activation == Activation::clip;
  const bool is_plain_float = job.dtype == DType::f32 && epilogue.combine == Combine::none;
  if (epilogue.activation != Activation::none && !(keeps_range && is_plain_float)) return false;
  if (map.shift != 0 || map.scale != 1 || map.offset != 0 || map.threshold) return false;
  if (epilogue.combine == Combine::magnitude) {
    for (std::int64_t k = 0; k < epilogue.combine_count; ++k) {
      if (job.divisors[k] != 1 || job.biases[k] != 0) return false;
    }
    return whole_sums;
  }
  const double divisor = job.divisors[0];
  if (epilogue.combine != Combine::none || static_cast<double>(static_cast<float>(divisor)) != divisor) return false;
  if (job.dtype == DType::f32) return job.biases[0] == 0 || divisor == 1;
  int exponent = 0;
  const bool power_of_two = std::fabs(std::frexp(divisor, &exponent)) == 0.5 && std::abs(exponent) < 100;
  const bool far_from_ties = job.dtype == DType::u8 && divisor == std::trunc(divisor) && std::fabs(divisor) <= 0x1p15;
  return job.biases[0] == 0 && (power_of_two || far_from_ties);
}

}  // namespace

Sink::Sink(const Epilogue& epilogue, const ValueMap& map, const Kernel& kernel, const TensorRef& output,
           bool whole_sums, bool totals)
    : epilogue_(epilogue),
      map_(map),
      biases_(kernel.bias),
      divisors_(kernel.divisor),
      output_(output),
      whole_sums_(whole_sums),
      totals_(totals) {
  if (divisors_.empty()) divisors_.assign(biases_.size(), 1.0);
  find_plain();
}

FinishJob Sink::job_of(std::int64_t c) const {
  const auto first = static_cast<std::size_t>(c * epilogue_.combine_count);
  return {.divisors = divisors_.data() + first,
          .biases = biases_.data() + first,
          .epilogue = epilogue_,
          .map = map_,
          .dtype = output_.dtype};
}

void Sink::find_plain() {
  const auto all_equal = [](const auto& values) {
    return std::adjacent_find(values.begin(), values.end(), std::not_equal_to()) == values.end();
  };
  const bool alike = combine_count() == 1 && all_equal(biases_) && all_equal(divisors_);
  plain_.assign(biases_.size() / static_cast<std::size_t>(combine_count()),
                output_.data != nullptr && is_plain(job_of(0), whole_sums_));
  for (std::size_t c = 1; !alike && c < plain_.size(); ++c)
    plain_[c] = output_.data != nullptr && is_plain(job_of(static_cast<std::int64_t>(c)), whole_sums_);
  all_plain_ = alike ? plain_[0] : std::find(plain_.begin(), plain_.end(), false) == plain_.end();
  takes_sums_ = alike && plain_[0] && output_.dtype == DType::f32 && epilogue_.combine == Combine::none &&
                epilogue_.activation == Activation::none && !map_.absolute && divisors_[0] == 1 && biases_[0] == 0 &&
                !totals_;
}

/// `job` belongs to output channel `c`.
void Sink::finish_job(const FinishJob& job, std::int64_t c, ResponseStats& stats) const {
  if (totals_) add_up(job, stats);
  const bool plain = plain_[static_cast<std::size_t>(c)] && job.sum_type != SumType::f64;
  if (!plain || !finish_in_float(job, stats)) finish_in_double(job, stats);
}

template <class Sum>
void Sink::finish(const RowSpan& span, std::int64_t c, const Sum* sums, std::int64_t pitch,
                  ResponseStats& stats) const {
  FinishJob job = job_of(c);
  job.sum_type = sum_type_of<Sum>();
  job.sums = sums;
  job.pitch = pitch;
  job.count = span.count;
  if (output_.data == nullptr) return finish_job(job, c, stats);
  visit_dtype(output_.dtype, [&]<class Out>(Out) {
    const TensorView<Out> view = output_.view<Out>();
    Out* out = &view.at(span.n, c, span.y, span.x);
    if (view.strides.w == 1) {
      job.out = out;
      return finish_job(job, c, stats);
    }
    Out chunk[kChunk];
    job.out = chunk;
    for (std::int64_t x = 0; x < span.count; x += kChunk) {
      job.sums = sums + x;
      job.count = std::min(kChunk, span.count - x);
      finish_job(job, c, stats);
      for (std::int64_t i = 0; i < job.count; ++i) out[(x + i) * view.strides.w] = chunk[i];
    }
  });
}

bool Sink::interleaves() const {
  return output_.data != nullptr && has_planes(output_.shape.c) && output_.strides.w == output_.shape.c &&
         std::abs(output_.strides.c) == 1;
}

void Sink::finish_channels(const RowSpan& span, float* sums, std::int64_t channel_pitch, std::int64_t pitch,
                           ResponseStats& stats) const {
  const std::int64_t channels = output_.shape.c;
  const bool reversed = output_.strides.c < 0;  // B, G, R in memory
  visit_dtype(output_.dtype, [&]<class Out>(Out) {
    Out chunks[4][kChunk];
    const Out* planes[4];
    Out* out = &output_.view<Out>().at(span.n, reversed ? channels - 1 : 0, span.y, span.x);
    for (std::int64_t x = 0; x < span.count; x += kChunk) {
      const std::int64_t count = std::min(kChunk, span.count - x);
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t place = reversed ? channels - 1 - c : c;
        Out* finished = chunks[place];
        if constexpr (std::is_same_v<Out, float>)
          if (takes_sums_) finished = sums + c * channel_pitch + x;  // the sums are the results
        FinishJob job = job_of(c);
        job.sums = sums + c * channel_pitch + x;
        job.pitch = pitch;
        job.count = count;
        job.out = finished;
        finish_job(job, c, stats);
        planes[place] = finished;
      }
      interleave(planes, channels, count, out + x * channels);
    }
  });
}

template void Sink::finish(const RowSpan&, std::int64_t, const float*, std::int64_t, ResponseStats&) const;
template void Sink::finish(const RowSpan&, std::int64_t, const double*, std::int64_t, ResponseStats&) const;
template void Sink::finish(const RowSpan&, std::int64_t, const std::int32_t*, std::int64_t, ResponseStats&) const;

void Sink::finish_pixels(const RowSpan& span, std::int64_t first, std::int64_t channels, const float* sums,
                         std::int64_t pitch, float* rows, ResponseStats& stats) const {
  if (output_.dtype == DType::f32 && output_.strides.c == 1 && epilogue_.combine == Combine::none && all_plain_ &&
      !totals_) {
    const PixelJob job{.sums = sums,
                       .pitch = pitch,
                       .pixels = span.count,
                       .channels = channels,
                       .divisors = divisors_.data() + first,
                       .biases = biases_.data() + first,
                       .range = ValueRange::of(epilogue_),
                       .absolute = map_.absolute,
                       .out = &output_.view<float>().at(span.n, first, span.y, span.x),
                       .out_pitch = output_.strides.w};
    if (finish_pixels_in_float(job, stats)) return;
  }
  const std::int64_t joined = combine_count(), step = channels_at_once(joined);
  for (std::int64_t x = 0; x < span.count; x += kChunk) {
    const RowSpan chunk{.n = span.n, .y = span.y, .x = span.x + x, .count = std::min(kChunk, span.count - x)};
    for (std::int64_t k = 0; k < channels; k += step) {
      const std::int64_t count = std::min(step, channels - k);
      pixels_to_rows(sums + x * pitch + k, pitch, chunk.count, count, rows, kChunk);
      for (std::int64_t j = 0; j < count; j += joined)
        finish(chunk, (first + k + j) / joined, rows + j * kChunk, kChunk, stats);
    }
  }
}

std::unique_ptr<float[]> Sink::pixel_rows() const {
  return std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(channels_at_once(combine_count()) * kChunk));
}

float* Sink::place_of(const RowSpan& span, std::int64_t c) const {
  if (!takes_sums_) return nullptr;
  return &output_.view<float>().at(span.n, c, span.y, span.x);
}

Sink Sink::in_units(double unit) const {
  Sink sink = *this;
  for (double& divisor : sink.divisors_) divisor /= unit;
  sink.find_plain();
  return sink;
}

std::optional<Sink> Sink::flattened(const ConstTensorRef& input) const {
  const std::int64_t channels = output_.shape.c;
  const auto repeats = [&](const auto& values) {
    const auto period = static_cast<std::size_t>(combine_count());
    return std::equal(values.begin() + static_cast<std::ptrdiff_t>(period), values.end(), values.begin());
  };
  if (!repeats(biases_) || !repeats(divisors_)) return std::nullopt;
  if (output_.strides.w != channels || output_.strides.c != input.strides.c) return std::nullopt;
  Sink sink = *this;
  sink.output_ = flat_view(output_);
  return sink;
}

}  // namespace convtool
