#include "pictures/png/scanlines.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace convtool {
namespace {

using u8 = std::uint8_t;

// Samples in their order, big-endian.

template <class T, int channels>
void pack_row(const TensorView<const T>& pixels, std::int64_t y, u8* out) {
  const T* pixel = pixels.data + y * pixels.strides.h;
  for (std::int64_t x = 0; x < pixels.shape.w; ++x, pixel += pixels.strides.w) {
    for (int c = 0; c < channels; ++c) {
      const T sample = pixel[c * pixels.strides.c];
      if constexpr (sizeof(T) == 2) *out++ = static_cast<u8>(sample >> 8);
      *out++ = static_cast<u8>(sample);
    }
  }
}

template <class T>
void pack_row(const TensorView<const T>& pixels, std::int64_t y, u8* out) {
  switch (pixels.shape.c) {
    case 1: return pack_row<T, 1>(pixels, y, out);
    case 2: return pack_row<T, 2>(pixels, y, out);
    case 3: return pack_row<T, 3>(pixels, y, out);
    default: return pack_row<T, 4>(pixels, y, out);
  }
}

void pack_row(const ConstTensorRef& pixels, std::int64_t y, u8* out) {
  if (pixels.dtype == DType::u8)
    pack_row(pixels.view<u8>(), y, out);
  else
    pack_row(pixels.view<std::uint16_t>(), y, out);
}

// Filters predict x from a to its left, b above it and c above a. They compute in bytes and without branches, so that
// compilers turn the loop over a row into instructions on 16 bytes at once.

constexpr u8 all_bits_if(bool holds) { return static_cast<u8>(-static_cast<int>(holds)); }

constexpr u8 select(u8 mask, u8 yes, u8 no) { return static_cast<u8>((yes & mask) | (no & ~mask)); }

/// The integer part of (a + b) / 2.
constexpr u8 average(u8 a, u8 b) {
  const u8 rounded_up = static_cast<u8>((a + b + 1) >> 1);
  return static_cast<u8>(rounded_up - ((a ^ b) & 1));
}

/// The one of a, b and c that is nearest to a + b - c, in this order of preference (9.4). The distance of c is
/// |(a - c) + (b - c)|: the sum of the other two distances if c is on the same side of a and b, else their difference.
constexpr u8 paeth(u8 a, u8 b, u8 c) {
  const u8 to_a = static_cast<u8>(std::max(b, c) - std::min(b, c));
  const u8 to_b = static_cast<u8>(std::max(a, c) - std::min(a, c));
  const u8 sum = static_cast<u8>(to_a + to_b);
  const u8 at_most_255 = static_cast<u8>(sum | all_bits_if(sum < to_a));
  const u8 difference = static_cast<u8>(std::max(to_a, to_b) - std::min(to_a, to_b));
  const u8 to_c = select(all_bits_if((a >= c) == (b >= c)), at_most_255, difference);
  return select(all_bits_if((to_a <= to_b) & (to_a <= to_c)), a, select(all_bits_if(to_b <= to_c), b, c));
}

template <int filter>
constexpr u8 predict(u8 a, u8 b, u8 c) {
  switch (filter) {
    case 1: return a;
    case 2: return b;
    case 3: return average(a, b);
    case 4: return paeth(a, b, c);
    default: return 0;
  }
}

/// Filters the `size` bytes of `row` into `out`, and returns the sum of their magnitudes. Before both rows there is a
/// pixel, of `pixel` bytes.
template <int filter>
[[gnu::always_inline]] inline std::int64_t filter_bytes(const u8* row, const u8* above, std::size_t size,
                                                        std::size_t pixel, u8* __restrict out) {
  const u8 *const left = row - pixel, *const above_left = above - pixel;
  std::int64_t total = 0;
  for (std::size_t begin = 0; begin < size; begin += 4096) {  // 4096 magnitudes sum to less than 2^31
    std::int32_t sum = 0;
    for (std::size_t i = begin; i < std::min(size, begin + 4096); ++i) {
      out[i] = static_cast<u8>(row[i] - predict<filter>(left[i], above[i], above_left[i]));
      sum += std::abs((out[i] ^ 0x80) - 128);  // processors have an instruction for sums of |u - v|, u and v unsigned
    }
    total += sum;
  }
  return total;
}

template <int filter>
std::int64_t filter_row(const u8* row, const u8* above, std::size_t size, std::size_t pixel, u8* __restrict out) {
  return filter_bytes<filter>(row, above, size, pixel, out);
}

constexpr std::array kFilters = {filter_row<0>, filter_row<1>, filter_row<2>, filter_row<3>, filter_row<4>};

#ifdef __x86_64__
// The same on 32 bytes at once. Other processors have one width.
template <int filter>
[[gnu::target("avx2")]] std::int64_t filter_wide(const u8* row, const u8* above, std::size_t size, std::size_t pixel,
                                                 u8* __restrict out) {
  return filter_bytes<filter>(row, above, size, pixel, out);
}

constexpr std::array kWideFilters = {filter_wide<0>, filter_wide<1>, filter_wide<2>, filter_wide<3>, filter_wide<4>};

const auto& filters_here() { return __builtin_cpu_supports("avx2") ? kWideFilters : kFilters; }
#else
const auto& filters_here() { return kFilters; }
#endif

}  // namespace

std::size_t scanline_size(const ConstTensorRef& pixels) {
  return static_cast<std::size_t>(1 + pixels.shape.w * pixels.shape.c * size_of(pixels.dtype));
}

void write_scanlines(const ConstTensorRef& rows, bool is_top, bool choose, u8* out) {
  constexpr std::size_t kWithinRow = 2;  // filters: none and Sub
  const std::size_t size = scanline_size(rows) - 1;
  const auto pixel = static_cast<std::size_t>(rows.shape.c * size_of(rows.dtype));
  std::vector<u8> row(pixel + size), above(pixel + size), best(size), trial(size);
  const auto& filters = filters_here();
  for (std::int64_t y = 0; y < rows.shape.h; ++y, out += size + 1) {
    std::swap(row, above);
    pack_row(rows, y, row.data() + pixel);
    out[0] = 0;
    if (!choose) {
      std::memcpy(out + 1, row.data() + pixel, size);
      continue;
    }
    const std::size_t count = y > 0 || is_top ? filters.size() : kWithinRow;
    std::int64_t least = filters[0](row.data() + pixel, above.data() + pixel, size, pixel, best.data());
    for (std::size_t filter = 1; filter < count; ++filter) {
      const std::int64_t sum = filters[filter](row.data() + pixel, above.data() + pixel, size, pixel, trial.data());
      if (sum >= least) continue;
      least = sum;
      out[0] = static_cast<u8>(filter);
      std::swap(best, trial);
    }
    std::memcpy(out + 1, best.data(), size);
  }
}

}  // namespace convtool
