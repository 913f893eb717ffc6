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
// exact sums in any order, fused or not; and while the strips stay within kMostMemory. Weights of 0 are skipped for
// integer pictures, which have no NaN to hide. The error is direct's: n * 2^-24 * sum|x||w|.

#include <algorithm>
#include <cstring>
#include <vector>

#include "conv/algorithm.h"
#include "conv/float_sums.h"
#include "conv/padding.h"
#include "conv/simd.h"

namespace convtool {
namespace {

/// The layout of a strip: for each channel one plane for each phase of the columns.
struct StripLayout {
  std::int64_t padded_width;  // columns that outputs see, borders included
  std::int64_t phase_length;  // floats from one plane to the next
  std::int64_t planes;        // channels times phases

  explicit StripLayout(const ConvProblem& problem)
      : padded_width((output_shape(problem).w - 1) * problem.stride.w +
                     dilated_kernel(problem.kernel, problem.dilation).w),
        phase_length((padded_width + problem.stride.w - 1) / problem.stride.w + kRowSlack),
        planes(problem.input.c * problem.stride.w) {}

  std::int64_t size() const { return planes * phase_length; }
};

/// What a thread holds at least, in bytes: the strips of a window, one for outside, and one that is not split yet. As a
/// double, since strides and pads may be as large as they like.
double memory_needed(const ConvProblem& problem) {
  const StripLayout layout(problem);
  const double strip = static_cast<double>(layout.planes) * static_cast<double>(layout.phase_length);
  const double unsplit = static_cast<double>(problem.input.c) * static_cast<double>(layout.padded_width + kRowSlack);
  return 4 * (strip * static_cast<double>(problem.kernel.kh + 1) + unsplit);
}

constexpr double kMostMemory = 16 << 20;

class RowsExecutor final : public Executor {
 public:
  RowsExecutor(const ConvProblem& problem, const Kernel& kernel)
      : problem_(problem), kernel_(kernel), out_(output_shape(problem)), layout_(problem) {}

  std::int64_t pieces(const Sink&) const override { return out_.n * out_.h; }  // output rows, through the batch

  void run(const ConstTensorRef& input, const Sink& sink, std::int64_t begin, std::int64_t end,
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

  template <class In>
  void run_typed(const TensorView<const In>& x, const Sink& sink, std::int64_t begin, std::int64_t end,
                 ResponseStats& stats) const {
    const KernelShape& k = problem_.kernel;
    // A window's rows, and those that will be seen again when the window is dilated: but no more than a second level
    // cache holds.
    const std::int64_t window = std::min(dilated_kernel(k, problem_.dilation).h, x.shape.h);
    const std::int64_t affordable = kCacheBytes / (layout_.size() * static_cast<std::int64_t>(sizeof(float)));
    const auto slots = static_cast<std::size_t>(std::max(k.kh, std::min(window, affordable)));
    StripCache cache{.floats = std::vector<float>(slots * static_cast<std::size_t>(layout_.size())),
                     .rows = std::vector<std::int64_t>(slots, kEmpty),
                     .last_used = std::vector<std::int64_t>(slots, -1),
                     .linear = std::vector<float>(static_cast<std::size_t>(
                         (layout_.padded_width + kRowSlack) * (problem_.stride.w > 1 ? problem_.input.c : 0)))};
    const std::vector<float> outside(static_cast<std::size_t>(layout_.size()), problem_.padding_value);
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
          const std::int64_t taps = gather_taps(c * joined + j, window_strips, sources.data(), weights.data());
          sum_taps(sources.data(), weights.data(), taps, sums.data() + j * out_.w, out_.w);
        }
        sink.finish({.n = n, .y = i, .x = 0, .count = out_.w}, c, sums.data(), out_.w, stats);
      }
    }
  }

  /// Lists where the taps of sum channel `o` read, and their weights; returns how many there are.
  std::int64_t gather_taps(std::int64_t o, const std::vector<const float*>& window_strips, const float** sources,
                           float* weights) const {
    const KernelShape& k = kernel_.shape;
    const std::int64_t first_channel = o / (k.c_o / problem_.groups) * k.c_i_per_group;
    std::int64_t count = 0;
    for (std::int64_t c = 0; c < k.c_i_per_group; ++c) {
      for (std::int64_t u = 0; u < k.kh; ++u) {
        const float* row_weights = kernel_.taps(o, c) + u * k.kw;
        const float* planes =
            window_strips[static_cast<std::size_t>(u)] + (first_channel + c) * problem_.stride.w * layout_.phase_length;
        for (std::int64_t v = 0; v < k.kw; ++v) {
          if (row_weights[v] == 0 && is_integer(problem_.input_dtype)) continue;
          const std::int64_t column = v * problem_.dilation.w;
          sources[count] = planes + column % problem_.stride.w * layout_.phase_length + column / problem_.stride.w;
          weights[count++] = row_weights[v];
        }
      }
    }
    return count;
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
    float* strip = cache.floats.data() + static_cast<std::int64_t>(slot) * layout_.size();
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
    const std::int64_t left = problem_.pads.left,
                       line = problem_.stride.w == 1 ? layout_.phase_length : layout_.padded_width + kRowSlack;
    float* lines = problem_.stride.w == 1 ? strip : linear;
    const std::int64_t seen =
        std::clamp<std::int64_t>(layout_.padded_width - left, 0, x.shape.w);  // columns that outputs reach
    if (seen > 0) convert_row(x, n, y, seen, lines + left, line);             // else the picture lies beyond the strip
    for (std::int64_t c = 0; c < x.shape.c; ++c) {
      float* to = lines + c * line;
      const In* row = x.row(n, c, y);
      const auto fill_border = [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t at = begin; at < end; ++at) {
          const std::int64_t column = pad_index(problem_.padding_mode, at - left, x.shape.w);
          to[at] = column == kOutside ? problem_.padding_value : static_cast<float>(row[column * x.strides.w]);
        }
      };
      fill_border(0, std::min(left, layout_.padded_width));
      fill_border(std::min(left + seen, layout_.padded_width), layout_.padded_width);
      if (problem_.stride.w > 1) split_phases(to, strip + c * problem_.stride.w * layout_.phase_length);
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
    for (std::int64_t phase = 0; phase < problem_.stride.w; ++phase) {
      float* to = phases + phase * layout_.phase_length;
      for (std::int64_t at = phase; at < layout_.padded_width; at += problem_.stride.w) *to++ = line[at];
    }
  }

  /// Half of a common second-level cache; the rest is for sums, output and input.
  static constexpr std::int64_t kCacheBytes = std::int64_t{512} << 10;

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const Shape out_;
  const StripLayout layout_;
};

}  // namespace

const Algorithm kRows = {
    .name = "rows",
    .threaded = true,
    .can_choose = true,
    .refusal = [](const ConvProblem& problem, const Kernel& kernel) -> std::string {
      if (memory_needed(problem) > kMostMemory) return "its strips of rows would take more than 16 MiB a thread";
      if (!float_sums_suffice(problem, kernel))
        return "the sums of these integers need more than the 24 bits of a float";
      return "";
    },
    .cost =
        [](const ConvProblem& problem, const Kernel&) {
          const Shape out = output_shape(problem);
          // About what 4K grey pictures took with AVX-512: 19x19 0.023 ns a multiply-add, 3x3 0.9 ns a pixel in all.
          return 0.03 * mac_count(problem) + 0.5 * static_cast<double>(out.count()) +
                 0.3 * static_cast<double>(problem.input.count());
        },
    .prepare = [](const ConvProblem& problem, const Kernel& kernel) -> std::unique_ptr<Executor> {
      return std::make_unique<RowsExecutor>(problem, kernel);
    },
};

}  // namespace convtool
