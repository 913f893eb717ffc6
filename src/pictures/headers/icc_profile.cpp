#include "pictures/headers/icc_profile.h"

namespace convtool {

bool names_srgb(std::string_view profile) {
  using namespace std::string_view_literals;
  return profile.find("sRGB"sv) != std::string_view::npos || profile.find("s\0R\0G\0B"sv) != std::string_view::npos;
}

bool is_other_profile(std::span<const std::byte> profile) {
  return !profile.empty() && !names_srgb({reinterpret_cast<const char*>(profile.data()), profile.size()});
}

}  // namespace convtool
