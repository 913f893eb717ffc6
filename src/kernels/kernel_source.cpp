#include "kernels/kernel_source.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/printable.h"
#include "core/text.h"
#include "files/file.h"
#include "kernels/files/json_hint.h"
#include "kernels/files/kernel_format.h"
#include "kernels/files/layer_text.h"
#include "kernels/files/layer_words.h"
#include "kernels/files/weight_file.h"
#include "kernels/named_kernel.h"
#include "network/residual.h"
#include "tensors/file_format.h"
#include "tensors/npz.h"
#include "tensors/printout.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

constexpr const char* kOption = "--kernel";
constexpr const char* kLayersOption = "--layers";

/// By convention, of files of layer text.
constexpr std::string_view kLayerExtension = ".layers";

bool is_inline(const std::string& argument) {
  const std::size_t first = argument.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (argument[first] == '[' || argument[first] == '{' ||
                                        begins_like_printout(std::string_view(argument).substr(first)));
}

bool is_path(const std::string& argument) {
  const ArrayPath parts = split_array_path(argument);
  return argument.find('/') != std::string::npos || kernel_format_of_name(argument) ||
         has_extension(parts.file, ".npz") || !parts.array.empty();
}

bool is_file(const std::string& argument) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(argument, ignored);
}

[[noreturn]] void refuse_picture(const std::string& path) {
  refuse_kernel(kOption, "'" + path + "' is a picture; -k takes a kernel, such as -k sobel or -k edge.json");
}

/// Files that are not kernels, by their extensions.
void refuse_other_files(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (has_extension(path, ".safetensors")) {
    refuse_kernel(
        kOption,
        "'" + path +
            "' stores arrays by name; 'convtool kernels import' writes kernel files for them, and {\"weight\": \"" +
            path + "#NAME\"} is the one called NAME");
  }
  if (has_extension(path, ".onnx"))
    refuse_kernel(kOption, "'" + path + "' is a model; 'convtool kernels import " + path +
                               "' writes a kernel file for its layers");
  refuse_checkpoint(kOption, path);
  if (has_extension(path, kLayerExtension))
    refuse_kernel(kOption, "'" + path +
                               "' describes layers without weights; see their sizes with 'convtool shape' or 'convtool "
                               "explain' and --layers");
  const auto format = extension.empty() ? std::nullopt : find_file_format(extension);
  if (format && !format->is_tensor()) refuse_picture(path);
}

/// A kernel that cannot be read stops the run before any work, unlike an input that cannot.
Buffer read_kernel_file(const std::string& path) {
  try {
    return read_file(path, {.bytes = kLargestKernelFile});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    refuse_kernel(kOption, error.what());
  }
}

/// json_of_printout(), whose refusal stops the run before any work.
std::optional<std::string> printed_json(std::string_view text, const std::string& source) {
  try {
    return json_of_printout(text, source);
  } catch (const Error& error) {
    refuse_kernel("", error.what());
  }
}

/// The .npy file of an array, `array` of the file `path` or its only one.
Buffer extract_kernel(const Buffer& archive, const std::string& path, const std::string& array) {
  try {
    return extract_npy(archive, array, kLargestKernelFile);
  } catch (const Error& error) {
    refuse_kernel(path, error.what());
  }
}

/// A file that shows by nothing what it is.
[[noreturn]] void refuse_content(std::span<const std::byte> bytes, const std::string& path) {
  if (sniff_picture_format(bytes) != nullptr) refuse_picture(path);
  refuse_kernel(
      path,
      "is in none of the formats of kernels (expected JSON, .npy, .npz, a vips matrix or an ImageMagick kernel "
      "string); 'convtool kernels convert --from FORMAT' reads a format that its content does not show");
}

/// The format of text that is not convtool's JSON, such as "3x3: 0,-1,0 -1,4,-1 0,-1,0"; nothing for other text.
std::optional<KernelFormat> foreign_format(const std::string& text) {
  const std::optional<KernelFormat> format = guess_kernel_format(std::as_bytes(std::span(text)), "");
  return format == KernelFormat::convtool ? std::nullopt : format;
}

Network load_foreign(KernelFormat format, const std::string& text) {
  return parse_kernel(format, std::as_bytes(std::span(text)), kOption, "inline");
}

Network load_inline(const std::string& text, Weights weights) {
  if (ends_inside_brackets(text)) {
    refuse_kernel(
        kOption,
        "the brackets of '" + printable(text.substr(0, 40)) +
            "' do not close; close them, or, if the shell has split the kernel, put the JSON in single quotes");
  }
  if (const std::optional<KernelFormat> format = foreign_format(text)) return load_foreign(*format, text);
  return parse_kernel_json(printed_json(text, kOption).value_or(text), kOption, "inline", weight_files_in(""),
                           load_named_kernel, weights);
}

[[noreturn]] void refuse_unknown(const std::string& name) {
  refuse_other_files(name);
  refuse_kernel(kOption, "no kernel is called '" + name + "' (expected a kernel file, a name or inline JSON)" +
                             advice_on_name(name));
}

/// Whether `argument` is a piece of JSON such as weight:[[1,-1]], without the braces and quotes that a shell has
/// removed.
bool is_piece_of_json(const std::string& argument) {
  std::error_code ignored;
  return (argument.find("[[") != std::string::npos || argument.find("]]") != std::string::npos) &&
         !std::filesystem::exists(argument, ignored);
}

}  // namespace

Network load_kernel(const std::string& argument, Weights weights) {
  if (is_inline(argument) && !is_file(argument)) return load_inline(argument, weights);
  if (is_piece_of_json(argument))
    refuse_kernel(kOption,
                  "'" + printable(argument) +
                      "' is only a piece of JSON; put the JSON in single quotes: -k '{\"weight\": [[1, -1]]}'");
  if (is_path(argument)) return load_kernel_file(argument, std::nullopt, weights);
  if (is_kernel_name(argument)) return load_named_kernel(argument);
  if (is_file(argument)) return load_kernel_file(argument, std::nullopt, weights);
  if (const std::optional<KernelFormat> format = foreign_format(argument)) return load_foreign(*format, argument);
  if (std::optional<Network> named = find_named_kernel(argument)) return *std::move(named);
  refuse_unknown(argument);
}

Network load_kernel_file(const std::string& path, std::optional<KernelFormat> format, Weights weights) {
  refuse_other_files(path);
  const auto [file_name, array] = split_array_path(path);
  Buffer bytes = read_kernel_file(file_name);
  if (looks_like_npz(bytes) || !array.empty()) bytes = extract_kernel(bytes, path, array);
  const std::filesystem::path file(file_name);
  const std::string name = array.empty() ? file.stem().string() : array;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::optional<std::string> printout;
  if (!format) {
    printout = printed_json(text, path);
    format = printout ? KernelFormat::convtool : guess_kernel_format(bytes, path);
    if (!format) refuse_content(bytes, path);
  }
  if (*format != KernelFormat::convtool) return parse_kernel(*format, bytes, path, name);
  return parse_kernel_json(printout ? std::string_view(*printout) : text, path, name,
                           weight_files_in(file.parent_path().string()), load_named_kernel, weights);
}

Network load_kernel_of(const std::string& option, const std::string& argument, Weights weights) {
  try {
    return load_kernel(argument, weights);
  } catch (const Error& error) {
    if (error.where() != kOption) throw;
    throw Error(error.kind(), option, std::string(error.what()).substr(error.where().size() + 2));
  }
}

namespace {

/// Refuses files of --layers that are not text.
void check_layer_text(std::span<const std::byte> bytes, const std::string& path) {
  const std::string layers = "; --layers takes layers as text, such as 'conv 3 64 p1, relu', or JSON";
  if (sniff_picture_format(bytes) != nullptr) refuse_kernel(kLayersOption, "'" + path + "' is a picture" + layers);
  if (std::find(bytes.begin(), bytes.end(), std::byte{0}) != bytes.end())
    refuse_kernel(kLayersOption, "'" + path + "' contains bytes that are not text (UTF-8)" + layers);
}

/// Without the mark that programs on Windows put in front of UTF-8.
std::string_view without_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

}  // namespace

Network load_layers(const std::string& argument) {
  const auto is_json = [](std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && (text[first] == '[' || text[first] == '{');
  };
  const auto parse = [&](std::string_view text, const std::string& source, const std::string& name,
                         const std::string& folder) {
    if (!is_json(text)) return with_named_input(parse_layer_text(text, source, name));
    return parse_kernel_json(text, source, name, weight_files_in(folder), load_named_kernel, Weights::optional);
  };
  const bool looks_like_path =
      argument.find_first_of(" ,\t\n[{") == std::string::npos && argument.find_first_of("/.") != std::string::npos;
  if (argument != "-" && !looks_like_path && !is_file(argument)) {
    const bool is_word = argument.find_first_of(" ,\t\n#[{") == std::string::npos && !argument.empty();
    const std::vector<std::string_view> words = layer_words();
    if (is_word && std::find(words.begin(), words.end(), in_small_letters(argument)) == words.end())
      refuse_kernel(kLayersOption, "'" + printable_start(argument, 40) + "' is neither a file nor a layer" +
                                       advice_on_layer(argument));
    return parse(argument, kLayersOption, "inline", "");
  }
  Buffer bytes;
  try {
    bytes = read_file(argument, {.bytes = kLargestKernelFile});
  } catch (const Error& error) {
    refuse_kernel(kLayersOption, error.what());
  }
  check_layer_text(bytes, argument);
  const std::filesystem::path file(argument);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return parse(without_mark(text), argument, argument == "-" ? "layers" : file.stem().string(),
               file.parent_path().string());
}

}  // namespace convtool
