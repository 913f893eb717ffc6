// RLE8 and RLE4 are pairs of bytes. (n, v) with n > 0 is a run of n indices, in RLE4 alternately v's high and low four
// bits. (0, 0) ends a row, (0, 1) the picture, (0, 2) is followed by a move to the right and up. (0, n) with n > 2 is
// followed by n indices, padded to a multiple of 16 bits.
#include "pictures/decoders/bmp_run_lengths.h"

#include <algorithm>
#include <cstdint>

#include "files/byte_reader.h"

namespace convtool {
namespace {

/// Calls `run(count, value)`, `literal(count, values)`, `end_row()` and `move(right, up)` in the order of the data
/// until one of them returns false. Returns false if the data ends before that and before the end of bitmap.
template <class Run, class Literal, class EndRow, class Move>
bool for_each_code(std::span<const std::byte> data, bool is_rle4, const Run& run, const Literal& literal,
                   const EndRow& end_row, const Move& move) {
  std::size_t at = 0;
  const auto left = [&] { return data.size() - at; };
  const auto next = [&] { return std::to_integer<std::int64_t>(data[at++]); };
  while (left() >= 2) {
    const std::int64_t count = next(), value = next();
    bool goes_on = true;
    if (count > 0) {
      goes_on = run(count, value);
    } else if (value == 0) {
      goes_on = end_row();
    } else if (value == 1) {
      return true;
    } else if (value == 2) {
      if (left() < 2) return false;
      const std::int64_t right = next(), up = next();
      goes_on = move(right, up);
    } else {
      const auto bytes = static_cast<std::size_t>(is_rle4 ? (value + 1) / 2 : value);
      if (left() < bytes) return false;
      goes_on = literal(value, data.subspan(at, bytes));
      at += std::min(left(), bytes + bytes % 2);
    }
    if (!goes_on) return true;
  }
  return false;
}

}  // namespace

cv::Mat decode_run_lengths(std::span<const std::byte> bytes, const BmpLayout& layout) {
  const bool is_rle4 = layout.bits == 4;
  const std::span<const std::byte> data = bytes.subspan(std::min<std::uint64_t>(bytes.size(), layout.pixels_at));
  const auto index = [&](std::int64_t value, std::int64_t i) {
    return static_cast<std::uint8_t>(!is_rle4 ? value : i % 2 == 0 ? value >> 4 : value & 15);
  };

  // Some writers end no row at all, and go on in the next one when a row is full.
  bool has_rows = false;
  for_each_code(
      data, is_rle4, [](auto...) { return true; }, [](auto...) { return true; }, [&] { return !(has_rows = true); },
      [&](auto...) { return !(has_rows = true); });

  // Not cv::Mat::zeros(): its matrix expressions would need LAPACK, which takes milliseconds to load.
  cv::Mat pixels(static_cast<int>(layout.height), static_cast<int>(layout.width), CV_8UC1, cv::Scalar(0));
  std::int64_t x = 0, y = 0;
  const auto is_complete = [&] { return y >= layout.height || (y == layout.height - 1 && x >= layout.width); };
  const auto put = [&](std::uint8_t value) {
    if (!has_rows && x >= layout.width) x = 0, ++y;
    if (x < layout.width && y < layout.height)
      pixels.at<std::uint8_t>(static_cast<int>(layout.top_down ? y : layout.height - 1 - y), static_cast<int>(x)) =
          value;
    ++x;
  };
  const bool has_ended = for_each_code(
      data, is_rle4,
      [&](std::int64_t count, std::int64_t value) {
        for (std::int64_t i = 0; i < count; ++i) put(index(value, i));
        return y < layout.height;
      },
      [&](std::int64_t count, std::span<const std::byte> values) {
        for (std::int64_t i = 0; i < count; ++i)
          put(index(std::to_integer<std::int64_t>(values[static_cast<std::size_t>(is_rle4 ? i / 2 : i)]), i));
        return y < layout.height;
      },
      [&] {
        x = 0, ++y;
        return y < layout.height;
      },
      [&](std::int64_t right, std::int64_t up) {
        x += right, y += up;
        return y < layout.height;
      });
  if (!has_ended && !is_complete()) throw_damaged("BMP", "it ends too early");
  return pixels;
}

}  // namespace convtool
