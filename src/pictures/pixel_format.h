// The channels of a picture.
#pragma once

#include <cstdint>
#include <string_view>

namespace convtool {

enum class PixelFormat { grey, grey_alpha, rgb, rgba };

constexpr std::int64_t channel_count(PixelFormat format) {
  constexpr std::int64_t kCounts[] = {1, 2, 3, 4};
  return kCounts[static_cast<int>(format)];
}

constexpr bool has_alpha(PixelFormat format) {
  return format == PixelFormat::grey_alpha || format == PixelFormat::rgba;
}

/// In words, for messages: "RGB and alpha".
constexpr std::string_view to_string(PixelFormat format) {
  constexpr std::string_view kNames[] = {"grey", "grey and alpha", "RGB", "RGB and alpha"};
  return kNames[static_cast<int>(format)];
}

}  // namespace convtool
