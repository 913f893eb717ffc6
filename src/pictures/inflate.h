// Compressed text inside picture files, through zlib.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace convtool {

/// What a zlib stream (RFC 1950) begins with: its first `most` bytes, or as many as can be had of a damaged one.
std::string inflate_start(std::span<const std::byte> stream, std::size_t most);

}  // namespace convtool
