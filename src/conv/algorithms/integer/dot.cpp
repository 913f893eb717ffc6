#include "conv/algorithms/integer/dot.h"

#include <algorithm>

#include "conv/engine/instruction_set.h"
#include "core/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/integer/dot.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/algorithms/integer/dot-inl.h"

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(DotPairs);

namespace {

DotKernel::Lanes best_lanes(const std::int32_t* weights, std::int64_t count) {
  if (instruction_set() != kAvx3Vnni) return DotKernel::Lanes::pairs;
  for (std::int64_t i = 0; i < count; ++i)
    if (weights[i] < -128 || weights[i] > 127) return DotKernel::Lanes::vnni_pairs;
  return DotKernel::Lanes::vnni_quads;
}

constexpr std::int64_t taps_in(DotKernel::Lanes lanes) { return lanes == DotKernel::Lanes::vnni_quads ? 4 : 2; }

}  // namespace

std::int64_t dot_taps(const std::int32_t* weights, std::int64_t count) { return taps_in(best_lanes(weights, count)); }

DotKernel::DotKernel(const std::int32_t* unpacked, std::int64_t the_inputs, std::int64_t the_kh, std::int64_t kw)
    : lanes(best_lanes(unpacked, the_inputs * the_kh * kw)),
      inputs(the_inputs),
      kh(the_kh),
      groups((kw + taps_in(lanes) - 1) / taps_in(lanes)) {
  const std::int64_t taps = taps_in(lanes), bits = 32 / taps;
  for (std::int64_t c = 0; c < inputs; ++c)
    for (std::int64_t group = 0; group < groups; ++group)
      for (std::int64_t u = 0; u < kh; ++u) {
        std::uint32_t packed = 0;
        for (std::int64_t v = group * taps; v < std::min(kw, (group + 1) * taps); ++v) {
          const auto weight = static_cast<std::uint32_t>(unpacked[(c * kh + u) * kw + v]);
          packed |= (weight & ((1U << bits) - 1)) << (bits * (v % taps));
        }
        weights.push_back(static_cast<std::int32_t>(packed));
      }
}

std::int64_t DotKernel::reach(std::int64_t width, std::int64_t step) const {
  constexpr std::int64_t kWidestLoad = 32;  // from the last vector's first byte on
  return (width + kDotColumns - 1) / kDotColumns * kDotColumns + groups * taps_in(lanes) * step + kWidestLoad;
}

void dot_rows(const DotKernel& kernel, std::int64_t step, const std::uint8_t* const* rows, std::int64_t width,
              std::int32_t* sums, std::int64_t pitch) {
  require(step >= 1 && step <= kMostDotStep, "taps too far apart for dot products");
  const DotTask task{.weights = kernel.weights.data(),
                     .inputs = kernel.inputs,
                     .kh = kernel.kh,
                     .groups = kernel.groups,
                     .step = step,
                     .rows = rows,
                     .width = width,
                     .sums = sums,
                     .pitch = pitch};
  switch (kernel.lanes) {
    case DotKernel::Lanes::vnni_quads: return dot_quads_vnni(task);
    case DotKernel::Lanes::vnni_pairs: return dot_pairs_vnni(task);
    case DotKernel::Lanes::pairs: return HWY_DYNAMIC_DISPATCH(DotPairs)(task);
  }
}

}  // namespace convtool
#endif
