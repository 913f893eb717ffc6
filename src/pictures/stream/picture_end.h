// Internal to pictures/: where a picture in a stream ends.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "files/stream_reader.h"
#include "pictures/picture_type.h"

namespace convtool {

/// The bytes of the picture that `stream` continues with, a PNG, JPEG or PNM, found without decoding it: by the chunks
/// of a PNG, the segments of a JPEG, and the header of a PNM or, in text, its numbers. Pictures that the index of a
/// JPEG in the Multi-Picture Format lists belong to it, if the stream has them all where the index says. Nothing where
/// the stream ends before the picture does. Looks at no more bytes than it needs, and takes none. Throws Error(input),
/// without a path, for a picture whose end cannot be found, or that is too large.
std::optional<std::size_t> find_picture_end(StreamReader& stream, PictureType type, const SizeLimits& limits);

/// The same for the first picture in `bytes`, of any type; nothing for one that is damaged.
std::optional<std::size_t> find_picture_end(std::span<const std::byte> bytes);

}  // namespace convtool
