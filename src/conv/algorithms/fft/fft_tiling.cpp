// The error of a sum computed by a tile's transforms. Let u = 2^-24, P = h * w the pixels of the tile, X the largest
// |x| among them, w the weights of one sum channel, ||w||_1 = sum|w|, ||w||_2 the root of sum w^2 (added over the C
// input channels that it sums). The method is that of Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
// section 24.1, applied to our passes. Constants are rounded up, which covers the terms in u^2.
//
// - A product of complex numbers errs by sqrt(5) u of itself (Brent, Percival and Zimmermann, "Error bounds on complex
//   floating-point multiplication", 2007), with a twiddle factor that was rounded by (1 + sqrt(5)) u = 3.24 u; a sum by
//   u. So a pass of radix 4 errs by 3.24 u + 2 u for two levels of the transform, and one of radix 8 by 9.24 u for
//   three (its multiplications by sqrt(1/2) count 3 u), in the 2-norm and relative to it. There is at most one radix 8
//   on each axis: 2.62 u for each of the log2(P / 2) levels and 2.8 u more. The products of spectra add 3.24 u, their
//   sum C u: altogether no more than F = 3 (log2(P) + 1) + C times u, relative to the norm of the tile, sqrt(P) X. By
//   the inequality of Cauchy and Schwarz this becomes an error of each output of at most F u sqrt(P) X ||w||_2.
// - On the way back, the roundings of a level reach an output only from values that still contribute to it. After level
//   l those are, up to a factor, a transform of P / 2^l outputs, none of which is larger than X ||w||_1. So level l
//   adds its roundings times u sqrt(P / 2^l) X ||w||_1. All levels of radix 4 together add 5.7 u sqrt(P) X ||w||_1;
//   with two passes of radix 8 where they count most it is 6.4.
//
// Together, in units of u X ||w||_1:  sqrt(P) (7 + F ||w||_2 / ||w||_1).
//
// In double u is 2^-53. The kernel's spectrum, which is computed in double for float transforms too, then has the error
// of a transform: at most F again, so doubling everything covers it.

#include "conv/algorithms/fft/fft_tiling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "core/tensor.h"

namespace convtool {
namespace {

constexpr std::int64_t kSmallestTile = 32, kLargestTile = 4096;
constexpr double kMostSpectra = 16 << 20;  // bytes

/// The rows of a very wide picture that a row of tiles sees and computes take no more bytes than this, where tiles
/// allow it, so that it can be filtered in bands without being in memory (conv/bands.h). With 31x31 weights on three
/// channels of floats, 100,000 pixels wide, tiles of 64 rows take 118 MB. Channels beyond kPictureChannels do not
/// count.
constexpr double kMostRows = 120e6;
constexpr std::int64_t kPictureChannels = 4;

/// The largest accepted float error bound, in units of 2^-24 * max|x| * sum|w|: the promise of a direct float sum of
/// 64x64 taps; kernels with more taps may have the promise of their own direct sum.
constexpr double kTolerance = 4096;

/// Limits of sum|w|. With them and those of is_fft_magnitude(), no value of a transform overflows, and any underflow is
/// far below the bound: transforms have no more than 2^24 pixels, and spectra are divided by half of that.
constexpr double kLeastWeights = 0x1p-40, kMostWeights = 0x1p40;

/// Norms of the weights of one sum channel: sum|w|, and the root of sum w^2 of each input channel, added over channels.
struct Norms {
  double one = 0, two = 0;
};

std::vector<Norms> norms_of(const Kernel& kernel) {
  std::vector<Norms> all;
  for (std::int64_t o = 0; o < kernel.shape.c_o; ++o) {
    Norms norms;
    for (std::int64_t c = 0; c < kernel.shape.c_i_per_group; ++c) {
      double squares = 0;
      for (std::int64_t t = 0; t < kernel.shape.kh * kernel.shape.kw; ++t) {
        const auto weight = static_cast<double>(kernel.taps(o, c)[t]);
        norms.one += std::fabs(weight);
        squares += weight * weight;
      }
      norms.two += std::sqrt(squares);
    }
    all.push_back(norms);
  }
  return all;
}

/// A problem, and the quantities that do not depend on the tile.
struct Task {
  const ConvProblem& problem;
  const Kernel& kernel;
  Shape out;
  Extent extent;
  std::vector<Norms> norms;
  double largest_pixel;  // of an integer picture and its padding
  bool in_double = false;
  std::optional<int> whole_bits;
};

/// FftTiling::whole_bits for this kernel.
std::optional<int> whole_bits(const Task& task) {
  const float padding = task.problem.padding_value;
  if (!is_integer(task.problem.input_dtype) || padding != std::trunc(padding)) return {};
  const std::vector<float>& weights = task.kernel.weights;
  const auto is_whole = [](float weight) { return weight == std::trunc(weight); };
  if (std::all_of(weights.begin(), weights.end(), is_whole)) return 0;
  const std::optional<DyadicWeights> dyadic = dyadic_weights(task.kernel);
  if (!dyadic) return {};
  return std::ilogb(dyadic->scale);
}

/// The error bound of a sum, in units of max|x| * sum|w| times 2^-24 in float, 2^-52 in double.
double error_units(const Extent& tile, const Task& task, const Norms& norms) {
  const auto pixels = static_cast<double>(tile.h * tile.w);
  const double forward = 3 * (std::log2(pixels) + 1) + static_cast<double>(task.kernel.shape.c_i_per_group);
  return std::sqrt(pixels) * (7 + forward * norms.two / norms.one);
}

/// Offer::error_units.
double largest_error(const Extent& tile, const Task& task) {
  double most = 0;
  for (const Norms& norms : task.norms)
    if (norms.one > 0) most = std::max(most, error_units(tile, task, norms));
  return 1 + (task.in_double ? 0x1p-28 : 1) * most;
}

bool is_exact_enough(const Extent& tile, const Task& task) {
  const auto taps = static_cast<double>(task.kernel.shape.taps());
  for (std::size_t o = 0; o < task.norms.size(); ++o) {
    const Norms& norms = task.norms[o];
    if (norms.one == 0) continue;
    const double units = error_units(tile, task, norms);
    if (task.whole_bits) {
      if (!(0x1p-52 * units * std::ldexp(task.largest_pixel * norms.one, *task.whole_bits) < 0.25)) return false;
    } else {
      if (!(task.in_double || units <= std::max(kTolerance, taps))) return false;
      const double divisor = task.kernel.divisor.empty() ? 1 : std::fabs(task.kernel.divisor[o]);
      const double error = (task.in_double ? 0x1p-52 : 0x1p-24) * units * task.largest_pixel * norms.one;
      if (is_integer(task.problem.input_dtype) && !(error < divisor / 2)) return false;
    }
  }
  return true;
}

bool fits_memory(const Extent& tile, const Task& task) {
  const KernelShape& k = task.kernel.shape;
  const double bytes = static_cast<double>(tile.h * tile.w) * (task.in_double ? sizeof(double) : sizeof(float));
  return bytes * static_cast<double>(k.c_i_per_group + 1) <= kMostFftTiles &&
         bytes * static_cast<double>(k.c_o * k.c_i_per_group) <= kMostSpectra;
}

/// Whether the rows that a row of tiles sees and computes fit kMostRows.
bool has_low_rows(const Extent& tile, const Task& task) {
  const auto row = [](std::int64_t channels, std::int64_t width, DType dtype) {
    return static_cast<double>(std::min(channels, kPictureChannels) * size_of(dtype)) * static_cast<double>(width);
  };
  const Shape &in = task.problem.input, &out = task.out;
  return static_cast<double>(tile.h) * row(in.c, in.w, task.problem.input_dtype) +
             static_cast<double>(tile.h - task.extent.h + 1) * row(out.c, out.w, DType::f32) <=
         kMostRows;
}

/// A model fitted to one core of a Zen 5 server processor with AVX-512, AVX2 and SSE4: pictures of 3840x2160 in u8 and
/// f32, 31x31 weights, and tiles of 64x64 to 1024x1024. A tile costs the levels of its transforms, half of them for
/// inputs, and one product per pair of channels, which waits for the spectrum to be loaded. Large tiles also wait for
/// their own data. Small tiles have short rows, which took 50 % longer for 11x11 to 21x21 weights. Interleaved channels
/// are moved one by one.
double nanoseconds(const FftTiling& tiling, const Task& task) {
  const KernelShape& k = task.kernel.shape;
  const auto pixels = static_cast<double>(tiling.tile.h * tiling.tile.w);
  const double per_level = 0.035 + 0.5 / static_cast<double>(float_lanes()), per_product = 0.12;
  const double per_pixel = static_cast<double>(task.problem.input.c + k.c_o) * per_level * std::log2(pixels) / 2 +
                           static_cast<double>(k.c_i_per_group * k.c_o) * per_product;
  const double width = tiling.in_double ? 2 : 1, waiting = 1 + width * pixels / (4 << 20) + 5000 / pixels;
  const auto interleaved = [&](const Shape& shape, bool channels_last) {
    return channels_last && shape.c > 1 ? 0.4 * static_cast<double>(shape.count()) : 0;
  };
  return static_cast<double>(task.problem.input.n * tiling.count.h * tiling.count.w) * pixels * per_pixel * width *
             waiting +
         interleaved(task.problem.input, task.problem.input_channels_last) +
         interleaved(task.out, task.problem.output_channels_last);
}

FftTiling tiling_of(const Extent& tile, const Task& task) {
  const auto tiles = [](std::int64_t outputs, std::int64_t most) { return (outputs + most - 1) / most; };
  const Extent count{tiles(task.out.h, tile.h - task.extent.h + 1), tiles(task.out.w, tile.w - task.extent.w + 1)};
  const Extent step{tiles(task.out.h, count.h), tiles(task.out.w, count.w)};  // evenly
  FftTiling tiling{
      .tile = tile, .step = step, .count = count, .in_double = task.in_double, .whole_bits = task.whole_bits};
  tiling.nanoseconds = nanoseconds(tiling, task);
  return tiling;
}

/// The cheapest tiling that `accept` accepts, without its error_units.
template <class Accept>
std::optional<FftTiling> cheapest(const Task& task, const Accept& accept) {
  std::optional<FftTiling> best;
  for (Extent tile{kSmallestTile, 0}; tile.h <= kLargestTile; tile.h *= 2) {
    for (tile.w = kSmallestTile; tile.w <= kLargestTile; tile.w *= 2) {
      if (tile.h < task.extent.h || tile.w < task.extent.w) continue;
      const FftTiling tiling = tiling_of(tile, task);
      if ((!best || tiling.nanoseconds < best->nanoseconds) && accept(tile)) best = tiling;
    }
  }
  return best;
}

}  // namespace

bool is_fft_magnitude(double largest) { return largest == 0 || (largest >= 0x1p-60 && largest <= 0x1p60); }

std::optional<FftTiling> choose_fft_tiling(const ConvProblem& problem, const Kernel& kernel, std::string* reason) {
  const auto refuse = [reason](const char* why) -> std::optional<FftTiling> {
    if (reason != nullptr) *reason = why;
    return {};
  };
  if (problem.stride != Extent{}) return refuse("it supports only stride 1");
  if (problem.direct_error && !is_integer(problem.input_dtype))
    return refuse("one bright pixel of floats may change sums far away from it");
  const double padding = std::fabs(static_cast<double>(problem.padding_value));
  Task task{.problem = problem,
            .kernel = kernel,
            .out = output_shape(problem),
            .extent = dilated_kernel(kernel.shape, problem.dilation),
            .norms = {},
            .largest_pixel = std::max(full_range(problem.input_dtype), padding),
            .in_double = false,
            .whole_bits = {}};
  constexpr const char* kTooLarge = "tiles large enough for the kernel exceed its memory limit";
  const auto fits = [&](const Extent& tile) { return fits_memory(tile, task); };
  // In float, without a look at the weights, of which there may be millions.
  if (!cheapest(task, fits)) return refuse(kTooLarge);
  task.norms = norms_of(kernel);
  const auto is_safe = [](const Norms& norms) {
    return norms.one == 0 || (norms.one >= kLeastWeights && norms.one <= kMostWeights);
  };
  if (!std::all_of(task.norms.begin(), task.norms.end(), is_safe) || !is_fft_magnitude(padding))
    return refuse("the weights or the padding value are too large, too small or not finite");
  task.whole_bits = whole_bits(task);
  task.in_double = task.whole_bits || problem.direct_error;

  const auto serves = [&](const Extent& tile) { return fits(tile) && is_exact_enough(tile, task); };
  const auto best_tiling = [&] {
    const auto low = cheapest(task, [&](const Extent& tile) { return serves(tile) && has_low_rows(tile, task); });
    std::optional<FftTiling> best = low ? low : cheapest(task, serves);
    if (best) best->error_units = largest_error(best->tile, task);
    return best;
  };
  if (!cheapest(task, fits)) return refuse(kTooLarge);
  if (const auto best = best_tiling()) return best;
  if (!task.in_double && is_integer(problem.input_dtype)) {
    task.in_double = true;
    if (const auto best = best_tiling()) return best;
  }
  return task.whole_bits ? refuse("the sums may become too large for it to compute them exactly")
                         : refuse("its error bound is larger than it allows for this number of weights");
}

}  // namespace convtool
