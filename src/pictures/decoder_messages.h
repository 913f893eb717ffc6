// Internal to pictures/: the messages that decoders print to standard error.
#pragma once

#include <string_view>

namespace convtool {

/// Whether libjpeg, or libtiff through OpenCV, has printed that pixels are missing or made up. Messages that do not
/// concern pixels (stray bytes between the segments of a JPEG, unknown tags of a TIFF) do not count.
bool reports_damage(std::string_view printed);

}  // namespace convtool
