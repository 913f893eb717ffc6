// Files that results are written to.
#pragma once

#include <string>

namespace convtool {

/// Whether `path` is an existing file; standard output ("-"), devices and pipes do not count.
bool exists(const std::string& path);

/// Creates the folder of `path` if it is missing. Throws Error(output).
void create_folder_of(const std::string& path);

/// Whether bytes written to `path`, "-" being standard output, appear on a terminal.
bool is_terminal(const std::string& path);

}  // namespace convtool
