#include "cli/terminal/status_line.h"

#include "cli/terminal/print.h"

namespace convtool {

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
