// Internal to pictures/ and cli/: where a picture ends that no other may follow in a stream.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace convtool {

/// The number of bytes of the picture that `bytes` begin with, a BMP, WebP or PFM: by the sizes in its header. Padding
/// belongs to it: zeros after the pixels of a BMP, and the last byte of a RIFF file of odd size. Nothing for any other
/// type, for a BMP in run lengths that has no size, and for a damaged or truncated picture, of which decoding says what
/// is wrong.
std::optional<std::size_t> find_lone_picture_end(std::span<const std::byte> bytes);

}  // namespace convtool
