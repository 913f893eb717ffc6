// Digests of content, to see whether it changed.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace convtool {

/// "xxh128:" and 32 hexadecimal digits: XXH3 of 128 bits (Y. Collet, xxHash 0.8), as `xxh128sum` prints it. It tells
/// accidents apart, not forgeries.
std::string digest_of(std::span<const std::byte> bytes);

/// The same of a regular file, of which little is in memory at a time. Throws Error(input) with the path.
std::string digest_of_file(const std::string& path);

}  // namespace convtool
