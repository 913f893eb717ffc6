// Pairs of taps on any instruction set: bytes widened to 16 bits, multiplied and added two by two. Included once for
// each instruction set by way of hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_DOT_INL_H_
#undef CONVTOOL_CONV_DOT_INL_H_
#else
#define CONVTOOL_CONV_DOT_INL_H_
#endif

#include <hwy/highway.h>

#include "conv/algorithms/integer/dot.h"

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
  /// Two parts, whose total is the sum: what some processors multiply into.
  struct Sum {
    hn::Vec<D32> a, b;
  };
  /// Twice as many sums, and some, fit the registers: 32 of them with AVX-512, else 16.
  static constexpr int kRows = HWY_TARGET == HWY_AVX3 ? 8 : 4;
  static constexpr int kTaps = 2;

  explicit Pairs(std::int64_t step) : bytes_in_block_(hn::Zero(D8())) {
    // Lane i of a block of four takes its bytes i and i + step, each beside a zero; from 4 further on in each block
    // where one load serves two blocks.
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
      // Sixteen bytes for each block of outputs, from 0, 4, 8 and 12 on.
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
  /// Whether 16 bytes hold all pixels of a vector: 8 outputs see 8 + kMostDotStep.
  static constexpr bool kOneLoad = hn::MaxLanes(D32()) <= 8;

  hn::Vec<D8> bytes_in_block_;
};

#endif

#include "conv/algorithms/integer/dot_block-inl.h"

void DotPairs(const DotTask& task) { DotAll<Pairs>(task); }

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
