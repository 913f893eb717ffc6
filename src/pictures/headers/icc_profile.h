// Internal to pictures/: whether an ICC profile is sRGB's.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace convtool {

/// Whether a part of an ICC profile names sRGB, in ASCII or UTF-16. A picture without a profile counts as sRGB, so
/// such a profile may be dropped.
bool names_srgb(std::string_view profile);

/// Whether there is a profile and it does not name sRGB.
bool is_other_profile(std::span<const std::byte> profile);

}  // namespace convtool
