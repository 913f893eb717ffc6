// Pictures that are decoded row by row against the same pictures as a whole.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "pictures/decode_image.h"
#include "pictures/image_header.h"
#include "pictures/picture_rows.h"

namespace convtool::testing {

/// The picture that open_picture_rows() gives in parts of `part` rows, of which an odd number has colours in B, G, R;
/// nothing where it leaves the file, or its damage, to decode_image().
inline std::optional<Image> read_rows(std::span<const std::byte> file, const PictureHeader& header, std::int64_t part) {
  const ColourOrder order = part % 2 == 0 ? ColourOrder::rgb : ColourOrder::bgr;
  const bool is_reversed = header.channels == 3 && order == ColourOrder::bgr;
  const std::unique_ptr<PictureRows> rows = open_picture_rows(file, header, order);
  if (!rows) return std::nullopt;
  const Image image(header.dtype, static_cast<PixelFormat>(header.channels - 1), header.height, header.width);
  Tensor memory(header.dtype, {.n = 1, .c = header.channels, .h = part, .w = header.width});
  for (std::int64_t y = 0; y < header.height; y += part) {
    const std::int64_t count = std::min(part, header.height - y);
    const TensorRef some = channels_last(memory).rows(0, count), to = image.all().rows(y, count);
    if (!rows->read(some)) return std::nullopt;
    visit_dtype(header.dtype, [&]<class T>(T) {
      for (std::int64_t c = 0; c < header.channels; ++c)
        for (std::int64_t i = 0; i < count; ++i)
          for (std::int64_t x = 0; x < header.width; ++x)
            to.view<T>().at(0, is_reversed ? 2 - c : c, i, x) = some.view<T>().at(0, c, i, x);
    });
  }
  if (!rows->is_sound()) return std::nullopt;
  return image;
}

/// What is wrong with the rows of a file whose decode_image() is `whole`, or which it refuses; empty if nothing is.
inline std::string compare_rows(std::span<const std::byte> file, const PictureHeader& header,
                                const std::optional<Image>& whole, std::int64_t part) {
  const std::optional<Image> rows = read_rows(file, header, part);
  if (!rows) return "";
  if (!whole) return "rows of a file that is refused";
  const Shape& shape = whole->all().shape;
  if (rows->all().shape != shape || rows->dtype() != whole->dtype()) return "rows of another size or type";
  bool is_same = true;
  visit_dtype(whole->dtype(), [&]<class T>(T) {
    const auto a = rows->all().view<T>(), b = whole->all().view<T>();
    for (std::int64_t c = 0; c < shape.c; ++c)
      for (std::int64_t y = 0; y < shape.h; ++y)
        for (std::int64_t x = 0; x < shape.w; ++x) is_same = is_same && a.at(0, c, y, x) == b.at(0, c, y, x);
  });
  return is_same ? "" : "rows with other pixels";
}

}  // namespace convtool::testing
