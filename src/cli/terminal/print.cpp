#include "cli/terminal/print.h"

#include "files/file.h"
#include "files/stderr_capture.h"

namespace convtool {

void print(std::string_view text) { write_stdout(std::as_bytes(std::span(text.data(), text.size()))); }

void print_error(std::string_view text) { print_to_stderr(text); }

}  // namespace convtool
