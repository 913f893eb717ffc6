// ImageMagick's kernel string: "WxH+X+Y: v,v,v v,v,v", or an odd square of values alone. Commas and white space
// separate the values. The value in column X and row Y lies on the output pixel; without +X+Y it is the one in column
// (W - 1) / 2 and row (H - 1) / 2, rounded down (ImageMagick, "Convolution of Images" and morphology.c). This is the
// kernel of -morphology Correlate; Convolve rotates it by 180 degrees. Pixels outside the picture come from
// -virtual-pixel, which by default repeats the border.
#include <algorithm>
#include <cmath>

#include "core/printable.h"
#include "core/text.h"
#include "kernels/files/foreign_kernels.h"
#include "kernels/files/matrix_kernel.h"

namespace convtool {
namespace {

constexpr const char* kMagickFormat = "an ImageMagick kernel string";
constexpr std::string_view kSpace = " \t\r\n";

/// The parts of "WxH+X+Y".
struct Geometry {
  std::int64_t width = 0, height = 0;
  Extent origin;
};

/// Removes a whole number from the front of `text`.
std::optional<std::int64_t> take_number(std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
  text.remove_prefix(digits.size());
  return parse_number<std::int64_t>(digits);
}

std::optional<std::int64_t> take_number_after(char sign, std::string_view& text) {
  if (!text.starts_with(sign)) return std::nullopt;
  text.remove_prefix(1);
  return take_number(text);
}

Geometry parse_geometry(std::string_view text, const std::string& source) {
  const std::string whole = printable(text.substr(0, 40));
  const auto require_side = [&](std::optional<std::int64_t> side) {
    if (!side || *side < 1 || *side > kLargestParameter)
      refuse_kernel(source, "the kernel string begins '" + whole + ":' (expected WxH: or WxH+X+Y:, such as 3x3+1+1:)");
    return *side;
  };
  Geometry geometry;
  geometry.width = require_side(take_number(text));
  geometry.height = text.starts_with('x') ? require_side(take_number_after('x', text)) : geometry.width;
  geometry.origin = {(geometry.height - 1) / 2, (geometry.width - 1) / 2};
  if (text.starts_with('-'))
    refuse_kernel(source, "the origin in '" + whole + "' is outside the kernel, which convtool does not support");
  if (text.starts_with('+')) {
    const std::optional<std::int64_t> x = take_number_after('+', text), y = take_number_after('+', text);
    if (!x || !y || *x >= geometry.width || *y >= geometry.height) {
      refuse_kernel(source, "the origin in '" + whole + "' is not inside the kernel (expected +X+Y, from +0+0 to +" +
                                std::to_string(geometry.width - 1) + "+" + std::to_string(geometry.height - 1) + ")");
    }
    geometry.origin = {*y, *x};
  }
  if (text.find_first_of("@<>") != std::string_view::npos) {
    refuse_kernel(source,
                  "'" + whole +
                      "' asks for a list of rotated kernels (@, < or >), which is not one kernel; convert them one by "
                      "one (ImageMagick's -define morphology:showkernel=1 prints them)");
  }
  if (!text.empty()) refuse_kernel(source, "'" + printable(text) + "' in the size '" + whole + "' is not supported");
  return geometry;
}

/// `text` without the white space and the semicolons around the kernel string.
std::string_view only_kernel(std::string_view text, const std::string& source) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text = text.substr(0, text.find_last_not_of(std::string(kSpace) + ";") + 1);
  if (text.find(';') != std::string_view::npos) {
    refuse_kernel(source, "a list of kernels (separated by ';'), which is not one kernel; convert them one by one");
  }
  if (text.empty()) refuse_kernel(source, "the kernel string is empty");
  const bool named = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');
  if (named && !text.starts_with("nan")) {
    refuse_kernel(source, "'" + printable(text.substr(0, 40)) +
                              "' names a kernel that is built into ImageMagick; convert its numbers, which "
                              "-define morphology:showkernel=1 prints");
  }
  return text;
}

std::vector<float> parse_values(std::string_view text, const std::string& source) {
  std::vector<float> values;
  for (const std::string_view token : tokens_of(text, ",")) {
    const std::string what = "value " + std::to_string(values.size() + 1) + " of the kernel string";
    if (token == "-" || token == "nan" || token == "NaN") {
      refuse_kernel(source, what + " is '" + std::string(token) +
                                "', a hole where ImageMagick ignores the pixel (expected a number); write 0");
    }
    values.push_back(static_cast<float>(parse_kernel_number(token, source, what)));
  }
  return values;
}

}  // namespace

bool looks_like_magick_kernel(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  const std::string_view head = text.substr(0, text.find(':'));
  return head.size() < text.size() && !head.empty() && head[0] >= '0' && head[0] <= '9' &&
         head.find_first_not_of("0123456789x+-@<>%!^ ") == std::string_view::npos;
}

Network parse_magick_kernel(std::string_view text, const std::string& source, const std::string& name) {
  text = only_kernel(text, source);
  const std::size_t colon = text.find(':');
  const bool has_geometry = colon != std::string_view::npos;
  std::vector<float> values = parse_values(has_geometry ? text.substr(colon + 1) : text, source);
  const std::int64_t count = std::ssize(values);
  Geometry geometry;
  if (has_geometry) {
    geometry = parse_geometry(text.substr(0, text.substr(0, colon).find_last_not_of(kSpace) + 1), source);
    if (count != geometry.width * geometry.height) {
      refuse_kernel(source, "the kernel string has " + counted(count, "value") + " (expected " +
                                std::to_string(geometry.width) + " x " + std::to_string(geometry.height) + ")");
    }
  } else {
    const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(count)));
    if (side * side != count || side % 2 == 0) {
      refuse_kernel(source, "a kernel string of " + std::to_string(count) +
                                " values has no size (without one, they have to form a square of odd size); write the "
                                "size first, such as "
                                "3x2:");
    }
    geometry = {.width = side, .height = side, .origin = {side / 2, side / 2}};
  }
  Layer layer = matrix_layer(geometry.height, geometry.width, std::move(values));
  layer.params.padding = padding_around(geometry.origin, layer.shape);
  layer.params.padding_mode = PaddingMode::replicate;
  return network_of(std::move(layer), name);
}

std::string format_magick_kernel(const Network& network) {
  const Layer& layer = only_matrix(network, kMagickFormat);
  const KernelShape& size = layer.shape;
  refuse_bias(layer, kMagickFormat);
  require_replicated_border(layer, kMagickFormat);
  const Extent origin = origin_of(layer, kMagickFormat).value_or(Extent{(size.kh - 1) / 2, (size.kw - 1) / 2});
  return join_sizes({size.kw, size.kh}) + "+" + std::to_string(origin.w) + "+" + std::to_string(origin.h) + ": " +
         join_matrix(
             size, [&](std::size_t i) { return quotient_text(layer, i); }, ",", " ") +
         "\n";
}

}  // namespace convtool
