// What a result is stored as: its element type and channels, and whether the format that was asked for has them.
#pragma once

#include <optional>

#include "pictures/encode_options.h"
#include "tensors/file_format.h"

namespace convtool {

/// The element type of the result. Floats stay floats, unless `map_asked` for and the format has no room for them.
/// Throws Error(shape) for tensors in another `depth` than f32.
DType result_dtype(DType input, const FileFormat& format, const std::optional<DType>& depth, bool map_asked);

/// How a picture of so many filtered channels is stored; nothing when no picture has that many.
std::optional<PixelFormat> result_pixels(std::int64_t channels, bool alpha_kept, bool alpha_filtered);

/// What a user can do about a result that a format does not hold, apart from another format.
struct Remedies {
  bool combine = true;                                                                   ///< --combine joins channels
  const char* range = ", or choose --depth u8 (with --map normalize to fit the range)";  ///< for floats
};

/// Throws Error(shape) unless `format` holds the result, with what would. `shape` is without an alpha that is kept.
void check_holds(const FileFormat& format, const Shape& shape, DType dtype, const std::optional<PixelFormat>& pixels,
                 bool alpha_kept, const Remedies& remedies);

/// Throws Error(shape) where something is asked of an encoder that has no such thing.
void check_heeds(const FileFormat& format, const EncodeOptions& options);

}  // namespace convtool
