#include "pictures/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace convtool {

std::string inflate_start(std::span<const std::byte> stream, std::size_t most) {
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  std::string text(std::min(most, kMost), '\0');
  z_stream state = {};
  state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream.data()));  // zlib's type; it only reads
  state.avail_in = static_cast<uInt>(std::min(stream.size(), kMost));
  state.next_out = reinterpret_cast<Bytef*>(text.data());
  state.avail_out = static_cast<uInt>(text.size());
  if (inflateInit(&state) != Z_OK) return {};
  inflate(&state, Z_SYNC_FLUSH);
  text.resize(text.size() - state.avail_out);
  inflateEnd(&state);
  return text;
}

}  // namespace convtool
