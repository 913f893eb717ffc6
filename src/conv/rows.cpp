// rows: each output row as a sum of weighted, shifted float rows, by SIMD.
//
// Every input row that is needed is converted once to float, one plane for each channel, with its border columns filled
// in, and kept in a small cache until the window has passed it; so stride-1 taps are shifted, contiguous reads,
// whatever the picture's type and layout were:
//
//   picture row          b g r b g r b g r ...            (u8, interleaved)
//   strip, per channel   |border| r r r r r r r |border|  (f32)
//   sums[j]              += weight(u, v) * strip(u)[v * dilation + j]
//
// Columns are split by phase for strides, strip[phase][k] = x[k * stride + phase], so that strided taps are contiguous
// too. The sums of eight vectors of outputs stay in registers while all taps pass (simd-inl.h); then the row goes to
// the sink. Rows outside the picture are one strip of the padding value.
//
// Against direct: no array of sums is written and read for each tap, and every type and layout is read with full
// vectors. It costs a conversion of each input row and a strip cache of some rows.
//
// Applies when float sums are allowed: f32 always; u8 and u16 when max|x| * sum|w| < 2^24, so that integer weights give
// exact sums in any order, fused or not. Weights of 0 are skipped for integer pictures, which have no NaN to hide.
// The error is direct's: n * 2^-24 * sum|x||w|.

#include <algorithm>
#include <cstring>
#include <vector>

#include "conv/algorithm.h"
#include "conv/float_sums.h"
#include "conv/padding.h"
#include "conv/simd.h"

namespace convtool {
namespace {

/// Where a tap reads: row `u` of the kernel's window, plane `plane` of a strip, from `offset` on.
struct Tap {
  std::int64_t u, plane, offset;
  float weight;
};

class RowsExecutor final : public Executor {
 public:
  RowsExecutor(const ConvProblem& problem, const Kernel& kernel)
      : problem_(problem),
        out_(output_shape(problem)),
        stride_(problem.stride.w),
        padded_width_((out_.w - 1) * stride_ + dilated_kernel(problem.kernel, problem.dilation).w),
        phase_length_((padded_width_ + stride_ - 1) / stride_ + kRowSlack),
        planes_(problem.input.c * stride_) {
    const KernelShape& k = problem.kernel;
    taps_.resize(static_cast<std::size_t>(k.c_o));
    for (std::int64_t o = 0; o < k.c_o; ++o) {
      const std::int64_t first_channel = o / (k.c_o / problem.groups) * k.c_i_per_group;
      for (std::int64_t c = 0; c < k.c_i_per_group; ++c) {
        for (std::int64_t u = 0; u < k.kh; ++u) {
          for (std::int64_t v = 0; v < k.kw; ++v) {
            const float weight = kernel.taps(o, c)[u * k.kw + v];
            if (weight == 0 && is_integer(problem.input_dtype)) continue;
            const std::int64_t column = v * problem.dilation.w;
            taps_[static_cast<std::size_t>(o)].push_back({.u = u,
                                                          .plane = (first_channel + c) * stride_ + column % stride_,
                                                          .offset = column / stride_,
                                                          .weight = weight});
          }
        }
      }
    }
  }

  void run(const ConstTensorRef& input, const RowSink& sink, std::int64_t begin, std::int64_t end,
           ResponseStats& stats) const override {
    visit_dtype(input.dtype, [&]<class In>(In) { run_typed(input.view<In>(), sink, begin, end, stats); });
  }

 private:
  /// The strips of recent input rows of one batch item.
  struct StripCache {
    std::vector<float> floats;
    std::vector<std::int64_t> rows;       // the input row in each slot, or kEmpty
    std::vector<std::int64_t> last_used;  // by output row
    std::vector<float> linear;            // one padded row, before it is split into phases
  };
  static constexpr std::int64_t kEmpty = -2;

  std::int64_t strip_size() const { return planes_ * phase_length_; }

  template <class In>
  void run_typed(const TensorView<const In>& x, const RowSink& sink, std::int64_t begin, std::int64_t end,
                 ResponseStats& stats) const {
    const KernelShape& k = problem_.kernel;
    // A window's rows, and those that will be seen again when the window is dilated: but no more than a second level
    // cache holds.
    const std::int64_t window = std::min(dilated_kernel(k, problem_.dilation).h, x.shape.h);
    const std::int64_t affordable = kCacheBytes / (strip_size() * static_cast<std::int64_t>(sizeof(float)));
    const auto slots = static_cast<std::size_t>(std::max(k.kh, std::min(window, affordable)));
    StripCache cache{.floats = std::vector<float>(slots * static_cast<std::size_t>(strip_size())),
                     .rows = std::vector<std::int64_t>(slots, kEmpty),
                     .last_used = std::vector<std::int64_t>(slots, -1),
                     .linear = std::vector<float>(
                         static_cast<std::size_t>((padded_width_ + kRowSlack) * (stride_ > 1 ? problem_.input.c : 0)))};
    const std::vector<float> outside(static_cast<std::size_t>(strip_size()), problem_.padding_value);
    std::vector<const float*> window_strips(static_cast<std::size_t>(k.kh));
    std::vector<const float*> sources(static_cast<std::size_t>(k.taps()));
    std::vector<float> weights(static_cast<std::size_t>(k.taps()));
    const std::int64_t joined = sink.combine_count();
    std::vector<float> sums(static_cast<std::size_t>(joined * out_.w + 8 * kRowSlack));

    std::int64_t item = -1;
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t n = row / out_.h, i = row % out_.h;
      if (n != item) std::fill(cache.rows.begin(), cache.rows.end(), kEmpty);
      item = n;
      for (std::int64_t u = 0; u < k.kh; ++u) {
        const std::int64_t y = pad_index(
            problem_.padding_mode, i * problem_.stride.h - problem_.pads.top + u * problem_.dilation.h, x.shape.h);
        window_strips[static_cast<std::size_t>(u)] = y == kOutside ? outside.data() : strip_of(x, n, y, row, cache);
      }
      for (std::int64_t c = 0; c < sink.output_channels(); ++c) {
        for (std::int64_t j = 0; j < joined; ++j) {  // forwards: a row's slack is the beginning of the next
          const std::vector<Tap>& taps = taps_[static_cast<std::size_t>(c * joined + j)];
          for (std::size_t t = 0; t < taps.size(); ++t) {
            sources[t] =
                window_strips[static_cast<std::size_t>(taps[t].u)] + taps[t].plane * phase_length_ + taps[t].offset;
            weights[t] = taps[t].weight;
          }
          sum_taps(sources.data(), weights.data(), static_cast<std::int64_t>(taps.size()), sums.data() + j * out_.w,
                   out_.w);
        }
        sink.finish_row(n, c, i, sums.data(), out_.w, stats);
      }
    }
  }

  /// The strip of input row `y`, from the cache or converted into its least recently used slot. `now` is the output
  /// row; there are at least as many slots as rows in a window, so none that this window needs is lost.
  template <class In>
  const float* strip_of(const TensorView<const In>& x, std::int64_t n, std::int64_t y, std::int64_t now,
                        StripCache& cache) const {
    const auto found = std::find(cache.rows.begin(), cache.rows.end(), y);
    const auto slot = static_cast<std::size_t>(found != cache.rows.end()
                                                   ? found - cache.rows.begin()
                                                   : std::min_element(cache.last_used.begin(), cache.last_used.end()) -
                                                         cache.last_used.begin());
    float* strip = cache.floats.data() + static_cast<std::int64_t>(slot) * strip_size();
    if (found == cache.rows.end()) {
      fill_strip(x, n, y, strip, cache.linear.data());
      cache.rows[slot] = y;
    }
    cache.last_used[slot] = now;
    return strip;
  }

  /// Converts row `y` of every channel, with its border columns, into the phases of `strip`. `linear` is scratch.
  template <class In>
  void fill_strip(const TensorView<const In>& x, std::int64_t n, std::int64_t y, float* strip, float* linear) const {
    const std::int64_t left = problem_.pads.left, line = stride_ == 1 ? phase_length_ : padded_width_ + kRowSlack;
    float* lines = stride_ == 1 ? strip : linear;
    const std::int64_t seen =
        std::clamp<std::int64_t>(padded_width_ - left, 0, x.shape.w);  // columns that outputs reach
    convert_row(x, n, y, seen, lines + left, line);
    for (std::int64_t c = 0; c < x.shape.c; ++c) {
      float* to = lines + c * line;
      const In* row = x.row(n, c, y);
      const auto fill_border = [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t at = begin; at < end; ++at) {
          const std::int64_t column = pad_index(problem_.padding_mode, at - left, x.shape.w);
          to[at] = column == kOutside ? problem_.padding_value : static_cast<float>(row[column * x.strides.w]);
        }
      };
      fill_border(0, std::min(left, padded_width_));
      fill_border(std::min(left + seen, padded_width_), padded_width_);
      if (stride_ > 1) split_phases(to, strip + c * stride_ * phase_length_);
    }
  }

  /// The first `count` pixels of row `y`, channel c going to floats + c * line.
  template <class In>
  static void convert_row(const TensorView<const In>& x, std::int64_t n, std::int64_t y, std::int64_t count,
                          float* floats, std::int64_t line) {
    if constexpr (std::is_same_v<In, std::uint8_t>) {
      const std::int64_t channels = x.shape.c;
      if ((channels == 3 || channels == 4) && x.strides.w == channels && std::abs(x.strides.c) == 1) {
        const bool reversed = x.strides.c < 0;  // B, G, R in memory
        float* planes[4];
        for (std::int64_t c = 0; c < channels; ++c) planes[c] = floats + (reversed ? channels - 1 - c : c) * line;
        to_planes(x.row(n, reversed ? channels - 1 : 0, y), channels, count, planes);
        return;
      }
    }
    for (std::int64_t c = 0; c < x.shape.c; ++c) to_floats(x.row(n, c, y), x.strides.w, count, floats + c * line);
  }

  void split_phases(const float* line, float* phases) const {
    for (std::int64_t phase = 0; phase < stride_; ++phase) {
      float* to = phases + phase * phase_length_;
      for (std::int64_t at = phase; at < padded_width_; at += stride_) *to++ = line[at];
    }
  }

  /// Half of a common second-level cache; the rest is for sums, output and input.
  static constexpr std::int64_t kCacheBytes = std::int64_t{512} << 10;

  const ConvProblem& problem_;
  const Shape out_;
  const std::int64_t stride_;
  const std::int64_t padded_width_;     // columns that outputs see, borders included
  const std::int64_t phase_length_;     // floats from one plane of a strip to the next
  const std::int64_t planes_;           // of a strip: channels times phases
  std::vector<std::vector<Tap>> taps_;  // for each sum channel
};

}  // namespace

const Algorithm kRows = {
    .name = "rows",
    .threaded = true,
    .can_choose = true,
    .refusal = [](const ConvProblem& problem, const Kernel& kernel) -> std::string {
      if (float_sums_suffice(problem, kernel)) return "";
      return "the sums of these integers need more than the 24 bits of a float";
    },
    .cost =
        [](const ConvProblem& problem) {
          const Shape out = output_shape(problem);
          // Measured with AVX-512 on 4K pictures: 0.03 ns a multiply-add, 0.5 ns an output, 0.3 ns an input pixel.
          return 0.03 * mac_count(problem) + 0.5 * static_cast<double>(out.count()) +
                 0.3 * static_cast<double>(problem.input.count());
        },
    .prepare = [](const ConvProblem& problem, const Kernel& kernel) -> std::unique_ptr<Executor> {
      return std::make_unique<RowsExecutor>(problem, kernel);
    },
};

}  // namespace convtool
