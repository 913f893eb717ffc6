// Internal to pictures/: what must be known of an ICC profile to keep it (ICC.1, "Image technology colour management").
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "pictures/pixel_format.h"

namespace convtool {

/// The size that the profile states, at most that of `bytes`. Nothing if it is damaged: if it is shorter than it
/// states, lacks the signature, or has a tag outside.
std::optional<std::size_t> size_of_profile(std::span<const std::byte> bytes);

/// The colour space of a sound profile: "RGB", "GRAY", "CMYK", ...
std::string_view colours_of_profile(std::span<const std::byte> profile);

/// The colour space of the profiles for such pixels.
std::string_view profile_colours(PixelFormat pixels);

}  // namespace convtool
