// Internal to pictures/, but for isal_version() and those functions of which this is said: Deflate, the compression of
// PNG files and of some TIFF files. It is undone in inflate.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "files/file.h"
#include "pictures/encode_options.h"

namespace convtool {

/// The version of ISA-L that was compiled in, such as "2.30.0".
std::string isal_version();

/// Compresses `data` to a zlib stream (RFC 1950), at a level from 0, stored, to 9, smallest. By default libdeflate is
/// used, which takes half of zlib's time. It has no strategies, so with a strategy zlib is used. Throws std::bad_alloc.
Bytes deflate(std::span<const std::byte> data, int level, std::optional<PngStrategy> strategy);

/// A part of the Deflate stream (RFC 1951) of a longer text, which is that of all parts one after another: a sequence
/// of blocks that ends on a byte, and refers to nothing before `data`. Made for speed, at about the size of deflate()'s
/// level 1, of photographs often less: see LiteralBlock. Throws std::bad_alloc.
Bytes deflate_part(std::span<const std::byte> data, bool is_last);

/// A whole zlib stream, made like such parts.
Bytes deflate_fast(std::span<const std::byte> data);

/// The first `most` bytes that a zlib stream decompresses to; fewer if the stream ends or is damaged before that.
std::string inflate_start(std::span<const std::byte> stream, std::size_t most);

/// The text that a whole zlib stream decompresses to, or nothing if that is more than `most` bytes, or the stream is
/// damaged. Throws std::bad_alloc.
std::optional<Bytes> inflate_whole(std::span<const std::byte> stream, std::size_t most);

/// Decompresses a whole Deflate stream (RFC 1951), which fills `text`. Returns false if it is damaged, or its text has
/// another size. Also for tensors/. Throws std::bad_alloc.
[[nodiscard]] bool inflate_raw(std::span<const std::byte> stream, std::span<std::byte> text);

/// The number of bytes that a zlib stream decompresses to, or nothing if that is less than `size` or more than `most`,
/// or the checksum is wrong. Other bytes may follow the stream. Throws std::bad_alloc.
std::optional<std::size_t> size_of_sound_stream(std::span<const std::byte> stream, std::size_t size, std::size_t most);

/// The header of a zlib stream with a window of 32 KiB, at the fastest level.
constexpr std::byte kZlibHeader[] = {std::byte{0x78}, std::byte{0x01}};

/// The CRC-32 of PNG (PNG, third edition, annex D) and ZIP. Also for tensors/. `before` is the CRC of the preceding
/// bytes.
std::uint32_t crc32_of(std::span<const std::byte> data, std::uint32_t before = 0);

/// The Adler-32 of a zlib stream (RFC 1950). `before` is the checksum of the preceding bytes.
constexpr std::uint32_t kAdler32OfNothing = 1;
std::uint32_t adler32_of(std::span<const std::byte> data, std::uint32_t before);

/// The Adler-32 of a text from those of its two halves, the second of which has `size` bytes.
std::uint32_t join_adler32(std::uint32_t first, std::uint32_t second, std::size_t size);

}  // namespace convtool
