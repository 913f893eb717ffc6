// A picture in any of the layouts of inputs and outputs, with a guard around it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace convtool {

enum class Layout {
  planar,
  interleaved,        ///< x-stride C, c-stride 1
  reversed_channels,  ///< x-stride C, c-stride -1: OpenCV's BGR
  padded_rows,        ///< planar, with unused elements between rows
  unaligned,          ///< planar, one element past a 64-byte boundary
};
inline constexpr Layout kLayouts[] = {Layout::planar, Layout::interleaved, Layout::reversed_channels,
                                      Layout::padded_rows, Layout::unaligned};

constexpr std::string_view to_string(Layout layout) {
  constexpr std::string_view kNames[] = {"planar", "interleaved", "reversed channels", "padded rows", "unaligned"};
  return kNames[static_cast<int>(layout)];
}

/// Memory that holds a picture. All other bytes are 0xFF, a NaN or the largest integer: a read outside the picture
/// changes the result, and guard_intact() finds writes.
class PlacedTensor {
 public:
  /// `guard` is the number of elements on either side, a multiple of 64. With 0 the address sanitizer finds reads past
  /// the end.
  PlacedTensor(DType dtype, const Shape& shape, Layout layout, std::int64_t guard) {
    constexpr std::int64_t kGap = 5;  // between rows; odd, so that rows have every alignment
    const std::int64_t row = layout == Layout::padded_rows ? shape.w + kGap : shape.w;
    const bool interleaved = layout == Layout::interleaved || layout == Layout::reversed_channels;
    const Strides strides = interleaved ? Strides{shape.c * shape.h * shape.w, layout == Layout::interleaved ? 1 : -1,
                                                  shape.c * shape.w, shape.c}
                                        : Strides{shape.c * shape.h * row, shape.h * row, row, 1};
    const std::int64_t first = guard + (layout == Layout::reversed_channels ? shape.c - 1
                                        : layout == Layout::unaligned       ? 1
                                                                            : 0);
    const std::int64_t last_gap = layout == Layout::padded_rows ? kGap : 0;  // the last row ends where its pixels do
    const std::int64_t extra = layout == Layout::unaligned ? 1 : 0;
    block_ = Tensor(dtype, {1, 1, 1, shape.n * shape.c * shape.h * row - last_gap + extra + 2 * guard});
    std::memset(bytes(), 0xFF, size());
    ref_ = {bytes() + first * size_of(dtype), dtype, shape, strides};
  }

  const TensorRef& ref() const { return ref_; }

  void copy_from(const Tensor& planar) {
    visit_dtype(ref_.dtype, [&]<class T>(T) { copy(planar.ref().view<T>(), ref_.view<T>()); });
  }

  Tensor to_planar() const {
    Tensor planar(ref_.dtype, ref_.shape);
    visit_dtype(ref_.dtype, [&]<class T>(T) { copy(ConstTensorRef(ref_).view<T>(), planar.ref().view<T>()); });
    return planar;
  }

  /// Whether no byte outside the picture has changed.
  bool guard_intact() const {
    std::vector<bool> inside(size(), false);
    const std::int64_t element = size_of(ref_.dtype);
    const std::int64_t first = static_cast<const std::byte*>(ref_.data) - bytes();
    for_each(ref_.shape, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
      const Strides& s = ref_.strides;
      const std::int64_t at = first + (n * s.n + c * s.c + y * s.h + x * s.w) * element;
      for (std::int64_t b = 0; b < element; ++b) inside[static_cast<std::size_t>(at + b)] = true;
    });
    for (std::size_t i = 0; i < inside.size(); ++i)
      if (!inside[i] && bytes()[i] != std::byte{0xFF}) return false;
    return true;
  }

 private:
  template <class Visit>
  static void for_each(const Shape& shape, Visit&& visit) {
    for (std::int64_t n = 0; n < shape.n; ++n)
      for (std::int64_t c = 0; c < shape.c; ++c)
        for (std::int64_t y = 0; y < shape.h; ++y)
          for (std::int64_t x = 0; x < shape.w; ++x) visit(n, c, y, x);
  }

  template <class T>
  static void copy(const TensorView<const T>& from, const TensorView<T>& to) {
    for_each(to.shape, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
      to.at(n, c, y, x) = from.at(n, c, y, x);
    });
  }

  std::byte* bytes() { return static_cast<std::byte*>(block_.ref().data); }
  const std::byte* bytes() const { return static_cast<const std::byte*>(block_.ref().data); }
  std::size_t size() const { return static_cast<std::size_t>(block_.shape().count() * size_of(block_.dtype())); }

  Tensor block_;
  TensorRef ref_;
};

}  // namespace convtool
