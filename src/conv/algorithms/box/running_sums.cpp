#include "conv/algorithms/box/running_sums.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/box/running_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Counts = hn::ScalableTag<std::uint32_t>;

template <class T>
HWY_INLINE void Slide(const T* entering, const T* leaving, std::int64_t count, std::uint32_t* sums) {
  const Counts d;
  const hn::Rebind<T, Counts> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto pixels = [&](const T* from) HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(narrow, from)); };
  std::int64_t x = 0;
  for (; x + lanes <= count; x += lanes) {
    const auto sum = hn::Add(hn::LoadU(d, sums + x), pixels(entering + x));
    hn::StoreU(hn::Sub(sum, pixels(leaving + x)), d, sums + x);
  }
  for (; x < count; ++x) sums[x] = sums[x] + entering[x] - leaving[x];
}
void SlideBytes(const std::uint8_t* entering, const std::uint8_t* leaving, std::int64_t count, std::uint32_t* sums) {
  Slide(entering, leaving, count, sums);
}
void SlideShorts(const std::uint16_t* entering, const std::uint16_t* leaving, std::int64_t count, std::uint32_t* sums) {
  Slide(entering, leaving, count, sums);
}

/// Moves lanes up by a distance: the source of each lane, and the lanes that have one; the others become 0.
struct Shift {
  decltype(hn::IndicesFromVec(Counts(), hn::Zero(hn::RebindToSigned<Counts>()))) from;
  hn::Mask<Counts> inside;
};

/// A prefix sum. Within a vector it takes log2(lanes / distance) steps: each lane adds the one `distance` before it,
/// then the one twice as far away, and so on; then all add the total of the previous vector.
void AddUp(const std::uint32_t* sums, std::int64_t distance, std::int64_t count, std::uint32_t* prefix) {
  const Counts d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t x = 0; x < distance; ++x) prefix[x] = 0;
  std::uint32_t* to = prefix + distance;
  if (lanes <= distance) {
    for (std::int64_t x = 0; x < count; ++x) to[x] = sums[x] + prefix[x];
    return;
  }
  const auto table = [&](auto lane_of) HWY_ATTR {
    alignas(64) std::int32_t from[HWY_LANES(std::uint32_t)];
    for (std::int64_t i = 0; i < lanes; ++i) from[i] = static_cast<std::int32_t>(lane_of(i));
    return hn::SetTableIndices(d, from);
  };
  const auto last = table([&](std::int64_t i) { return lanes - distance + i % distance; });
  Shift shifts[4];
  int steps = 0;
  for (std::int64_t by = distance; by < lanes; by *= 2)
    shifts[steps++] = {table([&](std::int64_t i) { return i < by ? i : i - by; }),
                       hn::Not(hn::FirstN(d, static_cast<std::size_t>(by)))};
  auto total = hn::Zero(d);
  for (std::int64_t x = 0; x < count; x += lanes) {
    auto sum = hn::LoadU(d, sums + x);
    for (int step = 0; step < steps; ++step)
      sum = hn::Add(sum, hn::IfThenElseZero(shifts[step].inside, hn::TableLookupLanes(sum, shifts[step].from)));
    total = hn::Add(sum, hn::TableLookupLanes(total, last));
    hn::StoreU(total, d, to + x);
  }
}

void Weigh(const std::uint32_t* prefix, std::int64_t length, float weight, std::int64_t width, float* products) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<Counts> whole;
  const auto factor = hn::Set(d, weight);
  for (std::int64_t x = 0; x < width; x += static_cast<std::int64_t>(hn::Lanes(d))) {
    const auto window = hn::Sub(hn::LoadU(Counts(), prefix + x + length), hn::LoadU(Counts(), prefix + x));
    hn::StoreU(hn::Mul(factor, hn::ConvertTo(d, hn::BitCast(whole, window))), d, products + x);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(SlideBytes);
HWY_EXPORT(SlideShorts);
HWY_EXPORT(AddUp);
HWY_EXPORT(Weigh);

template <>
void slide(const std::uint8_t* entering, const std::uint8_t* leaving, std::int64_t count, std::uint32_t* sums) {
  HWY_DYNAMIC_DISPATCH(SlideBytes)(entering, leaving, count, sums);
}
template <>
void slide(const std::uint16_t* entering, const std::uint16_t* leaving, std::int64_t count, std::uint32_t* sums) {
  HWY_DYNAMIC_DISPATCH(SlideShorts)(entering, leaving, count, sums);
}
void add_up(const std::uint32_t* sums, std::int64_t distance, std::int64_t count, std::uint32_t* prefix) {
  HWY_DYNAMIC_DISPATCH(AddUp)(sums, distance, count, prefix);
}
void weigh(const std::uint32_t* prefix, std::int64_t length, float weight, std::int64_t width, float* products) {
  HWY_DYNAMIC_DISPATCH(Weigh)(prefix, length, weight, width, products);
}

}  // namespace convtool
#endif
