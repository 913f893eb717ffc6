// Seeded random numbers that are the same on every machine, unlike those of std's distributions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "core/tensor.h"

namespace convtool {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// An integer in [low, high]. The bias of the modulo is negligible for small ranges.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }

  bool chance(std::int64_t one_in) { return between(1, one_in) == 1; }

  template <class Choices>
  auto pick(const Choices& choices) {
    return *(std::begin(choices) + between(0, static_cast<std::int64_t>(std::size(choices)) - 1));
  }

  /// A float in [-1, 1) that uses all 24 bits of its significand, so that products are rounded.
  float rough() { return static_cast<float>(between(-(1 << 24), (1 << 24) - 1)) * 0x1p-24F; }

  std::uint64_t seed() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

/// A planar tensor filled with `next()`, called for each element in (n, c, h, w) order.
template <class Next>
Tensor filled(DType dtype, const Shape& shape, Next&& next) {
  Tensor tensor(dtype, shape);
  visit_dtype(dtype, [&]<class T>(T) {
    T* data = tensor.data<T>();
    for (std::int64_t i = 0; i < shape.count(); ++i) data[i] = static_cast<T>(next());
  });
  return tensor;
}

/// `count` floats from `next()`.
template <class Next>
std::vector<float> floats(std::int64_t count, Next&& next) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(next());
  return values;
}

}  // namespace convtool
