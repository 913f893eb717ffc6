// PNM and PFM: a header in text.
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

std::uint64_t PnmLayout::row_bytes() const {
  const auto samples = static_cast<std::uint64_t>(width * channels());
  return is_bitmap() ? (samples + 7) / 8 : samples * (largest > 255 ? 2 : 1);
}

namespace {

/// The number of binary pictures, one right after another, from this first one. Damage ends them, too.
std::int64_t count_pictures(std::span<const std::byte> bytes, PnmLayout layout) {
  constexpr std::int64_t kMost = 65536;
  std::int64_t pictures = 1;
  try {
    for (; pictures < kMost && !layout.is_text(); ++pictures) {
      const std::uint64_t row = layout.row_bytes(), left = bytes.size() - layout.pixels_at;
      const auto height = static_cast<std::uint64_t>(layout.height);
      if (row == 0 || left / row < height) break;
      bytes = bytes.subspan(layout.pixels_at + row * height);
      if (sniff_picture_type(bytes) != PictureType::pnm) break;
      layout = read_pnm_layout(bytes);
      if (layout.is_text()) break;
    }
  } catch (const Error&) {
  }
  return pictures;
}

}  // namespace

PictureHeader read_pnm_header(std::span<const std::byte> bytes) {
  const PnmLayout layout = read_pnm_layout(bytes);
  PictureHeader header{.type = PictureType::pnm,
                       .width = layout.width,
                       .height = layout.height,
                       .channels = layout.channels(),
                       .dtype = layout.largest > 255 ? DType::u16 : DType::u8};
  if (!layout.is_bitmap() && layout.largest != 255 && layout.largest != 65535) header.full_value = layout.largest;
  header.pages = count_pictures(bytes, layout);
  return header;
}

PfmLayout read_pfm_layout(std::span<const std::byte> bytes) {
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
    const auto row_bytes = static_cast<std::uint64_t>(layout.width * layout.channels) * sizeof(float);
    if ((file.rest().size() - 1) / row_bytes >= static_cast<std::uint64_t>(layout.height)) ++layout.pixels_at;
  }
  return layout;
}

PictureHeader read_pfm_header(std::span<const std::byte> bytes) {
  const PfmLayout layout = read_pfm_layout(bytes);
  return {.type = PictureType::pfm,
          .width = layout.width,
          .height = layout.height,
          .channels = layout.channels,
          .dtype = DType::f32};
}

}  // namespace convtool
