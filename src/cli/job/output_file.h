// Files that results are written to.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// Whether `path` is an existing file; standard output ("-"), devices and pipes do not count.
bool exists(const std::string& path);

/// Creates the folder of `path` if it is missing. Throws Error(output).
void create_folder_of(const std::string& path);

/// Throws Error(output) if bytes written to `path`, "-" being standard output, would appear on a terminal. `format` is
/// their name.
void refuse_terminal(const std::string& path, std::string_view format);

}  // namespace convtool
