#include "cli/print.h"

#include <cstdio>

#include "io/file.h"

namespace convtool {

void print(std::string_view text) { write_stdout(std::as_bytes(std::span(text.data(), text.size()))); }

void print_error(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace convtool
