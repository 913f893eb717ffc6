#include "cli/terminal/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace convtool {

bool is_capable_terminal(int descriptor) {
  const char* const kind = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

bool wants_colours() {
  const char* const refused = std::getenv("NO_COLOR");
  return is_capable_terminal(STDOUT_FILENO) && (refused == nullptr || *refused == '\0');
}

}  // namespace convtool
