// Internal to kernels/: hints for the usual mistakes in JSON.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// A correction of the first mistake in `text` that other languages allow and JSON does not: 'name', .5, 1/9, or
/// a name without quotes, which a shell has removed. "" if there is none of these.
std::string json_hint(std::string_view text);

/// Whether `text` opens more brackets than it closes, like JSON that a shell has split at a space.
bool ends_inside_brackets(std::string_view text);

}  // namespace convtool
