// Internal to pictures/: the chunks of PNG and RIFF (WebP) files.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace convtool {

enum class Chunks { png, riff };

/// The data of the first chunk of this type, or nothing if the file has none or ends before it.
std::span<const std::byte> find_chunk(Chunks kind, std::span<const std::byte> bytes, std::string_view type);

}  // namespace convtool
