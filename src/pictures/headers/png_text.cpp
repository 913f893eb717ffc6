#include "pictures/headers/png_text.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "pictures/compression.h"

namespace convtool {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMostText = std::size_t{1} << 18;  // an EXIF block of JPEG has at most 64 KiB: 128 Ki digits

/// Removes the part up to the next zero from `text`, and returns it without the zero.
std::string_view take_field(std::string_view& text) {
  const std::size_t length = std::min(text.find('\0'), text.size());
  const std::string_view field = text.substr(0, length);
  text.remove_prefix(std::min(text.size(), length + 1));
  return field;
}

struct StoredText {
  std::span<const std::byte> bytes;
  bool is_compressed = false;
};

/// The text of a chunk after its keyword, which has been removed (PNG specification, 11.3.3).
StoredText stored_text(std::string_view type, std::string_view rest) {
  bool is_compressed = type == "zTXt";
  if (type == "iTXt" && !rest.empty()) {
    is_compressed = rest[0] != 0;
    rest.remove_prefix(1);
  }
  if (type != "tEXt") rest.remove_prefix(std::min<std::size_t>(rest.size(), 1));  // the method, always zlib
  if (type == "iTXt") {
    take_field(rest);  // the language
    take_field(rest);  // the translated keyword
  }
  return {std::as_bytes(std::span(rest)), is_compressed};
}

/// The start of the text.
std::string start_of(const StoredText& text) {
  if (text.is_compressed) return inflate_start(text.bytes, kMostText);
  const std::size_t size = std::min(text.bytes.size(), kMostText);
  return std::string(reinterpret_cast<const char*>(text.bytes.data()), size);
}

int hexadecimal(char c) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  const std::size_t at = kDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
}

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

}  // namespace

std::optional<Bytes> exif_in_text(const Chunk& chunk) {
  if (chunk.type != "tEXt" && chunk.type != "zTXt" && chunk.type != "iTXt") return std::nullopt;
  std::string_view rest(reinterpret_cast<const char*>(chunk.data.data()), chunk.data.size());
  const std::string_view keyword = take_field(rest);
  if (keyword != "Raw profile type exif" && keyword != "Raw profile type APP1") return std::nullopt;
  if (!chunk.is_sound()) return std::nullopt;  // as libpng does

  const std::string text = start_of(stored_text(chunk.type, rest));
  std::string_view profile = text;
  skip_space(profile);
  profile.remove_prefix(std::min(profile.find('\n'), profile.size()));  // the name
  skip_space(profile);
  std::size_t length = 0;
  const char* const end = std::from_chars(profile.data(), profile.data() + profile.size(), length).ptr;
  profile.remove_prefix(static_cast<std::size_t>(end - profile.data()));
  Bytes block;
  for (skip_space(profile); profile.size() >= 2 && block.size() < length; skip_space(profile)) {
    const int high = hexadecimal(profile[0]), low = hexadecimal(profile[1]);
    if (high < 0 || low < 0) break;
    block.push_back(static_cast<std::byte>(16 * high + low));
    profile.remove_prefix(2);
  }
  return block;
}

std::optional<Bytes> xmp_in_text(const Chunk& chunk, std::size_t most) {
  if (chunk.type != "iTXt") return std::nullopt;
  std::string_view rest(reinterpret_cast<const char*>(chunk.data.data()), chunk.data.size());
  if (take_field(rest) != "XML:com.adobe.xmp") return std::nullopt;
  const StoredText text = stored_text(chunk.type, rest);
  if (!chunk.is_sound() || text.bytes.size() > most) return Bytes();
  if (text.is_compressed) return inflate_whole(text.bytes, most).value_or(Bytes());
  return Bytes(text.bytes.begin(), text.bytes.end());
}

}  // namespace convtool
