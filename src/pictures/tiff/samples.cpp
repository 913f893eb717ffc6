#include "pictures/tiff/samples.h"

#include <bit>
#include <cstring>
#include <opencv2/core.hpp>
#include <type_traits>

#include "files/byte_reader.h"

namespace convtool {
namespace {

/// Samples of 1 to 15 bits.
template <class T>
void read_packed(const std::byte* row, int bits, std::int64_t count, T* out) {
  std::uint32_t window = 0;
  int held = 0;  // bits of `window` that are not yet read
  for (std::int64_t i = 0; i < count; ++i) {
    for (; held < bits; held += 8) window = window << 8 | static_cast<std::uint32_t>(*row++);
    held -= bits;
    out[i] = static_cast<T>(window >> held & ((1u << bits) - 1));
  }
}

template <class Stored>
void convert(const std::byte* row, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, row + i * static_cast<std::int64_t>(sizeof value), sizeof value);
    out[i] = static_cast<float>(value);
  }
}

void convert_halves(const std::byte* row, std::int64_t count, float* out) {
  const int width = static_cast<int>(count);
  const cv::Mat halves(1, width, CV_16F, const_cast<std::byte*>(row));  // only read
  cv::Mat floats(1, width, CV_32F, out);
  halves.convertTo(floats, CV_32F);
}

void read_as_floats(const TiffLayout& layout, const std::byte* row, std::int64_t count, float* out) {
  const int bits = layout.bits;
  switch (layout.format) {
    case TiffSamples::unsigned_integer:
      return bits == 32 ? convert<std::uint32_t>(row, count, out) : convert<std::uint64_t>(row, count, out);
    case TiffSamples::signed_integer:
      switch (bits) {
        case 8: return convert<std::int8_t>(row, count, out);
        case 16: return convert<std::int16_t>(row, count, out);
        case 32: return convert<std::int32_t>(row, count, out);
        default: return convert<std::int64_t>(row, count, out);
      }
    case TiffSamples::floating:
      switch (bits) {
        case 16: return convert_halves(row, count, out);
        case 32: std::memcpy(out, row, static_cast<std::size_t>(count) * sizeof(float)); return;
        default: return convert<double>(row, count, out);
      }
  }
}

}  // namespace

std::size_t size_of_row(const TiffLayout& layout, std::uint64_t count) {
  return (count * static_cast<std::uint64_t>(layout.bits) + 7) / 8;
}

template <class T>
void read_samples(const TiffLayout& layout, const std::byte* row, std::int64_t count, T* out) {
  if constexpr (std::is_same_v<T, float>)
    read_as_floats(layout, row, count, out);
  else if (layout.bits == 8 * static_cast<int>(sizeof(T)))
    std::memcpy(out, row, static_cast<std::size_t>(count) * sizeof(T));
  else
    read_packed(row, layout.bits, count, out);
}

template void read_samples(const TiffLayout&, const std::byte*, std::int64_t, std::uint8_t*);
template void read_samples(const TiffLayout&, const std::byte*, std::int64_t, std::uint16_t*);
template void read_samples(const TiffLayout&, const std::byte*, std::int64_t, float*);

}  // namespace convtool
