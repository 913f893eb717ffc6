#include "cli/job/result_format.h"

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

std::optional<PixelFormat> result_pixels(std::int64_t channels, bool alpha_kept, bool alpha_filtered) {
  if (alpha_kept) {
    if (channels == 1) return PixelFormat::grey_alpha;
    return channels == 3 ? std::optional(PixelFormat::rgba) : std::nullopt;
  }
  switch (channels) {
    case 1: return PixelFormat::grey;
    case 2: return alpha_filtered ? std::optional(PixelFormat::grey_alpha) : std::nullopt;
    case 3: return PixelFormat::rgb;
    case 4: return PixelFormat::rgba;
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
  std::string remedy = "write ";
  for (const PictureFormat& other : picture_formats()) {
    if (pixels && holds(other, dtype, *pixels)) remedy += std::string(other.extensions.front()) + ", ";
  }
  remedy += "or .npy";
  if (remedy == "write or .npy") remedy = "write .npy";
  if (!pixels && shape.c > 1 && remedies.combine) remedy += ", or combine the channels with --combine";
  if (pixels && dtype == DType::f32) remedy += remedies.range;
  if (pixels && dtype == DType::u16 && !alpha_kept) remedy += ", or choose --depth u8";
  if (pixels && is_integer(dtype) && format.holds_floats()) remedy += ", or choose --depth f32";
  if (alpha_kept) remedy += ", or choose --alpha drop";
  refuse_shape("", "the result has " + result + ", which " + name + " cannot store; " + remedy);
}

void check_encoding(const FileFormat& format, const EncodeOptions& options, TensorText tensor_text) {
  const auto refuse_option = [&](const char* option, const char* remedy) {
    refuse_shape("", std::string(option) + " has no effect on " + std::string(format.name()) +
                         "; leave it out, or write a " + remedy);
  };
  const auto is = [&](const char* name) { return !format.is_tensor() && format.picture->name == name; };
  if (options.quality && (format.is_tensor() || !has_quality(*format.picture)))
    refuse_option("--quality", ".jpg or .webp");
  if (options.png_level && !is("png")) refuse_option("--png-level", ".png");
  if (options.png_strategy && !is("png")) refuse_option("--png-strategy", ".png");
  if (options.tiff_compression && !is("tiff")) refuse_option("--tiff-compression", ".tif");
  if (tensor_text != TensorText::dense && format.kind != FileFormat::Kind::json)
    refuse_option("--pretty", "tensor in .json");
}

}  // namespace convtool
