// Internal to kernels/: what someone who wrote a kernel that is not JSON most likely meant.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// What to write instead of the first thing in `text` that other languages allow and JSON does not: 'name', .5, 1/9, or
/// a name without quotes, which is what a shell makes of a quoted one. "" where there is none of these.
std::string json_hint(std::string_view text);

/// Whether `text` opens more brackets than it closes, as JSON does that a shell has split at a space.
bool ends_inside_brackets(std::string_view text);

}  // namespace convtool
