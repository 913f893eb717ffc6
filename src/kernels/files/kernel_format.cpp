#include "kernels/files/kernel_format.h"

#include <algorithm>

#include "core/text.h"
#include "files/json_text.h"
#include "kernels/files/foreign_kernels.h"
#include "kernels/files/kernel_json.h"
#include "kernels/files/kernel_writer.h"
#include "kernels/files/matrix_kernel.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// Which of those in JSON, by the keys. What is not JSON is for convtool's own reader to complain of.
KernelFormat guess_json(std::string_view text) {
  try {
    const nlohmann::json value = parse_json(text, ErrorKind::kernel, "");
    const auto has = [&](const char* key) { return value.is_object() && value.contains(key); };
    if (has("kernel") && has("width") && has("height")) return KernelFormat::sharp;
    if (has("kernel") && (has("factor") || has("border") || has("replace_invalid"))) return KernelFormat::openeo;
  } catch (const Error&) {
  }
  return KernelFormat::convtool;
}

bool is_vips_matrix(std::string_view text) {
  try {
    parse_vips_matrix(text, "", "");
    return true;
  } catch (const Error&) {
    return false;
  }
}

constexpr const char* kNpyFormat = "an .npy file";

Bytes format_npy(const Network& network) {
  const Layer& layer = only_layer(network, kNpyFormat);
  refuse_bias(layer, kNpyFormat);
  const KernelShape& size = layer.shape;
  NpyFile file = new_npy({size.c_o, size.c_i_per_group, size.kh, size.kw}, layer.rank);
  float* values = file.values().view<float>().data;
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    const std::size_t output = i / static_cast<std::size_t>(size.taps());
    const double divisor = layer.divisor.size() > 1 ? layer.divisor[output] : divisor_of(layer);
    values[i] = static_cast<float>(static_cast<double>(layer.weights[i]) / divisor);
  }
  return std::move(file.bytes);
}

/// --padding and --padding-mode, as a user has to give them beside the weights.
std::string padding_options(const ConvParams& params) {
  constexpr const char* kRules[] = {"", " --padding same", " --padding same_lower", " --padding full"};
  const Pads& pads = params.padding.pads;
  std::string text = kRules[static_cast<int>(params.padding.rule)];
  if (text.empty()) {
    text = " --pads " + std::to_string(pads.top) + "," + std::to_string(pads.left) + "," + std::to_string(pads.bottom) +
           "," + std::to_string(pads.right);
  }
  text += " --padding-mode " + std::string(to_string(params.padding_mode));
  if (params.padding_mode == PaddingMode::constant) text += " --padding-value " + to_text(params.padding_value);
  return text;
}

}  // namespace

bool is_json(KernelFormat format) {
  return format == KernelFormat::convtool || format == KernelFormat::sharp || format == KernelFormat::openeo;
}

std::optional<KernelFormat> kernel_format_of_name(std::string_view path) {
  if (has_extension(path, ".json")) return KernelFormat::convtool;
  if (has_extension(path, ".npy")) return KernelFormat::npy;
  if (has_extension(path, ".mat")) return KernelFormat::vips;
  return std::nullopt;
}

std::optional<KernelFormat> guess_kernel_format(std::span<const std::byte> bytes, std::string_view path) {
  if (looks_like_npy(bytes)) return KernelFormat::npy;
  const std::string_view text = text_of(bytes);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) return guess_json(text);
  if (looks_like_magick_kernel(text)) return KernelFormat::magick;
  if (is_vips_matrix(text)) return KernelFormat::vips;
  return kernel_format_of_name(path);
}

Network parse_kernel(KernelFormat format, std::span<const std::byte> bytes, const std::string& source,
                     const std::string& name) {
  const std::string_view text = text_of(bytes);
  switch (format) {
    case KernelFormat::convtool: return parse_kernel_json(text, source, name);
    case KernelFormat::npy: return parse_kernel_npy(bytes, source, name);
    case KernelFormat::vips: return parse_vips_matrix(text, source, name);
    case KernelFormat::magick: return parse_magick_kernel(text, source, name);
    case KernelFormat::sharp: return parse_sharp_kernel(text, source, name);
    case KernelFormat::openeo: break;
  }
  return parse_openeo_kernel(text, source, name);
}

Bytes format_kernel(KernelFormat format, const Network& network) {
  switch (format) {
    case KernelFormat::convtool: return bytes_of(format_kernel_json(network));
    case KernelFormat::npy: return format_npy(network);
    case KernelFormat::vips: return bytes_of(format_vips_matrix(network));
    case KernelFormat::magick: return bytes_of(format_magick_kernel(network));
    case KernelFormat::sharp: return bytes_of(format_sharp_kernel(network));
    case KernelFormat::openeo: break;
  }
  return bytes_of(format_openeo_kernel(network));
}

std::string border_remark(KernelFormat format, const Network& network) {
  if (format == KernelFormat::convtool) return "";
  const Layer& layer = network.banks.front().layers.front();
  if (format == KernelFormat::npy) {
    return has_border(layer) ? ".npy holds the weights alone; apply them with" + padding_options(layer.params) : "";
  }
  const bool is_one_weight = layer.shape.kh == 1 && layer.shape.kw == 1;
  if (has_border(layer) || is_one_weight) return "";
  return "the kernel asks for no padding; there the picture keeps its size, its border " +
         std::string(format == KernelFormat::openeo ? "surrounded by 0" : "repeated");
}

}  // namespace convtool
