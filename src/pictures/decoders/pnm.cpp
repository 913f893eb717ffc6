// PNM: bits, bytes and words of two bytes, binary or as text.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "files/byte_reader.h"
#include "pictures/decoders/decoders.h"
#include "pictures/headers/netpbm_text.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {
namespace {

constexpr std::uint8_t kWhite = 255, kBlack = 0;

/// R, G, B to B, G, R or back, in place.
template <class T>
void reverse_colours(T* row, std::int64_t width) {
  for (std::int64_t x = 0; x < width; ++x) std::swap(row[3 * x], row[3 * x + 2]);
}

template <class T>
void read_text(PnmText& text, const PnmLayout& layout, T* row, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    row[i] =
        layout.is_bitmap() ? (text.bit() ? kBlack : kWhite) : static_cast<T>(std::min(text.value(), layout.largest));
}

template <class T>
void read_binary(const std::byte* from, const PnmLayout& layout, T* row, std::int64_t count) {
  if (layout.is_bitmap()) {
    for (std::int64_t x = 0; x < count; ++x)
      row[x] = (from[x / 8] >> (7 - x % 8) & std::byte{1}) != std::byte{0} ? kBlack : kWhite;
  } else if (sizeof(T) == 1) {
    std::memcpy(row, from, static_cast<std::size_t>(count));
  } else {
    for (std::int64_t i = 0; i < count; ++i)
      row[i] = static_cast<T>(load_number<std::uint16_t>(from + 2 * i, std::endian::big));
  }
}

template <class T>
cv::Mat decode_values(std::span<const std::byte> bytes, const PnmLayout& layout) {
  const std::int64_t count = layout.width * layout.channels();
  const std::uint64_t row_bytes = layout.row_bytes();
  // Text has at least one character per value. Checked before memory is taken for a size that the file may not have.
  const std::uint64_t least = layout.is_text() ? static_cast<std::uint64_t>(count) : row_bytes;
  if ((bytes.size() - layout.pixels_at) / least < static_cast<std::uint64_t>(layout.height))
    throw_damaged("PNM", "it ends too early");

  cv::Mat pixels(static_cast<int>(layout.height), static_cast<int>(layout.width),
                 CV_MAKETYPE(sizeof(T) == 1 ? CV_8U : CV_16U, layout.channels()));
  PnmText text(bytes, layout.pixels_at);
  const std::byte* from = bytes.data() + layout.pixels_at;
  for (int y = 0; y < pixels.rows; ++y, from += layout.is_text() ? 0 : row_bytes) {
    T* const row = pixels.ptr<T>(y);
    layout.is_text() ? read_text(text, layout, row, count) : read_binary(from, layout, row, count);
    if (layout.channels() == 3) reverse_colours(row, layout.width);
  }
  return pixels;
}

}  // namespace

cv::Mat decode_pnm(std::span<const std::byte> bytes) {
  const PnmLayout layout = read_pnm_layout(bytes);
  return call_opencv([&] {
    return layout.largest > 255 ? decode_values<std::uint16_t>(bytes, layout)
                                : decode_values<std::uint8_t>(bytes, layout);
  });
}

}  // namespace convtool
