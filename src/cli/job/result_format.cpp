#include "cli/job/result_format.h"

namespace convtool {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::shape, "", message); }

}  // namespace

DType result_dtype(DType input, const FileFormat& format, const std::optional<DType>& depth, bool map_asked) {
  if (format.is_tensor()) {
    if (depth && *depth != DType::f32) {
      refuse("tensors are written as f32 (--depth " + std::string(to_string(*depth)) +
             " needs a picture format such as .png)");
    }
    return DType::f32;
  }
  if (depth) return *depth;
  return input == DType::f32 && map_asked && !format.holds_floats() ? DType::u8 : input;
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
    refuse("the result is a batch of " + std::to_string(shape.n) + ", and " + name + " holds one picture; write .npy");
  if (pixels && holds(*format.picture, dtype, *pixels)) return;

  const std::string result = std::to_string(shape.c) + (shape.c == 1 ? " channel" : " channels") + " of " +
                             std::string(to_string(dtype)) + (alpha_kept ? " and alpha" : "");
  std::string remedy = "write ";
  for (const PictureFormat& other : picture_formats()) {
    if (pixels && holds(other, dtype, *pixels)) remedy += std::string(other.extensions.front()) + ", ";
  }
  remedy += "or .npy";
  if (remedy == "write or .npy") remedy = "write .npy";
  if (!pixels && shape.c > 1 && remedies.combine) remedy += ", or join the channels with --combine";
  if (pixels && dtype == DType::f32) remedy += remedies.range;
  if (pixels && dtype == DType::u16 && !alpha_kept) remedy += ", or choose --depth u8";
  if (pixels && is_integer(dtype) && format.holds_floats()) remedy += ", or choose --depth f32";
  if (alpha_kept) remedy += ", or choose --alpha drop";
  refuse("the result has " + result + ", which " + name + " does not hold; " + remedy);
}

void check_heeds(const FileFormat& format, const EncodeOptions& options) {
  const std::string name(format.name());
  const bool is_png = !format.is_tensor() && format.picture->name == "png";
  if (options.quality && (format.is_tensor() || !has_quality(*format.picture)))
    refuse("--quality has no effect on " + name + "; leave it out, or write a .jpg");
  if (options.png_level && !is_png) refuse("--png-level is for png (got " + name + "); leave it out");
  if (options.png_strategy && !is_png) refuse("--png-strategy is for png (got " + name + "); leave it out");
}

}  // namespace convtool
