// Internal to pictures/: the messages that decoders print to standard error.
#pragma once

#include <string_view>

namespace convtool {

/// Whether libjpeg has printed that pixels are missing or made up. Messages that do not concern pixels (stray bytes
/// between the segments of a JPEG) do not count.
bool reports_damage(std::string_view printed);

}  // namespace convtool
