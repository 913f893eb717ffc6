#include "conv/fft_tiling.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "conv/dyadic.h"
#include "conv/simd.h"
#include "core/tensor.h"

namespace convtool {
namespace {

constexpr std::int64_t kSmallestTile = 32, kLargestTile = 4096;
constexpr double kMostSpectra = 16 << 20;  // bytes

/// sum|w|, and the root of sum w^2 of each input channel's weights, added over channels: of one sum channel.
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

/// A problem, and what does not depend on the tile.
struct Task {
  const ConvProblem& problem;
  const Kernel& kernel;
  Shape out;
  Extent extent;
  std::vector<Norms> norms;
  double largest_pixel;  // of an integer picture and its padding
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

/// The error bound of a sum, in units of max|x| * sum|w| times 2^-24 in float, 2^-50 in double.
double error_units(const Extent& tile, const Task& task, const Norms& norms) {
  const auto pixels = static_cast<double>(tile.h * tile.w);
  const double forward = 3 * (std::log2(pixels) + 1) + static_cast<double>(task.kernel.shape.c_i_per_group);
  return std::sqrt(pixels) * (7 + forward * norms.two / norms.one);
}

bool is_exact_enough(const Extent& tile, const Task& task) {
  const double tolerated = std::max(4096.0, static_cast<double>(task.kernel.shape.taps()));
  return std::all_of(task.norms.begin(), task.norms.end(), [&](const Norms& norms) {
    if (norms.one == 0) return true;
    const double units = error_units(tile, task, norms);
    if (task.whole_bits) return 0x1p-50 * units * std::ldexp(task.largest_pixel * norms.one, *task.whole_bits) < 0.25;
    return units <= tolerated;
  });
}

bool fits_memory(const Extent& tile, const Task& task) {
  const KernelShape& k = task.kernel.shape;
  const double bytes = static_cast<double>(tile.h * tile.w) * (task.whole_bits ? sizeof(double) : sizeof(float));
  return bytes * static_cast<double>(k.c_i_per_group + 1) <= kMostFftTiles &&
         bytes * static_cast<double>(k.c_o * k.c_i_per_group) <= kMostSpectra;
}

double nanoseconds(const FftTiling& tiling, const Task& task) {
  const double pixels = static_cast<double>(tiling.tile.h * tiling.tile.w);
  const double per = std::log2(pixels) * 0.02 + 0.1;
  return static_cast<double>(task.problem.input.n * tiling.count.h * tiling.count.w) * pixels * per *
         static_cast<double>(task.problem.input.c + task.kernel.shape.c_o) * (tiling.whole_bits ? 2 : 1);
}

FftTiling tiling_of(const Extent& tile, const Task& task) {
  const auto tiles = [](std::int64_t outputs, std::int64_t most) { return (outputs + most - 1) / most; };
  const Extent count{tiles(task.out.h, tile.h - task.extent.h + 1), tiles(task.out.w, tile.w - task.extent.w + 1)};
  const Extent step{tiles(task.out.h, count.h), tiles(task.out.w, count.w)};  // evenly
  FftTiling tiling{.tile = tile, .step = step, .count = count, .whole_bits = task.whole_bits};
  tiling.nanoseconds = nanoseconds(tiling, task);
  return tiling;
}

}  // namespace

bool is_fft_magnitude(double largest) { return largest == 0 || (largest >= 0x1p-60 && largest <= 0x1p60); }

std::optional<FftTiling> choose_fft_tiling(const ConvProblem& problem, const Kernel& kernel, std::string* reason) {
  const auto refuse = [reason](const char* why) -> std::optional<FftTiling> {
    if (reason != nullptr) *reason = why;
    return {};
  };
  if (problem.stride != Extent{}) return refuse("it computes every output, and the stride skips some");
  Task task{
      .problem = problem,
      .kernel = kernel,
      .out = output_shape(problem),
      .extent = dilated_kernel(kernel.shape, problem.dilation),
      .norms = norms_of(kernel),
      .largest_pixel = std::max(full_range(problem.input_dtype), std::fabs(static_cast<double>(problem.padding_value))),
      .whole_bits = {}};
  const auto is_safe = [](const Norms& norms) {
    return norms.one == 0 || (norms.one >= 0x1p-40 && norms.one <= 0x1p40);
  };
  if (!std::all_of(task.norms.begin(), task.norms.end(), is_safe) ||
      !is_fft_magnitude(std::fabs(static_cast<double>(problem.padding_value))))
    return refuse("weights or padding are so large, so small or so undefined that its sums might not be");
  task.whole_bits = whole_bits(task);

  std::optional<FftTiling> best;
  bool fits = false;
  for (Extent tile{kSmallestTile, 0}; tile.h <= kLargestTile; tile.h *= 2) {
    for (tile.w = kSmallestTile; tile.w <= kLargestTile; tile.w *= 2) {
      if (tile.h < task.extent.h || tile.w < task.extent.w || !fits_memory(tile, task)) continue;
      fits = true;
      if (!is_exact_enough(tile, task)) continue;
      const FftTiling tiling = tiling_of(tile, task);
      if (!best || tiling.nanoseconds < best->nanoseconds) best = tiling;
    }
  }
  if (const char* e = std::getenv("TILE")) {
    Extent t;
    int h, w;
    if (sscanf(e, "%dx%d", &h, &w) == 2) {
      t.h = h;
      t.w = w;
      return tiling_of(t, task);
    }
  }
  if (!fits) return refuse("the kernel, in tiles that hold it, takes more memory than it allows itself");
  if (!best && task.whole_bits) return refuse("it cannot promise whole sums as large as these may become");
  if (!best) return refuse("its error bound for so few weights is worse than it tolerates");
  return best;
}

}  // namespace convtool
