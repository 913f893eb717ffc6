#include "cli/status_line.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "cli/print.h"

namespace convtool {

bool is_capable_terminal() {
  const char* const kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

void StatusLine::erase() {
  constexpr const char* kEraseLine = "\r\x1b[K";  // ECMA-48: carriage return, EL
  if (stands_) print_error(kEraseLine);
  stands_ = false;
}

void StatusLine::put(const std::string& text) {
  erase();
  print_error(text);
  stands_ = true;
  drawn_ = Clock::now();
}

}  // namespace convtool
