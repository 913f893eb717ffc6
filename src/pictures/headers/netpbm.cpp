// PNM and PFM: a header in text.
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"

namespace convtool {
namespace {

using Order = ByteReader::Order;

/// isspace() of the C locale.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Reads white space, comments, a decimal number, and the one character after it.
std::int64_t read_pnm_number(ByteReader& file) {
  char c = file.text(1)[0];
  while (is_space(c) || c == '#') {
    if (c == '#')
      while (c != '\n' && c != '\r') c = file.text(1)[0];
    c = file.text(1)[0];
  }
  std::int64_t value = 0;
  bool is_number = false;
  for (; c >= '0' && c <= '9'; c = file.text(1)[0]) {
    value = value * 10 + (c - '0');
    is_number = true;
    if (value > std::numeric_limits<std::int32_t>::max()) throw_damaged("PNM", "an impossibly large number");
  }
  if (!is_number) throw_damaged("PNM", "a header with something other than numbers");
  return value;
}

}  // namespace

PictureHeader read_pnm_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::pnm};
  ByteReader file("PNM", bytes, Order::big, 1);
  const char kind = file.text(1)[0];
  header.width = read_pnm_number(file);
  header.height = read_pnm_number(file);
  header.channels = kind == '3' || kind == '6' ? 3 : 1;
  if (kind == '1' || kind == '4') return header;
  const std::int64_t largest = read_pnm_number(file);
  if (largest < 1 || largest > 65535)
    throw_damaged("PNM", "a largest value of " + std::to_string(largest) + ", expected 1 to 65535");
  header.dtype = largest > 255 ? DType::u16 : DType::u8;
  // The decoder scales text with a largest value below 255 to 0..255. It leaves all other values unscaled.
  const bool is_text = kind == '2' || kind == '3';
  if (largest != 65535 && largest != 255 && !(is_text && largest < 255)) header.full_value = largest;
  return header;
}

PictureHeader read_pfm_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::pfm, .channels = bytes[1] == std::byte{'F'} ? 3 : 1, .dtype = DType::f32};
  ByteReader file("PFM", bytes, Order::little, 3);
  const auto read_side = [&] {
    const std::string_view rest = file.rest();
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || value < 0) throw_damaged("PFM", "a header without width and height");
    file.skip(static_cast<std::uint64_t>(end - rest.data()));
    if (!is_space(file.text(1)[0])) throw_damaged("PFM", "a header without width and height");
    return value;
  };
  header.width = read_side();
  header.height = read_side();
  return header;
}

}  // namespace convtool
