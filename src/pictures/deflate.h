// Internal to pictures/: compression as PNG has it.
#pragma once

#include <optional>
#include <span>

#include "pictures/image_io.h"

namespace convtool {

/// `data` as a zlib stream (RFC 1950), from level 0, stored, to 9, smallest: by libdeflate, which takes half of zlib's
/// time; by zlib where a strategy is asked for, which libdeflate does not have. Throws std::bad_alloc.
Bytes deflate(std::span<const std::byte> data, int level, std::optional<PngStrategy> strategy);

/// The CRC-32 of PNG (PNG, third edition, annex D), going on from that of what stands before.
std::uint32_t crc32_of(std::span<const std::byte> data, std::uint32_t before = 0);

}  // namespace convtool
