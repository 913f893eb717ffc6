// The stored form of a result: its element type and channels, and whether the output's format can store them.
#pragma once

#include <optional>

#include "cli/job/filter_spec.h"
#include "tensors/file_format.h"

namespace convtool {

/// The recipe of `spec` with the choices made that depend on the input, a tensor or a picture of `input`, and on the
/// output's format: angles are shown as a wheel in pictures of integers, and in radians elsewhere. Throws Error(shape)
/// for an overlay on a tensor, and for angles in integers.
EdgeRecipe complete_recipe(const FilterSpec& spec, bool is_tensor, DType input, const FileFormat& format);

/// --depth, or f32 for an edge recipe whose output has signs; none: the input's depth.
std::optional<DType> given_depth(const FilterSpec& spec, const std::optional<EdgeRecipe>& recipe);

/// The element type of the result. Floats stay floats, unless a map is given and the format cannot store floats. Throws
/// Error(shape) for tensors of another `depth` than f32.
DType result_dtype(DType input, const FileFormat& format, const std::optional<DType>& depth, bool map_given);

/// The pixel format of a picture with `channels` filtered channels; nothing when no picture has that many.
std::optional<PixelFormat> result_pixels(std::int64_t channels, bool alpha_kept, bool alpha_filtered);

/// Suggestions for a result that a format cannot store, in addition to other formats.
struct Remedies {
  bool combine = true;  ///< --combine would combine channels
  const char* range = ", or choose --depth u8 (with --map normalize to fit the range)";  ///< for floats
};

/// Throws Error(shape), with suggestions, unless `format` can store the result. `shape` does not count an alpha that is
/// kept.
void check_holds(const FileFormat& format, const Shape& shape, DType dtype, const std::optional<PixelFormat>& pixels,
                 bool alpha_kept, const Remedies& remedies);

/// Throws Error(shape) for an encoder option that has no effect on `format`.
void check_encoding(const FileFormat& format, const EncodeOptions& options, TensorText tensor_text);

}  // namespace convtool
