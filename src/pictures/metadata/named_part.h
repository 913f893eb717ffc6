// Internal to pictures/: parts of metadata that a name precedes in the file.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "files/buffer.h"

namespace convtool {

/// The characters of `name`, then `data`.
inline Bytes named_part(std::string_view name, std::span<const std::byte> data) {
  Bytes part(name.size() + data.size());
  std::copy(data.begin(), data.end(), std::ranges::copy(std::as_bytes(std::span(name)), part.begin()).out);
  return part;
}

}  // namespace convtool
