// Shapes, strided views of pixels and the memory behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"

namespace convtool {

enum class DType : std::uint8_t { u8, u16, f32 };

constexpr std::string_view to_string(DType dtype) {
  return dtype == DType::u8 ? "u8" : dtype == DType::u16 ? "u16" : "f32";
}

constexpr std::int64_t size_of(DType dtype) { return dtype == DType::u8 ? 1 : dtype == DType::u16 ? 2 : 4; }

constexpr bool is_integer(DType dtype) { return dtype != DType::f32; }

/// The largest value of an integer type: 255 or 65535.
constexpr double full_range(DType dtype) { return dtype == DType::u8 ? 255.0 : 65535.0; }

/// The value of full intensity: the largest of an integer type, 1 in f32.
constexpr double full_value(DType dtype) { return is_integer(dtype) ? full_range(dtype) : 1.0; }

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return DType::u8;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return DType::u16;
  else {
    static_assert(std::is_same_v<T, float>);
    return DType::f32;
  }
}

/// Calls `visit` with a value-initialised element of the C++ type that `dtype` names, and returns its result.
template <class Visitor>
decltype(auto) visit_dtype(DType dtype, Visitor&& visit) {
  switch (dtype) {
    case DType::u8: return visit(std::uint8_t{});
    case DType::u16: return visit(std::uint16_t{});
    case DType::f32: break;
  }
  return visit(float{});
}

/// Batch, channels, height, width: the order of PyTorch, whatever the layout in memory.
struct Shape {
  std::int64_t n = 1, c = 1, h = 0, w = 0;

  constexpr std::int64_t count() const { return n * c * h * w; }
  constexpr bool operator==(const Shape&) const = default;
};

/// "3x480x640", or "2x3x480x640" for a batch of more than one.
inline std::string to_string(const Shape& shape) {
  std::string text = shape.n == 1 ? "" : std::to_string(shape.n) + "x";
  return text + std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" + std::to_string(shape.w);
}

/// The last `rank` sizes: {c, h, w} for rank 3.
inline std::vector<std::int64_t> sizes_of(const Shape& shape, int rank) {
  const std::vector<std::int64_t> all = {shape.n, shape.c, shape.h, shape.w};
  return {all.end() - rank, all.end()};
}

/// Distances, in elements, between neighbours along each axis. Any of them may be negative or zero.
struct Strides {
  std::int64_t n = 0, c = 0, h = 0, w = 0;

  constexpr bool operator==(const Strides&) const = default;
};

/// A picture or tensor in memory owned by others: `data` points to element (0,0,0,0).
/// An interleaved RGB picture is a view with w-stride 3 and c-stride 1; OpenCV's BGR order has c-stride -1.
template <class T>
struct TensorView {
  T* data = nullptr;
  Shape shape;
  Strides strides;

  T* row(std::int64_t n, std::int64_t c, std::int64_t y) const {
    return data + n * strides.n + c * strides.c + y * strides.h;
  }
  T& at(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const { return row(n, c, y)[x * strides.w]; }
};

namespace detail {

/// A view whose element type is known only at run time. `Void` is void or const void.
template <class Void>
struct BasicTensorRef {
  Void* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;
  Strides strides;

  /// The typed view; `T` (without const) must be the type that `dtype` names.
  template <class T>
  auto view() const {
    require(dtype == dtype_of<T>(), "a view asked for another element type than it has");
    using Element = std::conditional_t<std::is_const_v<Void>, const T, T>;
    return TensorView<Element>{static_cast<Element*>(data), shape, strides};
  }

  /// Channels [first, first + count) of the same memory.
  BasicTensorRef channels(std::int64_t first, std::int64_t count) const {
    require(first >= 0 && count >= 0 && first + count <= shape.c, "channels out of range");
    using Byte = std::conditional_t<std::is_const_v<Void>, const std::byte, std::byte>;
    BasicTensorRef part = *this;
    part.data = static_cast<Byte*>(data) + first * strides.c * size_of(dtype);
    part.shape.c = count;
    return part;
  }

  /// One item of the batch.
  BasicTensorRef item(std::int64_t n) const {
    require(n >= 0 && n < shape.n, "an item out of range");
    using Byte = std::conditional_t<std::is_const_v<Void>, const std::byte, std::byte>;
    BasicTensorRef part = *this;
    part.data = static_cast<Byte*>(data) + n * strides.n * size_of(dtype);
    part.shape.n = 1;
    return part;
  }

  /// Rows [first, first + count) of the same memory.
  BasicTensorRef rows(std::int64_t first, std::int64_t count) const {
    require(first >= 0 && count >= 0 && first + count <= shape.h, "rows out of range");
    using Byte = std::conditional_t<std::is_const_v<Void>, const std::byte, std::byte>;
    BasicTensorRef part = *this;
    part.data = static_cast<Byte*>(data) + first * strides.h * size_of(dtype);
    part.shape.h = count;
    return part;
  }
};

}  // namespace detail

using TensorRef = detail::BasicTensorRef<void>;

/// The read-only kind; a TensorRef converts to it.
struct ConstTensorRef : detail::BasicTensorRef<const void> {
  ConstTensorRef() = default;
  ConstTensorRef(const TensorRef& ref) {
    data = ref.data;
    dtype = ref.dtype;
    shape = ref.shape;
    strides = ref.strides;
  }
  ConstTensorRef(const BasicTensorRef& ref) : BasicTensorRef(ref) {}
};

/// Frees memory from allocate_pixels().
struct FreePixels {
  void operator()(void* bytes) const;
};

/// Allocates `size` bytes, not initialised, aligned to at least 64 bytes: a cache line and an AVX-512 vector. Large
/// blocks use huge pages where the system has them. The first access to a page costs about a microsecond, which for
/// pages of 4 KiB adds up to more than most filters take. Throws std::bad_alloc.
std::unique_ptr<void, FreePixels> allocate_pixels(std::size_t size);

/// Owns a planar (n, c, h, w contiguous) block of elements, 64-byte aligned, not initialised.
class Tensor {
 public:
  Tensor() = default;
  /// Throws std::bad_alloc.
  Tensor(DType dtype, const Shape& shape)
      : dtype_(dtype),
        shape_(shape),
        bytes_(allocate_pixels(static_cast<std::size_t>(shape.count() * size_of(dtype)))) {}

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }

  TensorRef ref() { return {bytes_.get(), dtype_, shape_, planar_strides()}; }
  ConstTensorRef ref() const { return TensorRef{bytes_.get(), dtype_, shape_, planar_strides()}; }

  /// The same memory with another shape, which may have fewer elements.
  Tensor reshaped(const Shape& shape) && {
    require(shape.count() <= shape_.count(), "a tensor reshaped to more elements than it has");
    shape_ = shape;
    return std::move(*this);
  }

  /// The elements in (n, c, h, w) order.
  template <class T>
  T* data() {
    return ref().view<T>().data;
  }
  template <class T>
  const T* data() const {
    return ref().view<T>().data;
  }

 private:
  Strides planar_strides() const { return {shape_.c * shape_.h * shape_.w, shape_.h * shape_.w, shape_.w, 1}; }

  DType dtype_ = DType::f32;
  Shape shape_;
  std::unique_ptr<void, FreePixels> bytes_;
};

/// A view of `tensor` whose elements are in (n, h, w, c) order in memory.
inline TensorRef channels_last(Tensor& tensor) {
  TensorRef ref = tensor.ref();
  const Shape& s = ref.shape;
  ref.strides = {.n = s.c * s.h * s.w, .c = 1, .h = s.c * s.w, .w = s.c};
  return ref;
}

}  // namespace convtool
