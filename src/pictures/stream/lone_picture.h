// Internal to pictures/ and cli/: where a picture ends that no other may follow in a stream.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace convtool {

/// The number of bytes of the picture that `bytes` begin with, a BMP, WebP, PFM, TIFF or OpenEXR: by the sizes in its
/// header, or by the places of its parts (tiff_end.h, exr_end.h). Padding belongs to it: zeros up to the end of `bytes`
/// after a BMP, TIFF or OpenEXR, and the last byte of a RIFF file of odd size. Nothing for any other type, for a BMP in
/// run lengths that has no size, and for a damaged or truncated picture, of which decoding says what is wrong.
std::optional<std::size_t> find_lone_picture_end(std::span<const std::byte> bytes);

}  // namespace convtool
