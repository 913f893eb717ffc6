#include "pictures/decoder_messages.h"

#include <algorithm>

namespace convtool {

bool reports_damage(std::string_view printed) {
  while (!printed.empty()) {
    const std::string_view line = printed.substr(0, printed.find('\n'));
    printed.remove_prefix(std::min(printed.size(), line.size() + 1));
    // Anywhere in a line: another thread's text may come before it.
    const auto contains = [line](std::string_view words) { return line.find(words) != std::string_view::npos; };
    // From libjpeg's jerror.h.
    const bool is_damage = contains("Corrupt") || contains("Premature end of JPEG");
    if (is_damage && !contains("extraneous bytes before marker")) return true;
  }
  return false;
}

}  // namespace convtool
