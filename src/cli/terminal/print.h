// Text to the user's streams.
#pragma once

#include <string_view>

namespace convtool {

/// To standard output. Throws Error(output) when it cannot be written.
void print(std::string_view text);

/// To standard error; what cannot be written there is lost.
void print_error(std::string_view text);

}  // namespace convtool
