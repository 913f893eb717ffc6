// separable: kernels that are sums of a few outer products, as a pass along columns and a pass along rows.
//
// Gaussians, boxes, Sobel and many other kernels are the product of a column and a row. low_rank.h finds such products,
// and sums of up to four of them, in any kernel. Then each product takes kh + kw multiply-adds per pixel instead of kh
// * kw:
//
//   picture rows  ->  column pass, eight rows at once  ->  border columns filled in  ->  row pass  ->  sink
//
// The column pass reads the picture in place, whatever its type. Each vector of pixels is loaded and converted once for
// eight output rows. The result is eight rows of a tile in the second-level cache; the next tile to the right reuses
// the columns that both see. Border columns are copies of columns already summed, except those that show the opposite
// edge of the picture, which are summed one by one. An interleaved picture whose channels share their weights is
// filtered as one flat row (flat.h). Other pixels that are not contiguous, and rows of a padding value that pixels
// cannot have, are converted for each block.
//
// A factor of equal weights, as both of a box are, does not need a multiply-add per weight: windows of a row grow by
// doubling, and eight output rows share the sum of the rows that all their windows contain. Nothing is ever subtracted,
// unlike in running sums, so floats keep their bound and NaN goes no further than its windows. In either case no
// product goes through more roundings than there are taps.
//
// Compared with rows, separable needs less arithmetic from about 5x5 on. But it does not sum over channels, and a
// kernel of one row or column has nothing to separate.
//
// Numbers. One product is summed in float; several, which may cancel, in double. The error is below (taps + 4) * 2^-24
// * sum|x||w|, as for rows; low_rank.cpp has the proof and rejects kernels for which there is none. Where sums are
// exact in rows, they are exact here too. NaN and infinities appear where the definition has them. One product puts
// them there without further work (low_rank.cpp again). With several, each sum that is not finite is computed again by
// the definition. The column pass cannot overflow, as its weights add up to less than 1/2, so a sum is finite whenever
// sum|x||w| is far from 3.4e38.
//
// The idea of two passes is as old as image processing. Bart Wronski ("Separate your filters!", 2020) made it popular
// to search any kernel for such products, and to take sums of products from singular vectors.

#include <algorithm>
#include <optional>
#include <vector>

#include "conv/algorithms/separable/separable_pass.h"
#include "conv/engine/algorithm.h"
#include "conv/engine/flat_run.h"
#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "conv/low_rank.h"

namespace convtool {
namespace {

/// The products of each sum channel.
using ChannelProducts = std::vector<std::vector<OuterProduct>>;

/// One list when all channels have the same weights; empty when a channel has no products. Finding them takes less time
/// than a few rows of output.
ChannelProducts products_of_channels(const Kernel& kernel) {
  const Extent size{kernel.shape.kh, kernel.shape.kw};
  const auto taps = static_cast<std::ptrdiff_t>(kernel.shape.taps());
  const bool same = std::equal(kernel.weights.begin() + taps, kernel.weights.end(), kernel.weights.begin());
  ChannelProducts channels;
  for (std::int64_t o = 0; o < (same ? 1 : kernel.shape.c_o); ++o) {
    std::vector<OuterProduct> products = outer_products(kernel.taps(o, 0), size);
    if (products.empty()) return {};
    channels.push_back(std::move(products));
  }
  return channels;
}

std::size_t largest_rank(const ChannelProducts& channels) {
  std::size_t rank = 0;
  for (const std::vector<OuterProduct>& products : channels) rank = std::max(rank, products.size());
  return rank;
}

template <class T>
class SeparableExecutor final : public Executor {
 public:
  SeparableExecutor(const ConvProblem& problem, const Kernel& kernel, const ChannelProducts& channels)
      : problem_(problem),
        kernel_(kernel),
        may_flatten_(channels_share_kernel(problem, kernel)),
        tiling_(problem, may_flatten_ ? problem.input.c : 1),
        factors_(channels.begin(), channels.end()) {}

  /// Blocks of rows, of all slices.
  std::int64_t work_items(const Sink&) const override {
    const Shape out = output_shape(problem_);
    return out.n * ((out.w - 1) / tiling_.slice + 1) * ((out.h - 1) / tiling_.block + 1);
  }

  /// The rows of a block may share a part of their sums.
  std::int64_t row_period() const override { return tiling_.block; }

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    run_flat_where_possible(may_flatten_, input, sink,
                            [&](const ConstTensorRef& picture, std::int64_t pixel, const Sink& to) {
                              run_passes(problem_, kernel_, factors_, tiling_, picture, pixel, to, share, stats);
                            });
  }

 private:
  const ConvProblem& problem_;
  const Kernel& kernel_;
  const bool may_flatten_;
  const SeparableTiling tiling_;
  const std::vector<Factors<T>> factors_;
};

/// The most memory of a thread in bytes, apart from combined sums. A double, since large strides and dilations would
/// overflow an integer.
double memory_needed(const ConvProblem& problem, std::size_t rank) {
  const SeparableTiling tiling(problem, 1), flat(problem, problem.input.c);
  const auto sees = [&](const SeparableTiling& by, std::int64_t pixel) {
    return static_cast<double>(pixel) * (static_cast<double>(by.tile) * static_cast<double>(problem.stride.w) +
                                         static_cast<double>(window_width(problem)));
  };
  const double pitch = std::max(sees(tiling, 1), sees(flat, problem.input.c));
  const double rows = static_cast<double>(problem.kernel.kh + tiling.block) +
                      static_cast<double>(rank) * static_cast<double>(tiling.block);
  return static_cast<double>(sizeof(double)) * pitch * rows;
}

/// The same with the sums and two rows of the row pass, none of which is longer than the others, and a row of the
/// padding value. A single product is summed in float.
double thread_memory(const ConvProblem& problem, std::size_t rank) {
  constexpr double kMoreRows = 3;
  const double number = static_cast<double>(rank > 1 ? sizeof(double) : sizeof(float)) / sizeof(double);
  const SeparableTiling tiling(problem, 1);
  const double rows = static_cast<double>(problem.kernel.kh + tiling.block);
  const double outside =
      static_cast<double>(problem.input.w) * static_cast<double>(problem.input.c * size_of(problem.input_dtype));
  return number * memory_needed(problem, rank) * (1 + kMoreRows / rows) + outside;
}

/// The largest of error_units() over the sum channels.
double largest_error(const Kernel& kernel, const ChannelProducts& channels) {
  double most = 0;
  for (std::size_t o = 0; o < channels.size(); ++o)
    most = std::max(most, error_units(kernel.taps(static_cast<std::int64_t>(o), 0), {kernel.shape.kh, kernel.shape.kw},
                                      channels[o]));
  return most;
}

double cost(const ConvProblem& problem, std::size_t largest_rank) {
  // On a Zen 5 a vector of multiply-adds takes 0.14 ns in the column pass and 0.19 in the row pass, whose loads are
  // unaligned; doubles need two vectors. The constants per input and output were fitted to Gaussians at 3840x2160.
  const auto rank = static_cast<double>(largest_rank);
  const auto lanes = static_cast<double>(float_lanes());
  const double vectors = rank > 1 ? 2 * rank : 1;
  const auto rows = static_cast<double>(std::min(problem.stride.h, problem.kernel.kh) * problem.stride.w);
  const double taps =
      0.19 * rows * static_cast<double>(problem.kernel.kw) + 0.14 * static_cast<double>(problem.kernel.kh);
  return static_cast<double>(output_shape(problem).count()) * (0.1 + (1 + vectors * taps) / lanes) +
         0.08 * static_cast<double>(problem.input.count());
}

Offer consider(const ConvProblem& problem, const Kernel& kernel) {
  if (kernel.shape.c_i_per_group > 1) return refuse("it does not sum over channels");
  if (kernel.shape.kh == 1 || kernel.shape.kw == 1)
    return refuse("a kernel of one row or column has nothing to separate");
  if (!float_sums_suffice(problem, kernel)) return refuse(kBeyondFloat);
  const auto channels = std::make_shared<const ChannelProducts>(products_of_channels(kernel));
  if (channels->empty()) return refuse("the kernel is not the sum of a few products of a column and a row");
  const std::size_t rank = largest_rank(*channels);
  if (memory_needed(problem, rank) > kMostMemory) return refuse(kBeyondMemory);
  return {.nanoseconds = cost(problem, rank),
          .error_units = largest_error(kernel, *channels),
          .thread_memory = thread_memory(problem, rank),
          .make = [&problem, &kernel, channels, rank]() -> std::unique_ptr<Executor> {
            if (rank > 1) return std::make_unique<SeparableExecutor<double>>(problem, kernel, *channels);
            return std::make_unique<SeparableExecutor<float>>(problem, kernel, *channels);
          }};
}

}  // namespace

const Algorithm kSeparable = {.name = "separable", .threaded = true, .can_choose = true, .consider = consider};

}  // namespace convtool
