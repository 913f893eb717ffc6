// The argument of sharp's convolve(), as JSON: {"width": 3, "height": 3, "kernel": [9 numbers], "scale": 9, "offset":
// 0}. sharp passes it on to libvips (vips_matrix.cpp). It accepts 3 to 1001 columns and rows, and whole scales and
// offsets. It replaces any other scale by the sum of the weights, and a scale below 1 by 1 (sharp, lib/operation.js).
#include <algorithm>
#include <cmath>

#include "core/float_range.h"
#include "core/text.h"
#include "files/json_text.h"
#include "kernels/files/foreign_kernels.h"
#include "kernels/files/matrix_kernel.h"

namespace convtool {
namespace {

using nlohmann::json;

constexpr const char* kSharpFormat = "sharp's JSON";
constexpr std::int64_t kLeastSide = 3, kLargestSide = 1001;

bool is_whole(double number) { return number == std::floor(number); }

double whole_number(const json& object, const char* key, const std::string& source) {
  const json& value = object.at(key);
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!is_whole(number) || !fits_float(number))
    refuse_kernel(source, std::string("/") + key + ": " + describe_json(value) +
                              " (expected a whole number within float32, as sharp does)");
  return number;
}

std::int64_t side(const json& object, const char* key, const std::string& source) {
  const double number = object.contains(key) ? whole_number(object, key, source) : 0;
  if (!(number >= static_cast<double>(kLeastSide) && number <= static_cast<double>(kLargestSide))) {
    refuse_kernel(source, std::string("/") + key + ": " + to_text(number) + " (expected " + std::to_string(kLeastSide) +
                              " to " + std::to_string(kLargestSide) + ", as sharp does)");
  }
  return static_cast<std::int64_t>(number);
}

}  // namespace

Network parse_sharp_kernel(std::string_view text, const std::string& source, const std::string& name) {
  const json object = parse_json(text, ErrorKind::kernel, source);
  if (!object.is_object() || !object.contains("kernel"))
    refuse_kernel(source, "not a kernel for sharp (expected an object with \"width\", \"height\" and \"kernel\")");
  check_known_keys(object, "", {"width", "height", "kernel", "scale", "offset"}, ErrorKind::kernel, source);
  const std::int64_t width = side(object, "width", source), height = side(object, "height", source);
  const NumberBlock block = read_numbers(object.at("kernel"), "/kernel", ErrorKind::kernel, source);
  if (block.dimensions != std::vector<std::int64_t>{width * height}) {
    refuse_kernel(source, "/kernel: a list of " + join_sizes(block.dimensions) + " numbers (expected " +
                              std::to_string(width * height) + ", width times height)");
  }
  double scale = 0;
  for (const double value : block.values) scale += value;
  if (object.contains("scale")) scale = whole_number(object, "scale", source);

  Layer layer = matrix_layer(height, width, {block.values.begin(), block.values.end()});
  set_divisor(std::max(scale, 1.0), source, layer);
  const double offset = object.contains("offset") ? whole_number(object, "offset", source) : 0;
  if (offset != 0) layer.bias = {static_cast<float>(offset)};
  layer.params.padding = padding_around({height / 2, width / 2}, layer.shape);
  layer.params.padding_mode = PaddingMode::replicate;
  return network_of(std::move(layer), name);
}

std::string format_sharp_kernel(const Network& network) {
  const Layer& layer = only_matrix(network, kSharpFormat);
  const KernelShape& size = layer.shape;
  for (const std::int64_t length : {size.kh, size.kw}) {
    if (length < kLeastSide || length > kLargestSide) {
      refuse_to_store(network.name, kSharpFormat,
                      "a kernel of " + join_sizes({size.kh, size.kw}) + " (expected 3 to 1001 rows and columns)",
                      "surround it with zeros");
    }
  }
  require_origin(layer, {size.kh / 2, size.kw / 2}, kSharpFormat);
  require_replicated_border(layer, kSharpFormat);
  const float bias = bias_of(layer, kSharpFormat);
  if (!is_whole(bias))
    refuse_to_store(network.name, kSharpFormat, "bias " + to_text(bias) + ", since its offsets are whole numbers",
                    "round it to a whole number");

  // A divisor that cannot be a scale is divided into the weights.
  const double divisor = divisor_of(layer);
  const bool is_scale = divisor >= 1 && is_whole(divisor);
  const auto weight = [&](std::size_t i) { return is_scale ? to_text(layer.weights[i]) : quotient_text(layer, i); };
  return "{\"width\":" + std::to_string(size.kw) + ",\"height\":" + std::to_string(size.kh) + ",\"kernel\":[" +
         join_matrix(size, weight, ",", ",") + "],\"scale\":" + to_text(is_scale ? divisor : 1.0) +
         ",\"offset\":" + to_text(bias) + "}\n";
}

}  // namespace convtool
