#include "core/printable.h"

#include <cstddef>
#include <cstdint>

namespace convtool {
namespace {

/// Stands for a byte that does not begin a character in UTF-8.
constexpr std::uint32_t kNoCharacter = 0x110000;

struct Character {
  std::uint32_t code = kNoCharacter;
  std::size_t size = 1;  ///< in bytes
};

/// The first character of `text`, which is not empty (Unicode 15, table 3-7: well-formed UTF-8).
Character first_character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(text[i])}; };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {.code = first, .size = 1};
  if (first < 0xc2 || first > 0xf4) return {};
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < size) return {};
  std::uint32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kLeast[size] || code > 0x10ffff || is_surrogate) return {};
  return {.code = code, .size = size};
}

/// Whether a terminal may do something else than draw the character: controls (ISO 6429: C0, delete, C1), line and
/// paragraph separators, the marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm, bytes that
/// are no character, and U+FFFE and U+FFFF, which are none either and cannot be in XML.
bool is_unsafe(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfffe || code == 0xffff ||
         code == kNoCharacter;
}

std::string digits_of(std::uint32_t number, int count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  for (int shift = 4 * (count - 1); shift >= 0; shift -= 4) digits += kDigits[number >> shift & 15];
  return digits;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.size);
    text.remove_prefix(character.size);
    if (!is_unsafe(character.code)) {
      result += bytes;
    } else if (bytes == "\n") {
      result += "\\n";
    } else if (bytes == "\t") {
      result += "\\t";
    } else {
      for (const char byte : bytes) result += "\\x" + digits_of(static_cast<unsigned char>(byte), 2);
    }
  }
  return result;
}

std::string replace_unsafe(std::string_view text, char substitute) {
  std::string result;
  while (!text.empty()) {
    const Character character = first_character(text);
    if (is_unsafe(character.code))
      result += substitute;
    else
      result += text.substr(0, character.size);
    text.remove_prefix(character.size);
  }
  return result;
}

std::string printable_start(std::string_view text, std::size_t most) {
  constexpr std::string_view kDots = "...";
  const std::string whole = printable(text);
  std::size_t count = 0, cut = 0;
  for (std::size_t at = 0; at < whole.size(); at += first_character(std::string_view(whole).substr(at)).size, ++count)
    if (count == most - kDots.size()) cut = at;
  return count <= most ? whole : whole.substr(0, cut) + std::string(kDots);
}

std::string printable_json(std::string_view json) {
  std::string result;
  while (!json.empty()) {
    const Character character = first_character(json);
    const bool is_between_values = character.size == 1 && character.code <= ' ';  // no string has these
    if (is_between_values || !is_unsafe(character.code))
      result += json.substr(0, character.size);
    else
      result += "\\u" + digits_of(character.code, 4);
    json.remove_prefix(character.size);
  }
  return result;
}

}  // namespace convtool
