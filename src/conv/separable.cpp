// separable: kernels that are sums of few outer products, as a pass along rows and a pass along columns.
//
// Gaussians, boxes, Sobel and many more are the product of a column and a row; low_rank.h finds that by itself, and
// sums of up to four such products. Then kw + kh multiply-adds a pixel and product do the work of kw * kh:
//
//   picture row  ->  strip: floats, border filled in  ->  row pass  ->  ring of filtered rows  ->  column pass  -> sink
//
// The picture is cut into tiles of columns, so narrow that the ring, the rows that a window needs, stays in the second
// level cache; a tile is walked from top to bottom, eight rows at a time, so that each row of the ring is loaded once
// for eight outputs (passes-inl.h). An input row is converted and filtered once. An interleaved picture whose channels
// share their weights is filtered as one flat row (flat.h).
//
// Against rows: less arithmetic from about 5x5 on, and none of its strips as wide as the picture. It does not sum over
// channels; and a kernel of one row or column has nothing to separate.
//
// Numbers. One product is summed in float, several in double, as they may cancel. The error is below
// (taps + 4) * 2^-24 * sum|x||w|, as rows' is; low_rank.cpp has the proof, and refuses kernels for which there is none.
// Exact weights stay exact, as far as rows keeps them. NaN and infinities appear where the definition has them: for one
// product by themselves (low_rank.cpp again), for several by computing each sum that is not finite once more by the
// definition. The row pass cannot overflow, as its weights add up to less than 1/2, so a sum is finite whenever
// sum|x||w| is far from 3.4e38.
//
// The idea of two passes is as old as image processing. That a program should look for it in any kernel it is given,
// and how singular vectors give sums of products, was made popular by Bart Wronski ("Separate your filters!", 2020).

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "conv/algorithm.h"
#include "conv/flat.h"
#include "conv/float_sums.h"
#include "conv/low_rank.h"
#include "conv/padding.h"
#include "conv/passes.h"
#include "conv/simd.h"
#include "core/aligned.h"

namespace convtool {
namespace {

/// The products of each sum channel: one list when all channels have the same weights, and empty when one has none.
/// Takes less time than a few rows of output.
std::vector<std::vector<OuterProduct>> products_of_channels(const Kernel& kernel) {
  const Extent size{kernel.shape.kh, kernel.shape.kw};
  const auto taps = static_cast<std::ptrdiff_t>(kernel.shape.taps());
  const bool same = std::equal(kernel.weights.begin() + taps, kernel.weights.end(), kernel.weights.begin());
  std::vector<std::vector<OuterProduct>> channels;
  for (std::int64_t o = 0; o < (same ? 1 : kernel.shape.c_o); ++o) {
    std::vector<OuterProduct> products = outer_products(kernel.taps(o, 0), size);
    if (products.empty()) return {};
    channels.push_back(std::move(products));
  }
  return channels;
}

std::size_t largest_rank(const std::vector<std::vector<OuterProduct>>& channels) {
  std::size_t rank = 0;
  for (const std::vector<OuterProduct>& products : channels) rank = std::max(rank, products.size());
  return rank;
}

/// The weights of one sum channel, as the passes take them.
template <class T>
struct Factors {
  std::int64_t terms;
  std::vector<T> rows, columns;  // [terms][kw], [terms][kh]

  explicit Factors(const std::vector<OuterProduct>& products) : terms(static_cast<std::int64_t>(products.size())) {
    for (const OuterProduct& product : products) {
      for (const double weight : product.row) rows.push_back(static_cast<T>(weight));
      for (const double weight : product.column) columns.push_back(static_cast<T>(weight));
    }
  }
};

/// Bytes of a ring that are to stay in a second level cache, and columns of a tile whose sums stay in the first.
constexpr std::int64_t kRingBytes = std::int64_t{384} << 10;
constexpr std::int64_t kTileColumns = 1024;

/// What a thread may hold.
constexpr double kMostMemory = 16 << 20;

std::int64_t round_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

/// How a picture is cut into tiles, and the sizes of what a tile needs, in pixels.
struct Tiling {
  std::int64_t block;         // output rows that are made at once
  std::int64_t width;         // of a tile of outputs
  std::int64_t count;         // tiles side by side
  std::int64_t padded_width;  // of the input that a tile sees
  std::int64_t slots;         // rows of the ring

  /// A pixel is `columns` columns of the picture, and takes `bytes` in a row of the ring.
  Tiling(const ConvProblem& problem, std::int64_t columns, std::int64_t bytes) {
    constexpr std::int64_t kLeastWidth = 64;  // so many, and multiples of it, fill the row pass's blocks
    const Extent window = dilated_kernel(problem.kernel, problem.dilation);
    const std::int64_t ow = output_shape(problem).w;
    block = problem.stride.h == 1 && problem.dilation.h == 1 ? kColumnPassRows : 1;
    const std::int64_t needed = problem.kernel.kh + block - 1;
    const std::int64_t affordable = std::min(kRingBytes / (bytes * needed), kTileColumns / columns);
    const std::int64_t tiles = (ow - 1) / std::max(affordable, kLeastWidth) + 1;
    width = std::min(round_up((ow - 1) / tiles + 1, kLeastWidth), ow);
    count = (ow - 1) / width + 1;
    padded_width = (width - 1) * problem.stride.w + window.w;
    // Dilated windows and strides come back to rows; as many stay as the cache holds.
    slots = std::max(needed, std::min({window.h, problem.input.h + 1, kRingBytes / (bytes * width)}));
  }
};

template <class T>
class SeparableExecutor final : public Executor {
 public:
  SeparableExecutor(const ConvProblem& problem, const Kernel& kernel,
                    const std::vector<std::vector<OuterProduct>>& channels)
      : problem_(problem),
        kernel_(kernel),
        out_(output_shape(problem)),
        rank_(static_cast<std::int64_t>(largest_rank(channels))),
        may_flatten_(channels_share_kernel(problem, kernel)),
        factors_(channels.begin(), channels.end()) {}

  /// Rows of tiles: down a tile, then through the tiles, then through the batch.
  std::int64_t pieces(const Sink& sink) const override { return out_.n * tiling(sink).count * out_.h; }

  void run(const ConstTensorRef& input, const Sink& sink, std::int64_t begin, std::int64_t end,
           ResponseStats& stats) const override {
    visit_dtype(input.dtype, [&]<class In>(In) {
      if (may_flatten_ && is_interleaved(input) && sink.combine_count() * problem_.groups == kernel_.shape.c_o) {
        if (const std::optional<Sink> flat = sink.flattened(input))
          return run_on<In>(flat_view(input).template view<In>(), *flat, problem_.input.c, begin, end, stats);
      }
      run_on<In>(input.view<In>(), sink, 1, begin, end, stats);
    });
  }

 private:
  /// Input rows after the row pass, each with one segment for every term of the sum channels in work.
  struct Ring {
    AlignedVector<T> values;
    std::int64_t segment = 0, row = 0;    // elements of each
    std::vector<std::int64_t> inputs;     // the input row in each slot, or kEmpty
    std::vector<std::int64_t> last_used;  // by output row; -1 when the slot is empty

    void clear() {
      std::fill(inputs.begin(), inputs.end(), kEmpty);
      std::fill(last_used.begin(), last_used.end(), -1);
    }
  };
  static constexpr std::int64_t kEmpty = -2;

  /// What a thread works with.
  struct Scratch {
    Ring ring;
    AlignedVector<T> strip, unstrided, sums;
    std::vector<std::int64_t> slots;  // of the rows that a block of outputs sees
    std::vector<const T*> rows;       // the same for all terms of a sum channel
  };

  /// The outputs in work: a tile of one output channel, counted in pixels. In a flat view `pixel` columns are one.
  template <class In>
  struct Tile {
    const TensorView<const In>& x;
    std::int64_t pixel, n, c, begin, width;
  };

  Tiling tiling(const Sink& sink) const {
    const std::int64_t columns = may_flatten_ ? problem_.input.c : 1;
    return {problem_, columns, columns * rank_ * sink.combine_count() * static_cast<std::int64_t>(sizeof(T))};
  }

  template <class In>
  void run_on(const TensorView<const In>& x, const Sink& sink, std::int64_t pixel, std::int64_t begin, std::int64_t end,
              ResponseStats& stats) const {
    const Tiling tiling = this->tiling(sink);
    Scratch scratch = scratch_for(tiling, pixel, sink.combine_count());
    for (std::int64_t piece = begin; piece < end;) {
      const std::int64_t first = piece % out_.h, rows = std::min(end - piece, out_.h - first);
      const std::int64_t index = piece / out_.h, left = index % tiling.count * tiling.width;
      for (std::int64_t c = 0; c < sink.output_channels(); ++c) {
        const Tile<In> tile{x, pixel, index / tiling.count, c, left, std::min(tiling.width, out_.w - left)};
        scratch.ring.clear();
        for (std::int64_t i = first; i < first + rows; i += tiling.block)
          make_rows(tile, i, std::min(tiling.block, first + rows - i), sink, scratch, stats);
      }
      piece += rows;
    }
  }

  Scratch scratch_for(const Tiling& tiling, std::int64_t pixel, std::int64_t joined) const {
    const auto floats = [](std::int64_t count) { return AlignedVector<T>(static_cast<std::size_t>(count)); };
    const std::int64_t segment = round_up(tiling.width * pixel + kRowSlack, kLine);
    const std::int64_t row = rank_ * joined * segment;
    const auto slots = static_cast<std::size_t>(tiling.slots);
    const auto window = static_cast<std::size_t>(problem_.kernel.kh + tiling.block - 1);
    return {.ring = {.values = floats(tiling.slots * row),
                     .segment = segment,
                     .row = row,
                     .inputs = std::vector<std::int64_t>(slots),
                     .last_used = std::vector<std::int64_t>(slots)},
            .strip = floats(tiling.padded_width * pixel + kRowSlack),
            .unstrided = floats(problem_.stride.w > 1 ? tiling.padded_width * pixel + kRowSlack : 0),
            .sums = floats(joined * tiling.block * segment),
            .slots = std::vector<std::int64_t>(window),
            .rows = std::vector<const T*>(window * static_cast<std::size_t>(rank_))};
  }

  const Factors<T>& factors(std::int64_t o) const {
    return factors_[factors_.size() == 1 ? 0 : static_cast<std::size_t>(o)];
  }

  /// The input channel of sum channel `o`; the flat view has but one.
  template <class In>
  std::int64_t input_channel(const Tile<In>& tile, std::int64_t o) const {
    return tile.x.shape.c == 1 ? 0 : o / (kernel_.shape.c_o / problem_.groups);
  }

  std::int64_t input_row(std::int64_t i, std::int64_t u) const {
    return pad_index(problem_.padding_mode, i * problem_.stride.h - problem_.pads.top + u * problem_.dilation.h,
                     problem_.input.h);
  }

  /// Output rows [i, i + count) of a tile.
  template <class In>
  void make_rows(const Tile<In>& tile, std::int64_t i, std::int64_t count, const Sink& sink, Scratch& scratch,
                 ResponseStats& stats) const {
    const std::int64_t joined = sink.combine_count(), taps = kernel_.shape.kh, window = taps + count - 1;
    for (std::int64_t t = 0; t < window; ++t)
      scratch.slots[static_cast<std::size_t>(t)] = slot_of(tile, input_row(i, t), i, joined, scratch);

    const std::int64_t width = tile.width * tile.pixel, pitch = scratch.ring.segment;
    const T* segment = scratch.ring.values.data();
    for (std::int64_t j = 0; j < joined; ++j) {
      const std::int64_t o = tile.c * joined + j, terms = factors(o).terms;
      auto row = scratch.rows.begin();
      for (std::int64_t k = 0; k < terms; ++k, segment += scratch.ring.segment)
        for (std::int64_t t = 0; t < window; ++t)
          *row++ = segment + scratch.slots[static_cast<std::size_t>(t)] * scratch.ring.row;
      T* sums = scratch.sums.data() + j * count * pitch;
      column_pass<T>({scratch.rows.data(), factors(o).columns.data(), terms, taps, window}, sums, pitch, width);
      if constexpr (std::is_same_v<T, double> && std::is_same_v<In, float>)
        for (std::int64_t r = 0; r < count; ++r) mend(tile, i + r, o, sums + r * pitch);
    }
    for (std::int64_t r = 0; r < count; ++r)
      sink.finish<T>({.n = tile.n, .y = i + r, .x = tile.begin * tile.pixel, .count = width}, tile.c,
                     scratch.sums.data() + r * pitch, count * pitch, stats);
  }

  /// The slot of the ring that holds input row `y`, or kOutside; filtered now if it is not there yet. `now` is the
  /// output row. There are as many slots as rows in a window, so none is lost that this output row needs.
  template <class In>
  std::int64_t slot_of(const Tile<In>& tile, std::int64_t y, std::int64_t now, std::int64_t joined,
                       Scratch& scratch) const {
    Ring& ring = scratch.ring;
    const auto found = std::find(ring.inputs.begin(), ring.inputs.end(), y);
    const std::int64_t slot =
        found != ring.inputs.end()
            ? found - ring.inputs.begin()
            : std::min_element(ring.last_used.begin(), ring.last_used.end()) - ring.last_used.begin();
    ring.last_used[static_cast<std::size_t>(slot)] = now;
    if (found != ring.inputs.end()) return slot;

    ring.inputs[static_cast<std::size_t>(slot)] = y;
    T* segment = ring.values.data() + slot * ring.row;
    std::int64_t in_strip = -1;
    for (std::int64_t j = 0; j < joined; ++j) {
      const std::int64_t o = tile.c * joined + j, c = input_channel(tile, o);
      if (c != in_strip) fill_strip(tile, c, y, scratch.strip.data());
      in_strip = c;
      for (std::int64_t k = 0; k < factors(o).terms; ++k, segment += ring.segment)
        filter_strip(factors(o).rows.data() + k * kernel_.shape.kw, tile.width, tile.pixel, scratch, segment);
    }
    return slot;
  }

  /// The row pass, for `width` outputs. For strides it makes the outputs between too, which are then left out.
  void filter_strip(const T* weights, std::int64_t width, std::int64_t pixel, Scratch& scratch, T* to) const {
    const std::int64_t stride = problem_.stride.w;
    const auto pass = [&](std::int64_t outputs, T* sums) {
      row_pass(scratch.strip.data(), weights, kernel_.shape.kw, problem_.dilation.w * pixel, sums, outputs * pixel);
    };
    if (stride == 1) return pass(width, to);
    const T* unstrided = scratch.unstrided.data();
    pass((width - 1) * stride + 1, scratch.unstrided.data());
    for (std::int64_t j = 0; j < width; ++j) std::copy_n(unstrided + j * stride * pixel, pixel, to + j * pixel);
  }

  /// What a tile sees of row `y` of input channel `c`, borders included.
  template <class In>
  void fill_strip(const Tile<In>& tile, std::int64_t c, std::int64_t y, T* strip) const {
    const std::int64_t pixel = tile.pixel, step = tile.x.strides.w;
    const std::int64_t first = tile.begin * problem_.stride.w - problem_.pads.left;
    const std::int64_t last =
        first + (tile.width - 1) * problem_.stride.w + dilated_kernel(problem_.kernel, problem_.dilation).w;
    const auto padding = static_cast<T>(problem_.padding_value);
    if (y == kOutside) {
      std::fill_n(strip, (last - first) * pixel, padding);
      return;
    }
    const In* row = tile.x.row(tile.n, c, y);
    const auto fill_border = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at) {
        const std::int64_t from = pad_index(problem_.padding_mode, at, problem_.input.w);
        for (std::int64_t k = 0; k < pixel; ++k)
          strip[(at - first) * pixel + k] = from == kOutside ? padding : static_cast<T>(row[(from * pixel + k) * step]);
      }
    };
    const std::int64_t begin = std::clamp<std::int64_t>(0, first, last),
                       end = std::clamp(problem_.input.w, begin, last);
    fill_border(first, begin);
    if (begin < end) convert(row + begin * pixel * step, step, (end - begin) * pixel, strip + (begin - first) * pixel);
    fill_border(end, last);
  }

  template <class In>
  static void convert(const In* pixels, std::int64_t step, std::int64_t count, T* to) {
    if constexpr (std::is_same_v<T, float>)
      to_floats(pixels, step, count, to);
    else
      for (std::int64_t x = 0; x < count; ++x) to[x] = static_cast<T>(pixels[x * step]);
  }

  /// Sums that are not finite are made once more by the definition: where the kernel meets one infinity, products that
  /// cancel meet two of opposite signs.
  void mend(const Tile<float>& tile, std::int64_t i, std::int64_t o, double* sums) const {
    for (std::int64_t x = 0; x < tile.width * tile.pixel; ++x)
      if (!std::isfinite(sums[x])) sums[x] = sum_by_definition(tile, i, tile.begin * tile.pixel + x, o);
  }

  double sum_by_definition(const Tile<float>& tile, std::int64_t i, std::int64_t x, std::int64_t o) const {
    const KernelShape& k = kernel_.shape;
    const float* weight = kernel_.taps(o, 0);
    double sum = 0;
    for (std::int64_t u = 0; u < k.kh; ++u) {
      const std::int64_t y = input_row(i, u);
      for (std::int64_t v = 0; v < k.kw; ++v) {
        const std::int64_t at = x / tile.pixel * problem_.stride.w - problem_.pads.left + v * problem_.dilation.w;
        const std::int64_t from = pad_index(problem_.padding_mode, at, problem_.input.w);
        const float value = y == kOutside || from == kOutside
                                ? problem_.padding_value
                                : tile.x.at(tile.n, input_channel(tile, o), y, from * tile.pixel + x % tile.pixel);
        sum += static_cast<double>(*weight++) * static_cast<double>(value);
      }
    }
    return sum;
  }

  static constexpr std::int64_t kLine = 64 / sizeof(T);

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const Shape out_;
  const std::int64_t rank_;
  const bool may_flatten_;
  const std::vector<Factors<T>> factors_;
};

/// What a thread holds at least, in bytes. As a double, since strides and dilations may be as large as they like.
double memory_needed(const ConvProblem& problem) {
  const Tiling tiling(problem, 1, sizeof(double));
  return static_cast<double>(problem.input.c) * sizeof(double) *
         (static_cast<double>(tiling.width) * static_cast<double>(tiling.slots) +
          2 * static_cast<double>(tiling.padded_width));
}

}  // namespace

const Algorithm kSeparable = {
    .name = "separable",
    .threaded = true,
    .can_choose = true,
    .refusal = [](const ConvProblem& problem, const Kernel& kernel) -> std::string {
      if (kernel.shape.c_i_per_group > 1) return "it does not sum over channels";
      if (kernel.shape.kh == 1 || kernel.shape.kw == 1) return "a kernel of one row or column has nothing to separate";
      if (memory_needed(problem) > kMostMemory) return "its rows would take more than 16 MiB a thread";
      if (!float_sums_suffice(problem, kernel))
        return "the sums of these integers need more than the 24 bits of a float";
      if (products_of_channels(kernel).empty())
        return "the kernel is not the sum of a few products of a column and a row";
      return "";
    },
    .cost =
        [](const ConvProblem& problem, const Kernel& kernel) {
          return 0.05 * static_cast<double>(output_shape(problem).count()) *
                 static_cast<double>(largest_rank(products_of_channels(kernel))) *
                 static_cast<double>(kernel.shape.kh + kernel.shape.kw);
        },
    .prepare = [](const ConvProblem& problem, const Kernel& kernel) -> std::unique_ptr<Executor> {
      const auto channels = products_of_channels(kernel);
      if (largest_rank(channels) > 1) return std::make_unique<SeparableExecutor<double>>(problem, kernel, channels);
      return std::make_unique<SeparableExecutor<float>>(problem, kernel, channels);
    },
};

}  // namespace convtool
