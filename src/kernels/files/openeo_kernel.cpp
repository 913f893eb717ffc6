// The arguments of openEO's process apply_kernel: {"kernel": [[...], ...], "factor": 1, "border": 0, "replace_invalid":
// 0} (openEO, "Processes", apply_kernel). Every weight is multiplied by factor. The kernel is centred on each pixel, so
// its sides are odd, and it is not flipped. "border" is the value of pixels outside the picture, or replicate
// (aaa|abcd|ddd), reflect (cba|abcd|dcb), reflect_pixel (dcb|abcd|cba) or wrap (bcd|abcd|abc).
#include <cmath>

#include "core/float_range.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/json_text.h"
#include "kernels/files/foreign_kernels.h"
#include "kernels/files/matrix_kernel.h"

namespace convtool {
namespace {

using nlohmann::json;

constexpr const char* kOpenEoFormat = "openEO's JSON";

struct Border {
  std::string_view name;
  PaddingMode mode;
};
constexpr Border kBorders[] = {{"replicate", PaddingMode::replicate},
                               {"reflect", PaddingMode::symmetric},
                               {"reflect_pixel", PaddingMode::reflect},
                               {"wrap", PaddingMode::circular}};

double number(const json& object, const char* key, double fallback, const std::string& source) {
  if (!object.contains(key)) return fallback;
  const NumberBlock block = read_numbers(object.at(key), std::string("/") + key, ErrorKind::kernel, source);
  if (!block.dimensions.empty()) refuse_kernel(source, std::string("/") + key + ": a list (expected a number)");
  return block.values.front();
}

void read_border(const json& object, const std::string& source, ConvParams& params) {
  if (!object.contains("border") || !object.at("border").is_string()) {
    const auto value = static_cast<float>(number(object, "border", 0, source));
    if (value != 0) params.padding_mode = PaddingMode::constant;
    params.padding_value = value;
    return;
  }
  const std::string name = object.at("border").get<std::string>();
  std::vector<std::string_view> known;
  for (const Border& border : kBorders) {
    known.push_back(border.name);
    if (border.name != name) continue;
    params.padding_mode = border.mode;
    return;
  }
  refuse_kernel(source, "/border: " + describe_json(object.at("border")) +
                            " (expected a number, replicate, reflect, reflect_pixel or wrap)" +
                            suggestion(name, known));
}

/// "border" for a kernel that reads pixels outside the picture.
std::string border_text(const ConvParams& params) {
  for (const Border& border : kBorders) {
    if (border.mode == params.padding_mode) return "\"" + std::string(border.name) + "\"";
  }
  return to_text(params.padding_value);  // 0 for zeros
}

}  // namespace

Network parse_openeo_kernel(std::string_view text, const std::string& source, const std::string& name) {
  const json object = parse_json(text, ErrorKind::kernel, source);
  if (!object.is_object() || !object.contains("kernel"))
    refuse_kernel(source, "not the arguments of apply_kernel (expected an object with \"kernel\")");
  check_known_keys(object, "", {"kernel", "factor", "border", "replace_invalid"}, ErrorKind::kernel, source);
  const NumberBlock block = read_numbers(object.at("kernel"), "/kernel", ErrorKind::kernel, source);
  if (block.dimensions.size() != 2) {
    refuse_kernel(source, "/kernel: weights of rank " + std::to_string(block.dimensions.size()) +
                              " (expected 2: rows of numbers)");
  }
  const std::int64_t rows = block.dimensions[0], columns = block.dimensions[1];
  if (rows % 2 == 0 || columns % 2 == 0)
    refuse_kernel(source, "/kernel: " + join_sizes({rows, columns}) + " weights (expected odd sides, as openEO does)");
  if (number(object, "replace_invalid", 0, source) != 0)
    refuse_kernel(source, "/replace_invalid: convtool does not replace NaN (expected 0); remove it");
  const double factor = number(object, "factor", 1, source);
  if (factor == 0) refuse_kernel(source, "/factor: 0, which makes every response 0 (expected another number)");

  Layer layer = matrix_layer(rows, columns, {block.values.begin(), block.values.end()});
  const double whole = std::nearbyint(1 / factor);
  set_divisor(1 / whole == factor ? whole : 1 / factor, source, layer);
  layer.params.padding = {.rule = Padding::Rule::same, .pads = {}};
  read_border(object, source, layer.params);
  return network_of(std::move(layer), name);
}

std::string format_openeo_kernel(const Network& network) {
  const Layer& layer = only_matrix(network, kOpenEoFormat);
  const KernelShape& size = layer.shape;
  if (size.kh % 2 == 0 || size.kw % 2 == 0) {
    refuse_to_store(network.name, kOpenEoFormat,
                    "a kernel of " + join_sizes({size.kh, size.kw}) + " (expected odd sides)",
                    "add a row or column of zeros");
  }
  require_origin(layer, {size.kh / 2, size.kw / 2}, kOpenEoFormat);
  refuse_bias(layer, kOpenEoFormat);
  // A divisor whose reciprocal cannot be a factor is divided into the weights.
  const double reciprocal = 1 / divisor_of(layer), factor = fits_float(reciprocal) ? reciprocal : 1;
  const auto weight = [&](std::size_t i) {
    return factor == reciprocal ? to_text(layer.weights[i]) : quotient_text(layer, i);
  };
  return "{\"kernel\":[[" + join_matrix(size, weight, ",", "],[") + "]],\"factor\":" + to_text(factor) +
         ",\"border\":" + (has_border(layer) ? border_text(layer.params) : "0") + "}\n";
}

}  // namespace convtool
