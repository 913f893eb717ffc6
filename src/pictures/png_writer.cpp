// OpenCV's encoder is not used because it spent half of the time for a large picture in zlib, and because it cannot
// write grey with alpha.
#include "pictures/png_writer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "pictures/compression.h"

namespace convtool {
namespace {

// Samples in their order, big-endian.

template <class T, int channels>
void pack_row(const TensorView<const T>& pixels, std::int64_t y, std::uint8_t* out) {
  const T* pixel = pixels.data + y * pixels.strides.h;
  for (std::int64_t x = 0; x < pixels.shape.w; ++x, pixel += pixels.strides.w) {
    for (int c = 0; c < channels; ++c) {
      const T sample = pixel[c * pixels.strides.c];
      if constexpr (sizeof(T) == 2) *out++ = static_cast<std::uint8_t>(sample >> 8);
      *out++ = static_cast<std::uint8_t>(sample);
    }
  }
}

template <class T>
void pack_row(const TensorView<const T>& pixels, std::int64_t y, std::uint8_t* out) {
  switch (pixels.shape.c) {
    case 1: return pack_row<T, 1>(pixels, y, out);
    case 2: return pack_row<T, 2>(pixels, y, out);
    case 3: return pack_row<T, 3>(pixels, y, out);
    default: return pack_row<T, 4>(pixels, y, out);
  }
}

// Filters predict x from a to its left, b above it and c above a. Rows are stored after a pixel of zeros.

int predict(int filter, int a, int b, int c) {
  switch (filter) {
    case 1: return a;
    case 2: return b;
    case 3: return (a + b) / 2;
    case 4: {
      const int to_a = std::abs(b - c), to_b = std::abs(a - c), to_c = std::abs(a + b - 2 * c);
      return to_a <= to_b && to_a <= to_c ? a : to_b <= to_c ? b : c;
    }
    default: return 0;
  }
}

/// Filters the `size` bytes of `row` into `out`, and returns the sum of their magnitudes. Before both rows there is a
/// pixel, of `pixel` bytes.
template <int filter>
std::int64_t filter_row(const std::uint8_t* row, const std::uint8_t* above, std::size_t size, std::size_t pixel,
                        std::uint8_t* __restrict out) {
  const std::uint8_t *const left = row - pixel, *const above_left = above - pixel;
  std::int64_t total = 0;
  for (std::size_t begin = 0; begin < size; begin += 4096) {  // 4096 magnitudes sum to less than 2^31
    std::int32_t sum = 0;
    for (std::size_t i = begin; i < std::min(size, begin + 4096); ++i) {
      const int difference = row[i] - predict(filter, left[i], above[i], above_left[i]);
      out[i] = static_cast<std::uint8_t>(difference);
      sum += std::abs(static_cast<std::int8_t>(out[i]));
    }
    total += sum;
  }
  return total;
}

constexpr std::array kFilters = {filter_row<0>, filter_row<1>, filter_row<2>, filter_row<3>, filter_row<4>};

// Chunks (5.3).

void put_u32(Bytes& bytes, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::byte>(value >> shift));
}

void put_chunk(Bytes& file, const char (&type)[5], std::span<const std::byte> data) {
  const auto name = std::as_bytes(std::span(type, 4));
  put_u32(file, data.size());
  file.insert(file.end(), name.begin(), name.end());
  file.insert(file.end(), data.begin(), data.end());
  put_u32(file, crc32_of(data, crc32_of(name)));
}

Bytes image_header(const PngScanlines& scanlines) {
  constexpr std::uint8_t kColourTypes[] = {0, 4, 2, 6};  // by number of channels (11.2.2)
  Bytes header;
  put_u32(header, static_cast<std::size_t>(scanlines.shape.w));
  put_u32(header, static_cast<std::size_t>(scanlines.shape.h));
  header.push_back(static_cast<std::byte>(8 * size_of(scanlines.dtype)));
  header.push_back(static_cast<std::byte>(kColourTypes[scanlines.shape.c - 1]));
  header.insert(header.end(), 3, std::byte{0});  // Deflate, the five filters, not interlaced
  return header;
}

}  // namespace

PngScanlines make_scanlines(const ConstTensorRef& pixels, int level) {
  const std::size_t filters = level == 0 ? 1 : level == 1 ? kFilters.size() - 1 : kFilters.size();
  const std::size_t pixel = static_cast<std::size_t>(pixels.shape.c * size_of(pixels.dtype));
  const std::size_t size = static_cast<std::size_t>(pixels.shape.w) * pixel;
  PngScanlines result{.shape = pixels.shape,
                      .dtype = pixels.dtype,
                      .bytes = {},
                      .size = (size + 1) * static_cast<std::size_t>(pixels.shape.h)};
  result.bytes = allocate_pixels(result.size);
  auto* line = static_cast<std::uint8_t*>(result.bytes.get());
  std::vector<std::uint8_t> row(pixel + size), above(pixel + size), trial(size);
  for (std::int64_t y = 0; y < pixels.shape.h; ++y, line += size + 1) {
    std::swap(row, above);
    if (pixels.dtype == DType::u8)
      pack_row(pixels.view<std::uint8_t>(), y, row.data() + pixel);
    else
      pack_row(pixels.view<std::uint16_t>(), y, row.data() + pixel);
    line[0] = 0;
    std::int64_t least = kFilters[0](row.data() + pixel, above.data() + pixel, size, pixel, line + 1);
    for (std::size_t filter = 1; filter < filters; ++filter) {
      const std::int64_t sum = kFilters[filter](row.data() + pixel, above.data() + pixel, size, pixel, trial.data());
      if (sum >= least) continue;
      least = sum;
      line[0] = static_cast<std::uint8_t>(filter);
      std::memcpy(line + 1, trial.data(), size);
    }
  }
  return result;
}

Bytes write_png(const PngScanlines& scanlines, int level, std::optional<PngStrategy> strategy) {
  constexpr std::uint8_t kSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr std::size_t kLongestChunk = (std::size_t{1} << 31) - 1;
  const Bytes stream = deflate({static_cast<const std::byte*>(scanlines.bytes.get()), scanlines.size}, level, strategy);
  const auto signature = std::as_bytes(std::span(kSignature));
  Bytes file(signature.begin(), signature.end());
  file.reserve(stream.size() + 128);
  put_chunk(file, "IHDR", image_header(scanlines));
  for (std::span<const std::byte> rest = stream; !rest.empty();) {
    const std::size_t length = std::min(rest.size(), kLongestChunk);
    put_chunk(file, "IDAT", rest.first(length));
    rest = rest.subspan(length);
  }
  put_chunk(file, "IEND", {});
  return file;
}

}  // namespace convtool
