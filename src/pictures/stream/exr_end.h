// Internal to pictures/: where an OpenEXR file ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace convtool {

/// The end of the last chunk (rows or a tile) that the offset tables of the OpenEXR file list with which `bytes` begin,
/// of all parts and levels, deep or not. Throws Error(input) where a header is damaged, a chunk is not in `bytes`, or
/// an offset is missing, as in a file whose writer was interrupted. Source: "OpenEXR File Layout", openexr.com.
std::uint64_t find_exr_end(std::span<const std::byte> bytes);

}  // namespace convtool
