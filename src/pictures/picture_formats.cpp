#include "pictures/picture_formats.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "pictures/picture_type.h"

namespace convtool {
namespace {

constexpr auto u8 = DType::u8, u16 = DType::u16, f32 = DType::f32;
constexpr auto grey = PixelFormat::grey, grey_alpha = PixelFormat::grey_alpha, rgb = PixelFormat::rgb,
               rgba = PixelFormat::rgba;

// Not in the table because OpenCV 4.6 would lose something: alpha in BMP, and floats in PNG, BMP, WebP and JPEG.
const std::vector<PictureFormat> kFormats = {
    {"png", {".png"}, {u8, u16}, {grey, grey_alpha, rgb, rgba}},
    {"jpeg", {".jpg", ".jpeg"}, {u8}, {grey, rgb}},
    {"tiff", {".tif", ".tiff"}, {u8, u16, f32}, {grey, grey_alpha, rgb, rgba}},
    {"bmp", {".bmp"}, {u8}, {grey, rgb}},
    {"webp", {".webp"}, {u8}, {grey, grey_alpha, rgb, rgba}},
    {"pnm", {".pnm"}, {u8, u16}, {grey, rgb}},
    {"pgm", {".pgm"}, {u8, u16}, {grey}},
    {"ppm", {".ppm"}, {u8, u16}, {rgb}},
    {"pfm", {".pfm"}, {f32}, {grey, rgb}},
    {"exr", {".exr"}, {f32}, {grey, grey_alpha, rgb, rgba}},
};

/// The longest side that the format can store: libjpeg's JPEG_MAX_DIMENSION, libwebp's WEBP_MAX_DIMENSION; in OpenEXR,
/// the limit that keeps a row of four channels below 2^31 bytes.
std::int64_t longest_side(std::string_view format) {
  if (format == "jpeg") return 65500;
  if (format == "webp") return 16383;
  return format == "exr" ? (1 << 27) - 1 : std::numeric_limits<int>::max();
}

std::string_view name_of(PictureType type) {
  constexpr std::string_view kNames[] = {"png", "jpeg", "tiff", "bmp", "webp", "pnm", "pfm", "exr"};
  return kNames[static_cast<int>(type)];
}

template <class List, class Value>
bool contains(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

std::span<const PictureFormat> picture_formats() { return kFormats; }

const PictureFormat* find_picture_format(std::string_view name) {
  const std::string extension = "." + std::string(name);
  for (const PictureFormat& format : kFormats)
    if (format.name == name || contains(format.extensions, extension)) return &format;
  return nullptr;
}

const PictureFormat* sniff_picture_format(std::span<const std::byte> bytes) {
  const std::optional<PictureType> type = sniff_picture_type(bytes);
  return type ? find_picture_format(name_of(*type)) : nullptr;
}

bool holds(const PictureFormat& format, DType dtype, PixelFormat pixels) {
  return contains(format.dtypes, dtype) && contains(format.pixels, pixels);
}

void check_storable(const PictureFormat& format, DType dtype, PixelFormat pixels, std::int64_t height,
                    std::int64_t width) {
  const std::string name(format.name), size = std::to_string(width) + "x" + std::to_string(height);
  if (!holds(format, dtype, pixels))
    throw Error(ErrorKind::output, "",
                name + " cannot store " + std::string(to_string(pixels)) + " in " + std::string(to_string(dtype)) +
                    " without loss; choose another format or --depth");
  if (height == 0 || width == 0)
    throw Error(ErrorKind::output, "", "a picture without pixels (" + size + ") cannot be written");
  if (std::max(height, width) > longest_side(format.name))
    throw Error(ErrorKind::output, "",
                name + " cannot store " + size + ": a side has at most " + std::to_string(longest_side(format.name)) +
                    " pixels; choose another format");
}

bool has_quality(const PictureFormat& format) { return format.name == "jpeg" || format.name == "webp"; }

}  // namespace convtool
