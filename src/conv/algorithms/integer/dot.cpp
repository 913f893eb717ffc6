// Pairs of taps on any instruction set: bytes are widened to 16 bits, multiplied and added in pairs.

#include "conv/algorithms/integer/dot.h"

#include <algorithm>

#include "conv/engine/instruction_set.h"
#include "core/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/integer/dot.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/registers-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

struct Pairs {
  struct Pixels {
    std::int32_t first, second;
  };
  using Sum = std::int32_t;
  static constexpr int kRows = 4, kTaps = 2;

  explicit Pairs(std::int64_t step) : step_(step) {}
  static constexpr std::int64_t lanes() { return 1; }
  static Sum zero() { return 0; }
  Pixels spread(const std::uint8_t* bytes) const { return {bytes[0], bytes[step_]}; }
  static Pixels broadcast(std::int32_t pair) { return {static_cast<std::int16_t>(pair), pair >> 16}; }
  static void add(Pixels pixels, Pixels weights, Sum& sum) {
    sum += pixels.first * weights.first + pixels.second * weights.second;
  }
  static void store(Sum sum, std::int32_t* to) { *to = sum; }

 private:
  std::int64_t step_;
};

#else

struct Pairs {
  using D32 = hn::ScalableTag<std::int32_t>;
  using D16 = hn::Repartition<std::int16_t, D32>;
  using D8 = hn::Repartition<std::uint8_t, D32>;
  using Pixels = hn::Vec<D16>;
  /// Two vectors that add up to the sum, as ReorderWidenMulAccumulate() returns them on some processors.
  struct Sum {
    hn::Vec<D32> a, b;
  };
  /// Output rows at a time. Two vectors of outputs for each leave registers for pixels and weights. Of the two vectors
  /// of a Sum, only NEON uses the second.
  static constexpr int kRows = kVectorRegisters == 32 && !HWY_ARCH_ARM_A64 ? 8 : 4;
  static constexpr int kTaps = 2;

  explicit Pairs(std::int64_t step) : bytes_in_block_(hn::Zero(D8())) {
    // Lane i of four takes bytes i and i + step of the 16 loaded, each followed by a zero. Where one load serves two
    // groups of four lanes, the second group starts 4 bytes further on.
    alignas(64) std::uint8_t bytes[HWY_MAX_BYTES];
    for (std::int64_t at = 0; at < HWY_MAX_BYTES; at += 4) {
      const std::int64_t lane = at / 4 % (kOneLoad ? 8 : 4);
      bytes[at] = static_cast<std::uint8_t>(lane);
      bytes[at + 2] = static_cast<std::uint8_t>(lane + step);
      bytes[at + 1] = bytes[at + 3] = 0x80;
    }
    bytes_in_block_ = hn::LoadU(D8(), bytes);
  }

  static constexpr std::int64_t lanes() { return static_cast<std::int64_t>(hn::MaxLanes(D32())); }
  static HWY_INLINE Sum zero() { return {hn::Zero(D32()), hn::Zero(D32())}; }

  HWY_INLINE Pixels spread(const std::uint8_t* bytes) const {
    if constexpr (kOneLoad) {
      return hn::BitCast(D16(), hn::TableLookupBytesOr0(hn::LoadDup128(D8(), bytes), bytes_in_block_));
    } else {
      // Sixteen bytes for each group of four outputs, starting at bytes 0, 4, 8 and 12.
      alignas(64) static constexpr std::int32_t kQuads[16] = {0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6};
      const hn::Half<D8> half;
      const auto loaded = hn::BitCast(D32(), hn::ZeroExtendVector(D8(), hn::LoadU(half, bytes)));
      const auto blocks = hn::TableLookupLanes(loaded, hn::SetTableIndices(D32(), kQuads));
      return hn::BitCast(D16(), hn::TableLookupBytesOr0(hn::BitCast(D8(), blocks), bytes_in_block_));
    }
  }
  static HWY_INLINE Pixels broadcast(std::int32_t pair) { return hn::BitCast(D16(), hn::Set(D32(), pair)); }
  static HWY_INLINE void add(Pixels pixels, Pixels weights, Sum& sum) {
    sum.a = hn::ReorderWidenMulAccumulate(D32(), pixels, weights, sum.a, sum.b);
  }
  static HWY_INLINE void store(const Sum& sum, std::int32_t* to) {
    hn::StoreU(hn::RearrangeToOddPlusEven(sum.a, sum.b), D32(), to);
  }

 private:
  /// Whether 16 bytes contain all pixels of a vector: 8 outputs see 8 + kMostDotStep of them.
  static constexpr bool kOneLoad = hn::MaxLanes(D32()) <= 8;

  hn::Vec<D8> bytes_in_block_;
};

#endif

#include "conv/algorithms/integer/dot_block-inl.h"

void DotPairs(const DotTask& task) { DotAll<Pairs>(task); }

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

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
