// Animations as GIF (CompuServe, Graphics Interchange Format, version 89a, 1990), by giflib.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "files/buffer.h"
#include "pictures/image.h"

struct GifFileType;

namespace convtool {

/// A GIF has at most this many rows and columns.
inline constexpr std::int64_t kLargestGifSide = 65535;

/// Writes an animation that is repeated forever, frame by frame. Only the pixels of a frame that differ from the one
/// before are stored.
class GifWriter {
 public:
  /// All frames have the size of `sample`, u8 RGB, and its colours where it has at most 255; else 255 of them
  /// (S. J. Wan, P. Prusinkiewicz, S. K. M. Wong, Variance-based color image quantization for frame buffer display,
  /// 1990). Other colours in frames become the nearest ones. Throws Error(output), std::bad_alloc.
  explicit GifWriter(const Image& sample);
  ~GifWriter();
  GifWriter(const GifWriter&) = delete;
  GifWriter& operator=(const GifWriter&) = delete;

  /// Appends a frame that is shown for `seconds`, rounded to hundredths. Its pixels are read again with the next frame,
  /// and may change only after that.
  void add(Image frame, double seconds);

  /// The file. Nothing can be added after it.
  Bytes finish();

 private:
  using Rgb = std::array<std::uint8_t, 3>;

  /// Rows and columns from `top` and `left` to before `bottom` and `right`.
  struct Area {
    std::int64_t top, left, bottom, right;
  };

  static Area changed_area(const TensorView<const std::uint8_t>& frame, const TensorView<const std::uint8_t>& before);
  std::uint8_t index_of(const Rgb& colour);
  std::vector<std::uint8_t> code_area(const TensorView<const std::uint8_t>& view, const Area& area);
  void put_codes(std::span<const std::uint8_t> codes);

  Bytes bytes_;
  GifFileType* file_ = nullptr;
  std::int64_t height_, width_;
  std::vector<Rgb> palette_;
  std::unordered_map<std::uint32_t, std::uint8_t> indices_;  ///< of the colours seen so far
  std::optional<Image> shown_;                               ///< the frame before
};

}  // namespace convtool
