// PNM and PFM: a header in text.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"
#include "pictures/headers/netpbm_text.h"

namespace convtool {
namespace {

using Order = ByteReader::Order;

/// isspace() of the C locale.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

char PnmText::next() {
  char c = file_.text(1)[0];
  if (c == '#')
    while (c != '\n' && c != '\r') c = file_.text(1)[0];
  return c;
}

char PnmText::next_after_space() {
  char c = next();
  while (is_space(c)) c = next();
  return c;
}

std::int64_t PnmText::number(bool may_end_with_file) {
  std::int64_t value = 0;
  bool is_number = false;
  for (char c = next_after_space(); c >= '0' && c <= '9'; c = next()) {
    value = value * 10 + (c - '0');
    is_number = true;
    if (may_end_with_file && file_.at_end()) break;
    if (value > std::numeric_limits<std::int32_t>::max()) throw_damaged("PNM", "an impossibly large number");
  }
  if (!is_number) throw_damaged("PNM", "something other than a number");
  return value;
}

bool PnmText::bit() {
  const char c = next_after_space();
  if (c != '0' && c != '1') throw_damaged("PNM", "something other than 0 or 1");
  return c == '1';
}

PnmLayout read_pnm_layout(std::span<const std::byte> bytes) {
  PnmLayout layout{.kind = static_cast<int>(bytes[1]) - '0'};
  PnmText text(bytes, 2);
  layout.width = text.number();
  layout.height = text.number();
  if (!layout.is_bitmap()) layout.largest = text.number();
  if (layout.largest < 1 || layout.largest > 65535)
    throw_damaged("PNM", "a largest value of " + std::to_string(layout.largest) + ", expected 1 to 65535");
  layout.pixels_at = text.position();
  return layout;
}

RasterLayout PnmLayout::raster() const {
  const bool is_wide = largest > 255;
  RasterLayout raster{.format = "PNM",
                      .shape = {.n = 1, .c = channels(), .h = height, .w = width},
                      .offset = pixels_at,
                      .stored = is_bitmap() ? StoredType::bit
                                : is_wide   ? StoredType::u16
                                            : StoredType::u8,
                      .order = std::endian::big,
                      .interleaved = true,
                      .dtype = is_wide ? DType::u16 : DType::u8};
  if (!is_bitmap() && largest != 255 && largest != 65535) raster.largest = largest;
  return raster;
}

std::size_t count_spaces(std::span<const std::byte> bytes) {
  const auto end =
      std::find_if_not(bytes.begin(), bytes.end(), [](std::byte b) { return is_space(static_cast<char>(b)); });
  return static_cast<std::size_t>(end - bytes.begin());
}

PictureHeader pnm_header(const PnmLayout& layout) {
  return {.type = PictureType::pnm,
          .width = layout.width,
          .height = layout.height,
          .channels = layout.channels(),
          .dtype = layout.largest > 255 ? DType::u16 : DType::u8};
}

PictureHeader read_pnm_header(std::span<const std::byte> bytes) { return pnm_header(read_pnm_layout(bytes)); }

namespace {

RasterFormat raster_format(const std::string& header, RasterLayout layout) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(header));
  layout.offset = bytes.size();
  return {.header = {bytes.begin(), bytes.end()}, .layout = layout};
}

std::string size_text(const Shape& shape) { return std::to_string(shape.w) + " " + std::to_string(shape.h); }

}  // namespace

RasterFormat pnm_format(DType dtype, const Shape& shape) {
  const bool is_wide = dtype == DType::u16;
  return raster_format((shape.c == 1 ? "P5\n" : "P6\n") + size_text(shape) + (is_wide ? "\n65535\n" : "\n255\n"),
                       {.format = "PNM",
                        .shape = shape,
                        .stored = is_wide ? StoredType::u16 : StoredType::u8,
                        .order = std::endian::big,
                        .interleaved = true,
                        .dtype = dtype});
}

PfmLayout read_pfm_layout(std::span<const std::byte> bytes, std::uint64_t file_size) {
  PfmLayout layout{.channels = bytes[1] == std::byte{'F'} ? 3 : 1};
  ByteReader file("PFM", bytes, Order::little, 2);
  const auto read = [&]<class Number>(Number value, const char* missing) {
    while (!file.at_end() && is_space(file.rest()[0])) file.skip(1);
    if (file.rest().starts_with('+')) file.skip(1);
    const std::string_view rest = file.rest();
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc()) throw_damaged("PFM", missing);
    file.skip(static_cast<std::uint64_t>(end - rest.data()));
    if (!is_space(file.text(1)[0])) throw_damaged("PFM", missing);
    return value;
  };
  constexpr const char* kNoSize = "a header without width and height";
  layout.width = read(std::int32_t{}, kNoSize);
  layout.height = read(std::int32_t{}, kNoSize);
  if (layout.width < 0 || layout.height < 0) throw_damaged("PFM", kNoSize);
  layout.scale = read(double{}, "a header without a scale");
  if (!std::isfinite(layout.scale) || layout.scale == 0) throw_damaged("PFM", "a scale that is 0 or not a number");
  if (std::fabs(layout.scale) > std::numeric_limits<float>::max() ||
      std::fabs(layout.scale) < std::numeric_limits<float>::denorm_min())
    throw_damaged("PFM", "a scale outside the range of floats");
  layout.pixels_at = file.position();
  // One white space ends the scale; or a line end of two, unless its second half is the first byte of the pixels.
  if (bytes[layout.pixels_at - 1] == std::byte{'\r'} && file.rest().starts_with('\n') && layout.width > 0) {
    PfmLayout shifted = layout;
    ++shifted.pixels_at;
    if (shifted.raster().fits(file_size)) return shifted;
  }
  return layout;
}

RasterLayout PfmLayout::raster() const {
  return {.format = "PFM",
          .shape = {.n = 1, .c = channels, .h = height, .w = width},
          .offset = pixels_at,
          .stored = StoredType::f32,
          .order = scale < 0 ? std::endian::little : std::endian::big,
          .interleaved = true,
          .bottom_up = true,
          .dtype = DType::f32,
          .divisor = std::fabs(scale)};
}

PictureHeader read_pfm_header(std::span<const std::byte> bytes) {
  return pfm_header(read_pfm_layout(bytes, bytes.size()));
}

RasterFormat pfm_format(const Shape& shape) {
  return raster_format((shape.c == 1 ? "Pf\n" : "PF\n") + size_text(shape) + "\n-1.0\n", {.format = "PFM",
                                                                                          .shape = shape,
                                                                                          .stored = StoredType::f32,
                                                                                          .order = std::endian::little,
                                                                                          .interleaved = true,
                                                                                          .bottom_up = true,
                                                                                          .dtype = DType::f32});
}

PictureHeader pfm_header(const PfmLayout& layout) {
  return {.type = PictureType::pfm,
          .width = layout.width,
          .height = layout.height,
          .channels = layout.channels,
          .dtype = DType::f32};
}

}  // namespace convtool
