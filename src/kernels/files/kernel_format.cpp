#include "kernels/files/kernel_format.h"

#include "core/text.h"
#include "files/json_text.h"
#include "kernels/files/foreign_kernels.h"
#include "kernels/files/kernel_json.h"
#include "kernels/files/kernel_writer.h"
#include "kernels/files/matrix_kernel.h"
#include "kernels/files/weight_file.h"
#include "kernels/named_kernel.h"
#include "tensors/printout.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

template <Network (*parse)(std::string_view text, const std::string& source, const std::string& name)>
Network parse_text(std::span<const std::byte> bytes, const std::string& source, const std::string& name) {
  return parse(text_of(bytes), source, name);
}

template <std::string (*format)(const Network&)>
Bytes format_text(const Network& network) {
  const std::string text = format(network);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Network parse_convtool(std::string_view text, const std::string& source, const std::string& name) {
  return parse_kernel_json(text, source, name, weight_files_in(""), load_named_kernel);
}

struct Format {
  Network (*parse)(std::span<const std::byte> bytes, const std::string& source, const std::string& name);
  Bytes (*format)(const Network& network);
};

/// In the order of KernelFormat.
constexpr Format kFormats[] = {{parse_text<parse_convtool>, format_text<format_kernel_json>},
                               {parse_npy_kernel, format_npy_kernel},
                               {parse_text<parse_vips_matrix>, format_text<format_vips_matrix>},
                               {parse_text<parse_magick_kernel>, format_text<format_magick_kernel>},
                               {parse_text<parse_sharp_kernel>, format_text<format_sharp_kernel>},
                               {parse_text<parse_openeo_kernel>, format_text<format_openeo_kernel>}};
static_assert(std::size(kFormats) == std::size(kKernelFormats));

/// The format in JSON that the keys show. Text that is not JSON counts as convtool's, whose reader then reports it.
KernelFormat guess_json(std::string_view text) {
  if (text.find("\"kernel\"") == std::string_view::npos) return KernelFormat::convtool;  // as most files, at no cost
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

/// --padding and --padding-mode, as a user has to give them in addition to the weights.
std::string padding_options(const ConvParams& params) {
  const Pads& pads = params.padding.pads;
  std::string text = " --padding " + std::string(kPaddingRules[static_cast<int>(params.padding.rule)]);
  if (params.padding.rule == Padding::Rule::fixed) {
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
  return kFormats[static_cast<int>(format)].parse(bytes, source, name);
}

Bytes format_kernel(KernelFormat format, const Network& network) {
  return kFormats[static_cast<int>(format)].format(network);
}

std::string border_remark(KernelFormat format, const Network& network) {
  if (format == KernelFormat::convtool) return "";
  const Layer& layer = network.banks.front().layers.front();
  if (format == KernelFormat::npy) {
    return has_border(layer) ? ".npy stores only the weights; apply them with" + padding_options(layer.params) : "";
  }
  const bool is_one_weight = layer.shape.kh == 1 && layer.shape.kw == 1;
  if (has_border(layer) || is_one_weight) return "";
  return "the kernel has no padding, but the other program keeps the size of the picture and " +
         std::string(format == KernelFormat::openeo ? "surrounds it with 0" : "repeats its border");
}

}  // namespace convtool
