// BMP: indices into a palette, run lengths, and colours in fields of bits.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "files/byte_reader.h"
#include "pictures/decoders/bmp_run_lengths.h"
#include "pictures/decoders/decoders.h"
#include "pictures/headers/bmp_layout.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {
namespace {

/// The stored rows of a BMP that is not compressed. Each begins at a multiple of 4 bytes from the first.
class StoredRows {
 public:
  /// Throws Error(input) unless `bytes` has all pixels. The padding after the last row may be missing.
  StoredRows(std::span<const std::byte> bytes, const BmpLayout& layout) {
    const auto bits = static_cast<std::uint64_t>(layout.width) * layout.bits;
    const std::uint64_t row_bytes = (bits + 7) / 8, above_last = static_cast<std::uint64_t>(layout.height - 1);
    stride_ = (bits + 31) / 32 * 4;
    const std::uint64_t left = bytes.size() - std::min<std::uint64_t>(bytes.size(), layout.pixels_at);
    if (left / stride_ < above_last || left - above_last * stride_ < row_bytes)
      throw_damaged("BMP", "it ends too early");
    first_ = bytes.data() + layout.pixels_at;
  }

  const std::byte* operator[](std::int64_t row) const { return first_ + static_cast<std::uint64_t>(row) * stride_; }

 private:
  const std::byte* first_;
  std::uint64_t stride_;
};

/// One channel of pixels of 16 or 32 bits.
class Field {
 public:
  explicit Field(std::uint32_t mask) : mask_(mask) {
    if (mask == 0) return;
    shift_ = std::countr_zero(mask);
    most_ = mask >> shift_;
    for (std::uint32_t value = 0; value <= std::min<std::uint32_t>(most_, 255); ++value) scaled_[value] = scale(value);
  }

  bool is_narrow() const { return most_ <= 255; }

  /// The scaled value of a field of up to 8 bits.
  std::uint8_t narrow(std::uint32_t pixel) const { return scaled_[(pixel & mask_) >> shift_]; }

  /// That of any field.
  std::uint8_t any(std::uint32_t pixel) const { return is_narrow() ? narrow(pixel) : scale((pixel & mask_) >> shift_); }

 private:
  std::uint8_t scale(std::uint64_t value) const {
    return static_cast<std::uint8_t>((2 * 255 * value + most_) / (2 * std::uint64_t{most_}));
  }

  std::uint32_t mask_, most_ = 0;
  int shift_ = 0;
  std::array<std::uint8_t, 256> scaled_ = {};
};

/// Fields of red, green, blue and alpha to B, G, R or B, G, R, A.
template <class Pixel, int Channels>
void decode_fields(const std::byte* from, const std::array<Field, 4>& fields, std::uint8_t* to, std::int64_t width) {
  const bool are_narrow =
      std::all_of(fields.begin(), fields.end(), [](const Field& field) { return field.is_narrow(); });
  const auto load = [&](std::int64_t x) {
    return std::uint32_t{load_number<Pixel>(from + x * std::int64_t{sizeof(Pixel)}, std::endian::little)};
  };
  for (std::int64_t x = 0; x < width; ++x, to += Channels) {
    const std::uint32_t pixel = load(x);
    const auto value = [&](std::size_t c) { return are_narrow ? fields[c].narrow(pixel) : fields[c].any(pixel); };
    to[0] = value(2), to[1] = value(1), to[2] = value(0);
    if constexpr (Channels == 4) to[3] = value(3);
  }
}

/// Indices of 1, 2, 4 or 8 bits, the first in the highest bits.
template <int Bits>
void unpack_indices(const std::byte* from, std::uint8_t* to, std::int64_t width) {
  constexpr int kPerByte = 8 / Bits;
  for (std::int64_t x = 0; x < width; ++x) {
    const int shift = Bits * (kPerByte - 1 - static_cast<int>(x % kPerByte));
    to[x] = static_cast<std::uint8_t>(std::to_integer<int>(from[x / kPerByte]) >> shift & ((1 << Bits) - 1));
  }
}

/// The colours of indices in grey or B, G, R.
cv::Mat apply_palette(cv::Mat indices, const BmpLayout& layout) {
  if (layout.has_grey_palette()) {
    for (int y = 0; y < indices.rows; ++y) {
      std::uint8_t* const row = indices.ptr(y);
      for (int x = 0; x < indices.cols; ++x) row[x] = layout.palette[row[x]][0];
    }
    return indices;
  }
  cv::Mat pixels(indices.size(), CV_8UC3);
  for (int y = 0; y < indices.rows; ++y) {
    const std::uint8_t* const from = indices.ptr(y);
    std::uint8_t* to = pixels.ptr(y);
    for (int x = 0; x < indices.cols; ++x, to += 3) {
      const std::array<std::uint8_t, 3>& colour = layout.palette[from[x]];
      to[0] = colour[0], to[1] = colour[1], to[2] = colour[2];
    }
  }
  return pixels;
}

cv::Mat decode_rows(std::span<const std::byte> bytes, const BmpLayout& layout) {
  const StoredRows rows(bytes, layout);  // before memory is taken for a size that the file may not have
  const std::int64_t width = layout.width;
  const int channels = layout.bits <= 8 ? 1 : static_cast<int>(layout.channels());
  cv::Mat pixels(static_cast<int>(layout.height), static_cast<int>(width), CV_8UC(channels));
  const auto& masks = layout.masks;
  const std::array<Field, 4> fields = {Field(masks[0]), Field(masks[1]), Field(masks[2]), Field(masks[3])};
  for (std::int64_t y = 0; y < layout.height; ++y) {
    std::uint8_t* const to = pixels.ptr(static_cast<int>(layout.top_down ? y : layout.height - 1 - y));
    const std::byte* const row = rows[y];
    switch (layout.bits) {
      case 1: unpack_indices<1>(row, to, width); break;
      case 2: unpack_indices<2>(row, to, width); break;
      case 4: unpack_indices<4>(row, to, width); break;
      case 8: std::memcpy(to, row, static_cast<std::size_t>(width)); break;
      case 24: std::memcpy(to, row, static_cast<std::size_t>(3 * width)); break;
      case 16:
        channels == 4 ? decode_fields<std::uint16_t, 4>(row, fields, to, width)
                      : decode_fields<std::uint16_t, 3>(row, fields, to, width);
        break;
      default:
        channels == 4 ? decode_fields<std::uint32_t, 4>(row, fields, to, width)
                      : decode_fields<std::uint32_t, 3>(row, fields, to, width);
    }
  }
  return pixels;
}

}  // namespace

cv::Mat decode_bmp(std::span<const std::byte> bytes) {
  const BmpLayout layout = read_bmp_layout(bytes);
  return call_opencv([&] {
    const bool has_runs = layout.compression == BmpLayout::Compression::run_lengths;
    cv::Mat pixels = has_runs ? decode_run_lengths(bytes, layout) : decode_rows(bytes, layout);
    return layout.bits <= 8 ? apply_palette(std::move(pixels), layout) : pixels;
  });
}

}  // namespace convtool
