// fft: correlates tiles of the picture with the kernel by multiplying their spectra. For large kernels of full rank.
//
// The outputs are cut into tiles. The input that the outputs of a tile see, borders filled in, is a plane of h x w
// floats, kernel - 1 rows and columns larger than the tile's outputs. Its spectrum times the conjugated spectrum of the
// kernel, transformed back, is a circular correlation: outputs whose window does not wrap around are right, and the
// others are dropped (overlap-save; Stockham, "High-speed convolution and correlation", 1966):
//
//   picture --> plane --> tile --> row bundle --> row bundle * spectrum --> row bundle --> tile --> plane --> sink
//              floats   columns      rows           of the kernel             rows       columns     sums
//
// A plane is transformed along its columns (tile_transform.h explains how it becomes complex without any bookkeeping
// for real numbers), sixteen at a time, one per lane (fourier.h). Sixteen of the resulting rows, transposed, are a row
// bundle, which is transformed along the other axis, multiplied and transformed back while it is in the first-level
// cache. Spectra are never reordered, and a tile passes three times between the second-level cache and the first.
//
// With several input channels the products of their spectra are summed, so each input channel of a group is transformed
// once and each output channel once, for any number of pairs.
//
// Applies to stride 1, any dilation (a dilated kernel is one with zeros in it), any type, layout and padding, as long
// as tiles and spectra fit their memory limits and the error bound is kept (fft_tiling.h). The cost of an output hardly
// depends on the kernel: 1.5 ns per pixel of a grey picture (AVX-512, one thread, 3840x2160) for 15x15 as for 127x127.
// It beats sums of k * k products from about 10x10 on.
//
// Error. In float transforms, with max|x| over the pixels that a tile sees, a sum errs by at most
//
//   2^-24 * max(4096, taps) * max|x| * sum|w|
//
// where this is proven (fft_tiling.cpp); measured errors are some 500 times smaller. It is not a bound in terms of |x|:
// a dark pixel gets the error of the bright pixels in its tile. Where that may be half a level of an integer picture,
// or where ConvProblem::direct_error asks for less, tiles are transformed in double, whose error is 2^-28 of that.
// Integer pictures with whole weights, or with 16-bit weights over a power of two, are transformed in double too. Their
// sums are proven to be within a quarter of the true whole number, and are rounded to it. Pixels that are not finite,
// or whose magnitude is far from 1, are not transformed, since NaN or infinity would spread over the tile. Tiles that
// see such a pixel are summed directly, by the definition and with the error of direct.cpp.
//
// Tiles depend on the size of the whole picture alone, so no output depends on the number of threads.

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <vector>

#include "conv/algorithms/fft/fft_tiling.h"
#include "conv/algorithms/fft/tile_transform.h"
#include "conv/bands.h"
#include "conv/engine/algorithm.h"
#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "conv/input/padded_row.h"

namespace convtool {
namespace {

/// A tile of outputs.
struct Place {
  std::int64_t n, y, x, h, w;
};

/// The spectra of the kernel's weight planes, one after the other, each in row bundles as TileTransform computes them.
/// They are conjugated, which turns a product into a correlation, and scaled to undo the factor of the inverse
/// transform.
template <class Real>
Bundles<Real> make_spectra(const ConvProblem& problem, const Kernel& kernel, const FftTiling& tiling) {
  const TileTransform<double> transform(tiling.tile);
  AlignedReals<double> plane = transform.make_planes(1);
  Bundles<double> tile = transform.make_tiles(1), row_bundle = transform.make_row_bundles(1);
  const KernelShape& k = kernel.shape;
  const std::int64_t planes = k.c_o * k.c_i_per_group;
  Bundles<Real> spectra =
      TileTransform<Real>(tiling.tile).make_row_bundles(planes * tiling.tile.h / 2 / kBundleWidth<Real>);
  const double scale =
      std::ldexp(2 / static_cast<double>(tiling.tile.h * tiling.tile.w), tiling.whole_bits.value_or(0));
  for (std::int64_t i = 0; i < planes; ++i) {
    std::fill_n(plane.data(), transform.plane_size(), 0.0);
    for (std::int64_t u = 0; u < k.kh; ++u) {
      for (std::int64_t v = 0; v < k.kw; ++v)
        plane.data()[u * problem.dilation.h * transform.pitch() + v * problem.dilation.w] =
            static_cast<double>(kernel.weights[static_cast<std::size_t>((i * k.kh + u) * k.kw + v)]);
    }
    transform.forward_columns(plane.data(), tile, 0);
    for (std::int64_t b = 0; b < transform.row_bundles(); ++b) {
      transform.forward_rows(tile, 0, b, row_bundle.bundle(0));
      for (std::int64_t column = 0; column < kBundleWidth<double>; ++column) {
        // The same rows of the transposed tile, grouped into other bundles.
        const std::int64_t at = i * tiling.tile.h / 2 + b * kBundleWidth<double> + column;
        Real* to = spectra.bundle(at / kBundleWidth<Real>) + at % kBundleWidth<Real>;
        const double* from = row_bundle.bundle(0) + column;
        for (std::int64_t x = 0; x < tiling.tile.w; ++x, to += Bundles<Real>::kRow, from += Bundles<double>::kRow) {
          to[0] = static_cast<Real>(scale * from[0]);
          to[kBundleWidth<Real>] = static_cast<Real>(-scale * from[kBundleWidth<double>]);
        }
      }
    }
  }
  return spectra;
}

template <class Real>
class FftExecutor final : public Executor {
 public:
  FftExecutor(const ConvProblem& problem, const Kernel& kernel, const FftTiling& tiling)
      : problem_(problem),
        kernel_(kernel),
        out_(output_shape(problem)),
        extent_(dilated_kernel(kernel.shape, problem.dilation)),
        tiling_(tiling),
        transform_(tiling.tile),
        whole_float_sums_(tiling.whole_bits && float_sums_suffice(problem, kernel)),
        spectra_(make_spectra<Real>(problem, kernel, tiling)) {}

  std::int64_t work_items(const Sink&) const override { return out_.n * tiling_.count.h * tiling_.count.w; }  // tiles

  std::int64_t row_period() const override { return tiling_.step.h; }

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    Memory memory = make_memory(sink.combine_count());
    visit_dtype(input.dtype, [&]<class In>(In) {
      for (Range item; !(item = share.take()).is_empty();)
        run_tile(input.view<In>(), place_of(item.begin), sink, memory, stats);
    });
  }

 private:
  /// Whether pictures of this type may hold pixels that must not be transformed. (Only integer pictures are transformed
  /// in double.)
  template <class In>
  static constexpr bool kChecked = std::is_same_v<In, float>&& std::is_same_v<Real, float>;

  /// A thread's buffers.
  struct Memory {
    std::int64_t batch;         // sum channels that are computed together
    std::int64_t first_output;  // the tile of the first of them
    Bundles<Real> tiles;        // of a group's input channels, from tile 0 on, and of a batch
    Bundles<Real> row_bundles;  // one of each input channel, and one of an output
    AlignedReals<Real> planes;  // of the sum channels that are combined, and a spare one
    std::int64_t spare_plane;   // its index
    std::vector<float> rows;    // one row of each combined sum channel
    std::vector<const float*> sources;
  };

  Memory make_memory(std::int64_t joined) const {
    const std::int64_t inputs = kernel_.shape.c_i_per_group, outputs = kernel_.shape.c_o / problem_.groups;
    const std::int64_t bytes = transform_.plane_size() * static_cast<std::int64_t>(sizeof(Real));
    const std::int64_t affordable = static_cast<std::int64_t>(kMostFftTiles) / bytes;
    // A batch that is a whole group may overwrite the group's inputs, which are not needed afterwards.
    const bool is_group = outputs % joined == 0 && outputs <= affordable;
    const std::int64_t batch = is_group ? outputs : std::max<std::int64_t>(1, (affordable - inputs) / joined) * joined;
    return {.batch = batch,
            .first_output = is_group ? 0 : inputs,
            .tiles = transform_.make_tiles(is_group ? std::max(inputs, outputs) : inputs + batch),
            .row_bundles = transform_.make_row_bundles(inputs + 1),
            .planes = transform_.make_planes(joined + 1),
            .spare_plane = joined,
            .rows = std::vector<float>(static_cast<std::size_t>(joined * transform_.pitch() + kRowSlack)),
            .sources = std::vector<const float*>(static_cast<std::size_t>(kernel_.shape.kh * kernel_.shape.kw))};
  }

  Place place_of(std::int64_t item) const {
    const Extent &step = tiling_.step, &count = tiling_.count;
    const std::int64_t row = item / count.w % count.h, column = item % count.w;
    return {.n = item / (count.h * count.w),
            .y = row * step.h,
            .x = column * step.w,
            .h = std::min(step.h, out_.h - row * step.h),
            .w = std::min(step.w, out_.w - column * step.w)};
  }

  /// All outputs at one place.
  template <class In>
  void run_tile(const TensorView<const In>& x, const Place& place, const Sink& sink, Memory& memory,
                ResponseStats& stats) const {
    const std::int64_t c_o = kernel_.shape.c_o, per_group = c_o / problem_.groups, joined = sink.combine_count();
    std::int64_t loaded = -1;  // the group whose inputs are in memory
    bool group_is_clean = true;
    for (std::int64_t first = 0; first < c_o; first += memory.batch) {
      const std::int64_t last = std::min(c_o, first + memory.batch);
      bool is_clean = true;
      for (std::int64_t group = first / per_group; group * per_group < last; ++group) {
        if (group != loaded) group_is_clean = load(x, place, group, memory);
        loaded = group;
        is_clean = is_clean && group_is_clean;
        if (is_clean)
          correlate(std::max(first, group * per_group), std::min(last, (group + 1) * per_group), first, memory);
      }
      for (std::int64_t o = first; o < last; o += joined) {
        for (std::int64_t k = 0; k < joined; ++k) {
          Real* sums = memory.planes.data() + k * transform_.plane_size();
          if (is_clean)
            transform_.inverse_columns(memory.tiles, memory.first_output + o + k - first, sums, place.w);
          else
            sum_directly(x, place, o + k, sums, memory);
        }
        hand_over(place, o / joined, sink, memory, stats);
      }
    }
  }

  /// Transforms the inputs of a group along columns. Returns false if there are pixels that must not be transformed.
  template <class In>
  bool load(const TensorView<const In>& x, const Place& place, std::int64_t group, Memory& memory) const {
    Real* plane = memory.planes.data();
    bool is_clean = true;
    for (std::int64_t c = 0; c < kernel_.shape.c_i_per_group; ++c) {
      fill(x, place, group * kernel_.shape.c_i_per_group + c, plane, memory);
      if constexpr (kChecked<In>)
        is_clean = is_clean && is_fft_magnitude(largest_magnitude(plane, transform_.plane_size()));
      transform_.forward_columns(plane, memory.tiles, c);
    }
    return is_clean;
  }

  /// Fills a plane with the pixels of channel `c` that the outputs at `place` see, and the rest of it with zeros.
  template <class In>
  void fill(const TensorView<const In>& x, const Place& place, std::int64_t c, Real* plane, Memory& memory) const {
    const std::int64_t rows = place.h + extent_.h - 1, columns = place.w + extent_.w - 1, pitch = transform_.pitch();
    for (std::int64_t y = 0; y < rows; ++y) {
      Real* row = plane + y * pitch;
      const auto read_to = [&](float* floats) {
        read_padded_row(x, problem_, place.n, c, place.y - problem_.pads.top + y, place.x - problem_.pads.left, columns,
                        floats);
      };
      if constexpr (std::is_same_v<Real, float>) {
        read_to(row);
      } else {
        read_to(memory.rows.data());
        std::copy_n(memory.rows.data(), columns, row);
      }
      std::fill(row + columns, row + pitch, Real{0});
    }
    std::fill(plane + rows * pitch, plane + transform_.plane_size(), Real{0});
  }

  /// Tiles of the sum channels [first, last), all of one group, from its inputs: the products of spectra, transformed
  /// back along rows. `base` is the first of the batch.
  void correlate(std::int64_t first, std::int64_t last, std::int64_t base, Memory& memory) const {
    const std::int64_t inputs = kernel_.shape.c_i_per_group;
    for (std::int64_t b = 0; b < transform_.row_bundles(); ++b) {
      for (std::int64_t c = 0; c < inputs; ++c)
        transform_.forward_rows(memory.tiles, c, b, memory.row_bundles.bundle(c));
      for (std::int64_t o = first; o < last; ++o) {
        Real* product = memory.row_bundles.bundle(o + 1 < last ? inputs : 0);  // the last one may overwrite an input
        for (std::int64_t c = 0; c < inputs; ++c) {
          const Real* spectrum = spectra_.bundle((o * inputs + c) * transform_.row_bundles() + b);
          multiply_bundles(memory.row_bundles.bundle(c), spectrum, tiling_.tile.w, c > 0, product);
        }
        transform_.inverse_rows(product, memory.tiles, memory.first_output + o - base, b);
      }
    }
  }

  /// Computes the sums by the definition, tap by tap, for tiles with pixels that must not be transformed. Only f32
  /// pictures have such pixels.
  template <class In>
  void sum_directly(const TensorView<const In>& x, const Place& place, std::int64_t o, Real* sums,
                    Memory& memory) const {
    if constexpr (kChecked<In>) {
      const KernelShape& k = kernel_.shape;
      const std::int64_t group = o / (k.c_o / problem_.groups), pitch = transform_.pitch();
      float* plane = memory.planes.data() + memory.spare_plane * transform_.plane_size();
      std::fill_n(sums, transform_.plane_size(), 0.0F);
      for (std::int64_t c = 0; c < k.c_i_per_group; ++c) {
        fill(x, place, group * k.c_i_per_group + c, plane, memory);
        for (std::int64_t y = 0; y < place.h; ++y) {
          for (std::int64_t t = 0; t < k.kh * k.kw; ++t)
            memory.sources[static_cast<std::size_t>(t)] =
                plane + (y + t / k.kw * problem_.dilation.h) * pitch + t % k.kw * problem_.dilation.w;
          const TapRun run{.taps = k.kh * k.kw};
          sum_rows({.sources = memory.sources.data(), .weights = kernel_.taps(o, c), .runs = &run, .run_count = 1}, 0,
                   place.w, memory.rows.data(), 0);
          for (std::int64_t i = 0; i < place.w; ++i) sums[y * pitch + i] += memory.rows[static_cast<std::size_t>(i)];
        }
      }
    }
  }

  /// Passes the planes of output channel `c` to the sink.
  void hand_over(const Place& place, std::int64_t c, const Sink& sink, Memory& memory, ResponseStats& stats) const {
    const std::int64_t pitch = transform_.pitch(), joined = sink.combine_count();
    for (std::int64_t y = 0; y < place.h; ++y) {
      const RowSpan span{.n = place.n, .y = place.y + y, .x = place.x, .count = place.w};
      Real* sums = memory.planes.data() + y * pitch;
      if constexpr (std::is_same_v<Real, double>) {
        for (std::int64_t k = 0; tiling_.whole_bits && k < joined; ++k)
          round_row(sums + k * transform_.plane_size(), place.w);
        if (whole_float_sums_) {
          for (std::int64_t k = 0; k < joined; ++k)
            std::copy_n(sums + k * transform_.plane_size(), place.w, memory.rows.data() + k * pitch);
          sink.finish(span, c, memory.rows.data(), pitch, stats);
          continue;
        }
      }
      sink.finish(span, c, sums, transform_.plane_size(), stats);
    }
  }

  /// Rounds sums to the nearest multiples of 2^-whole_bits, their true values: next to 1.5 * 2^52 a double has no
  /// fraction bits.
  void round_row(double* sums, std::int64_t count) const {
    constexpr double kShift = 0x1.8p52;
    const double unit = std::ldexp(1.0, -*tiling_.whole_bits);
    for (std::int64_t x = 0; x < count; ++x) sums[x] = ((sums[x] + kShift) - kShift) * unit;
  }

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const Shape out_;
  const Extent extent_;
  const FftTiling tiling_;
  const TileTransform<Real> transform_;
  const bool whole_float_sums_;
  Bundles<Real> spectra_;  // row bundles of sum channel 0 and input channel 0, of input channel 1, ...
};

/// The buffers of FftExecutor::make_memory(), where a bundle takes no more than a plane: tiles, two planes, and a
/// bundle of each input channel and of an output.
double thread_memory(const ConvProblem& problem, const FftTiling& tiling) {
  constexpr std::int64_t kMostSlack = 32;  // columns between rows, and a row between bundles
  const double real = tiling.in_double ? sizeof(double) : sizeof(float);
  const double plane = real * static_cast<double>((tiling.tile.w + kMostSlack) * (tiling.tile.h + 2));
  const std::int64_t inputs = problem.kernel.c_i_per_group, outputs = problem.kernel.c_o / problem.groups;
  const double least = plane * static_cast<double>(inputs + 1), all = plane * static_cast<double>(inputs + outputs);
  return std::max(least, std::min(all, kMostFftTiles + plane)) + plane * static_cast<double>(inputs + 3);
}

}  // namespace

const Algorithm kFft = {
    .name = "fft",
    .threaded = true,
    .can_choose = true,
    .consider = [](const ConvProblem& problem, const Kernel& kernel) -> Offer {
      std::string reason;
      std::optional<FftTiling> tiling = choose_fft_tiling(whole_problem(problem), kernel, &reason);
      if (!tiling) return refuse(reason);
      tiling->count.h = (output_shape(problem).h + tiling->step.h - 1) / tiling->step.h;
      return {.nanoseconds = tiling->nanoseconds,
              .error_units = tiling->error_units,
              .thread_memory = thread_memory(problem, *tiling),
              .make = [&problem, &kernel, tiling = *tiling]() -> std::unique_ptr<Executor> {
                if (tiling.in_double) return std::make_unique<FftExecutor<double>>(problem, kernel, tiling);
                return std::make_unique<FftExecutor<float>>(problem, kernel, tiling);
              }};
    },
};

}  // namespace convtool
