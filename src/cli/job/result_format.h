// The stored form of a result: its element type and channels, and whether the output's format can store them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

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

/// The filtered channels of a result.
struct ResultChannels {
  std::int64_t count = 1;
  bool are_colours = false;     ///< has_colours()
  bool alpha_kept = false;      ///< an alpha that was set aside is added to them
  bool alpha_filtered = false;  ///< the last one is alpha, filtered like a colour
};

/// Whether three channels of a result are R, G and B: they come from a picture in colours that are filtered, or an edge
/// recipe paints them. The channels of a tensor, and several responses to grey, are not colours.
bool has_colours(bool from_colours, const FilterSpec& spec, const std::optional<EdgeRecipe>& recipe);

/// Whether the kernels filter each channel apart, so that the last channel of the result comes from the last one of the
/// input.
bool keeps_channels(const Network& network);

/// The pixel format of a picture with these channels; nothing when no picture has such channels. Channels that are not
/// colours never become colours or alpha.
std::optional<PixelFormat> result_pixels(const ResultChannels& channels);

/// Suggestions for a result that a format cannot store, in addition to other formats.
struct Remedies {
  bool combine = true;  ///< --combine would combine the channels
  bool sheet = true;    ///< --sheet would show them
  bool layers = false;  ///< --dump-layers waits for a result that can be written
  const char* range = ", or choose --depth u8 (with --map normalize to fit the range)";  ///< for floats
  const char* channels = "";  ///< for a video, which has one channel
};

/// Throws Error(shape), with suggestions, unless `format` can store the result. `shape` does not count an alpha that is
/// kept.
void check_holds(const FileFormat& format, const Shape& shape, DType dtype, const std::optional<PixelFormat>& pixels,
                 bool alpha_kept, const Remedies& remedies);

/// The encoder options that have no effect on any of `formats`, the output's first, each as a sentence.
std::vector<std::string> options_without_effect(std::span<const FileFormat> formats, const EncodeOptions& options,
                                                TensorText tensor_text);

/// Throws Error(shape) for such an option.
void check_encoding(std::span<const FileFormat> formats, const EncodeOptions& options, TensorText tensor_text);

}  // namespace convtool
