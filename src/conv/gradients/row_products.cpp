#include "conv/gradients/row_products.h"

#include <hwy/cache_control.h>

#include <array>
#include <utility>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/gradients/row_products.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/registers-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The most lists on either side. The registers are for their products and for a vector of each list on the right.
constexpr std::size_t kMostLeft = kVectorRegisters / 4;
constexpr std::size_t kMostRight = 3;

/// The distance, in floats, at which rows on the right are prefetched: long rows come from memory. Prefetching saves a
/// seventh of the time of 3x3 at 3840x2160.
constexpr std::int64_t kAhead = 512;

/// Converts one float per sum of a vector to the type of the sums.
template <class D>
HWY_INLINE hn::Vec<D> AsSums(D d, hn::Vec<hn::Rebind<float, D>> floats) {
  if constexpr (sizeof(hn::TFromD<D>) == sizeof(float))
    return floats;
  else
    return hn::PromoteTo(d, floats);
}

/// A vector of a row.
struct Whole {
  template <class D>
  HWY_INLINE hn::Vec<D> operator()(D d, const float* floats) const {
    return AsSums(d, hn::LoadU(hn::Rebind<float, D>(), floats));
  }
};

/// The last vector of a row. Only its first `count` floats belong to the row.
struct Part {
  std::size_t count;

  template <class D>
  HWY_INLINE hn::Vec<D> operator()(D d, const float* floats) const {
    const hn::Rebind<float, D> narrow;
    return AsSums(d, hn::IfThenElseZero(hn::FirstN(narrow, count), hn::LoadU(narrow, floats)));
  }
};

/// Keeps a vector in a register. Otherwise GCC 12 loads it again for each multiply-add, as if memory operands were
/// free. Most of these loads cross cache lines, and loads are the limit here.
template <class V>
HWY_INLINE void KeepInRegister(V& v) {
#if HWY_ARCH_X86 && HWY_COMPILER_GCC
  if constexpr (HWY_TARGET != HWY_EMU128) asm("" : "+v"(v.raw));  // EMU128 keeps its lanes in an array
#else
  static_cast<void>(v);
#endif
}

/// The products of kLeft lists with kRight lists. Indices are constants, by fold expressions, so that compilers keep
/// every sum in a register.
template <class D, std::size_t kLeft, std::size_t kRight>
class ProductTile {
 public:
  HWY_INLINE ProductTile() { Clear(All()); }

  template <class Load>
  HWY_INLINE void Add(const float* const* left, const float* const* right, std::int64_t at, const Load& load) {
    hn::Vec<D> of_right[kRight];
    for (std::size_t b = 0; b < kRight; ++b) {
      hwy::Prefetch(right[b] + at + kAhead);
      of_right[b] = load(D(), right[b] + at);
    }
    Add(left, of_right, at, load, std::make_index_sequence<kLeft>());
  }

  HWY_INLINE void AddTo(double* sums, std::int64_t pitch) const { AddTo(sums, pitch, All()); }

 private:
  using All = std::make_index_sequence<kLeft * kRight>;

  template <std::size_t... I>
  HWY_INLINE void Clear(std::index_sequence<I...>) {
    ((sums_[I] = hn::Zero(D())), ...);
  }

  template <class Load, std::size_t... A>
  HWY_INLINE void Add(const float* const* left, const hn::Vec<D>* right, std::int64_t at, const Load& load,
                      std::index_sequence<A...>) {
    (AddRow<A>(load(D(), left[A] + at), right, std::make_index_sequence<kRight>()), ...);
  }

  /// Adds the products of one vector of the left with all of the right.
  template <std::size_t kRow, std::size_t... B>
  HWY_INLINE void AddRow(hn::Vec<D> left, const hn::Vec<D>* right, std::index_sequence<B...>) {
    KeepInRegister(left);
    ((sums_[kRow * kRight + B] = hn::MulAdd(left, right[B], sums_[kRow * kRight + B])), ...);
  }

  template <std::size_t... I>
  HWY_INLINE void AddTo(double* sums, std::int64_t pitch, std::index_sequence<I...>) const {
    ((sums[static_cast<std::int64_t>(I / kRight) * pitch + static_cast<std::int64_t>(I % kRight)] +=
      static_cast<double>(hn::GetLane(hn::SumOfLanes(D(), sums_[I])))),
     ...);
  }

  hn::Vec<D> sums_[kLeft * kRight];
};

template <class Sum, std::size_t kLeft, std::size_t kRight>
void AddTile(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width, double* sums,
             std::int64_t pitch) {
  const hn::ScalableTag<Sum> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  ProductTile<decltype(d), kLeft, kRight> tile;
  for (std::int64_t i = 0; i < height; ++i) {
    const float* const* left_rows = left.rows + i * left.pitch;
    const float* const* right_rows = right.rows + i * right.pitch;
    std::int64_t k = 0;
    for (; k + lanes <= width; k += lanes) tile.Add(left_rows, right_rows, k, Whole());
    if (k < width) tile.Add(left_rows, right_rows, k, Part{static_cast<std::size_t>(width - k)});
  }
  tile.AddTo(sums, pitch);
}

using AddTileFunction = void (*)(const RowLists&, const RowLists&, std::int64_t, std::int64_t, double*, std::int64_t);

/// AddTile for 1, 2, ... kMostLeft lists on the left.
template <class Sum, std::size_t kRight, std::size_t... L>
constexpr std::array<AddTileFunction, sizeof...(L)> AddTileFunctions(std::index_sequence<L...>) {
  return {&AddTile<Sum, L + 1, kRight>...};
}

template <class Sum>
void AddRowProducts(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width, double* sums,
                    std::int64_t pitch) {
  using Sizes = std::make_index_sequence<kMostLeft>;
  static constexpr std::array<AddTileFunction, kMostLeft> kFunctions[kMostRight] = {
      AddTileFunctions<Sum, 1>(Sizes()), AddTileFunctions<Sum, 2>(Sizes()), AddTileFunctions<Sum, 3>(Sizes())};
  cut_evenly(left.count, kMostLeft, [&](std::int64_t left_begin, std::int64_t left_end) {
    cut_evenly(right.count, kMostRight, [&](std::int64_t begin, std::int64_t end) {
      kFunctions[end - begin - 1][static_cast<std::size_t>(left_end - left_begin - 1)](
          left.part(left_begin, left_end), right.part(begin, end), height, width, sums + left_begin * pitch + begin,
          pitch);
    });
  });
}

void AddRowProductsInFloat(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width,
                           double* sums, std::int64_t pitch) {
  AddRowProducts<float>(left, right, height, width, sums, pitch);
}
void AddRowProductsInDouble(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width,
                            double* sums, std::int64_t pitch) {
  AddRowProducts<double>(left, right, height, width, sums, pitch);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(AddRowProductsInFloat);
HWY_EXPORT(AddRowProductsInDouble);

template <>
void add_row_products<float>(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width,
                             double* sums, std::int64_t pitch) {
  HWY_DYNAMIC_DISPATCH(AddRowProductsInFloat)(left, right, height, width, sums, pitch);
}

template <>
void add_row_products<double>(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width,
                              double* sums, std::int64_t pitch) {
  HWY_DYNAMIC_DISPATCH(AddRowProductsInDouble)(left, right, height, width, sums, pitch);
}

}  // namespace convtool
#endif
