#include "cli/job/result_format.h"

#include <algorithm>

namespace convtool {
EdgeRecipe complete_recipe(const FilterSpec& spec, bool is_tensor, DType input, const FileFormat& format) {
  EdgeRecipe recipe = *spec.edges;
  if (recipe.kind == EdgeKind::overlay && is_tensor)
    refuse_shape("",
                 "an overlay needs a picture to be painted on, and the input is a tensor; choose --output-kind binary");
  const bool floats = spec.depth ? *spec.depth == DType::f32 : format.is_tensor() || !is_integer(input);
  if (recipe.kind == EdgeKind::orientation && !spec.angle_given)
    recipe.angle = floats ? AngleUnit::radians : AngleUnit::wheel;
  if (recipe.kind == EdgeKind::orientation && recipe.angle != AngleUnit::wheel && spec.depth && !floats)
    refuse_shape("", "angles in " + std::string(kAngleUnits[static_cast<int>(recipe.angle)]) +
                         " are f32 (got --depth " + std::string(to_string(*spec.depth)) + "); choose --angle wheel");
  if (recipe.brightness && recipe.angle != AngleUnit::wheel)
    refuse_shape("", "--normalize-percentile sets the brightness of --angle wheel, and the angles are in " +
                         std::string(kAngleUnits[static_cast<int>(recipe.angle)]) +
                         "; leave it out, or choose --angle wheel");
  return recipe;
}

std::optional<DType> given_depth(const FilterSpec& spec, const std::optional<EdgeRecipe>& recipe) {
  if (spec.depth || !recipe) return spec.depth;
  return recipe->is_signed() ? std::optional(DType::f32) : std::nullopt;
}

DType result_dtype(DType input, const FileFormat& format, const std::optional<DType>& depth, bool map_given) {
  if (format.is_tensor()) {
    if (depth && *depth != DType::f32) {
      refuse_shape("", "tensors are written as f32 (--depth " + std::string(to_string(*depth)) +
                           " needs a picture format such as .png)");
    }
    return DType::f32;
  }
  if (depth) return *depth;
  return input == DType::f32 && map_given && !format.holds_floats() ? DType::u8 : input;
}

bool has_colours(bool from_colours, const FilterSpec& spec, const std::optional<EdgeRecipe>& recipe) {
  if (recipe) return recipe->kind != EdgeKind::components && recipe->channels() == 3;
  return from_colours && !spec.makes_grey();
}

bool keeps_channels(const Network& network) {
  return std::all_of(network.banks.begin(), network.banks.end(), [](const Bank& bank) {
    const bool is_one = bank.layers.size() == 1 || bank.combine != Combine::none;
    return is_one &&
           std::all_of(bank.layers.begin(), bank.layers.end(), [](const Layer& layer) { return layer.rank == 2; });
  });
}

std::optional<PixelFormat> result_pixels(const ResultChannels& channels) {
  const bool with_alpha = channels.alpha_kept || channels.alpha_filtered;
  switch (channels.count - (channels.alpha_filtered ? 1 : 0)) {
    case 1: return with_alpha ? PixelFormat::grey_alpha : PixelFormat::grey;
    case 3:
      if (!channels.are_colours) return std::nullopt;
      return with_alpha ? PixelFormat::rgba : PixelFormat::rgb;
    default: return std::nullopt;
  }
}

void check_holds(const FileFormat& format, const Shape& shape, DType dtype, const std::optional<PixelFormat>& pixels,
                 bool alpha_kept, const Remedies& remedies) {
  if (format.is_tensor()) return;
  const std::string name(format.name());
  if (shape.n > 1)
    refuse_shape("", "the result is a batch of " + std::to_string(shape.n) + " pictures, but " + name +
                         " stores one; write .npy");
  if (pixels && holds(*format.picture, dtype, *pixels)) return;

  const std::string result = std::to_string(shape.c) + (shape.c == 1 ? " channel" : " channels") + " of " +
                             std::string(to_string(dtype)) + (alpha_kept ? " and alpha" : "");
  if (format.is_video())
    refuse_shape("", "the result has " + result + ", which a video cannot store; " +
                         (pixels && dtype != DType::u8  ? "leave --depth out"
                          : !pixels && remedies.combine ? "combine the channels with --combine"
                                                        : remedies.channels));
  std::string remedy = "write ";
  for (const PictureFormat& other : picture_formats()) {
    if (pixels && holds(other, dtype, *pixels)) remedy += std::string(other.extensions.front()) + ", ";
  }
  remedy += "or .npy";
  if (remedy == "write or .npy") remedy = "write .npy";
  if (!pixels && shape.c > 1 && remedies.combine) remedy += ", combine the channels with --combine";
  if (!pixels && shape.c > 1 && remedies.sheet) remedy += ", or show the channels as tiles with --sheet FILE.png";
  const bool holds_bytes = pixels && holds(*format.picture, DType::u8, *pixels);
  if (holds_bytes && dtype == DType::f32) remedy += remedies.range;
  if (holds_bytes && dtype == DType::u16 && !alpha_kept) remedy += ", or choose --depth u8";
  if (pixels && is_integer(dtype) && format.holds_floats()) remedy += ", or choose --depth f32";
  if (alpha_kept) remedy += ", or choose --alpha drop";
  if (remedies.layers) remedy += "; the layers of --dump-layers are written together with it";
  const bool are_maps = !pixels && shape.c <= 4;  // as many as some picture has colours and alpha
  refuse_shape("", "the result has " + result + ", which " + (are_maps ? "are not colours that " : "") + name +
                       (are_maps ? " could store; " : " cannot store; ") + remedy);
}

std::vector<std::string> options_without_effect(std::span<const FileFormat> formats, const EncodeOptions& options,
                                                TensorText tensor_text) {
  std::vector<std::string> sentences;
  const auto check = [&](bool is_given, const char* option, const char* remedy, const auto& applies) {
    if (is_given && std::none_of(formats.begin(), formats.end(), applies))
      sentences.push_back(std::string(option) + " has no effect on " + std::string(formats.front().name()) +
                          "; leave it out, or write a " + remedy);
  };
  const auto is = [](const char* name) {
    return [name](const FileFormat& format) { return !format.is_tensor() && format.picture->name == name; };
  };
  check(options.quality.has_value(), "--quality", ".jpg or .webp",
        [](const FileFormat& format) { return !format.is_tensor() && has_quality(*format.picture); });
  check(options.png_level.has_value(), "--png-level", ".png", is("png"));
  check(options.png_strategy.has_value(), "--png-strategy", ".png", is("png"));
  check(options.tiff_compression.has_value(), "--tiff-compression", ".tif", is("tiff"));
  check(tensor_text != TensorText::dense, "--pretty", "tensor in .json",
        [](const FileFormat& format) { return format.kind == FileFormat::Kind::json; });
  return sentences;
}

void check_encoding(std::span<const FileFormat> formats, const EncodeOptions& options, TensorText tensor_text) {
  const std::vector<std::string> sentences = options_without_effect(formats, options, tensor_text);
  if (!sentences.empty()) refuse_shape("", sentences.front());
}

}  // namespace convtool
