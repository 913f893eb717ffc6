// Digests of contents, to see whether they changed.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "files/regular_file.h"

namespace convtool {

/// "xxh128:" and 32 hexadecimal digits: the 128-bit XXH3 hash (Y. Collet, xxHash 0.8), as `xxh128sum` prints it. It
/// detects accidental changes, not forgeries.
std::string digest_of(std::span<const std::byte> bytes);

/// The digest of a regular file, which is read in pieces. Throws Error(input) with the path.
std::string digest_of_file(const std::string& path);
std::string digest_of_file(const RandomAccessFile& file);

}  // namespace convtool
