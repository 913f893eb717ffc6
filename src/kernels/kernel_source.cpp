#include "kernels/kernel_source.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/file.h"
#include "kernels/files/json_hint.h"
#include "kernels/files/kernel_format.h"
#include "kernels/files/kernel_json.h"
#include "kernels/generated.h"
#include "kernels/shipped.h"
#include "tensors/file_format.h"
#include "tensors/printout.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

constexpr const char* kOption = "--kernel";

/// Names that other programs use for kernels of ours.
struct Synonym {
  std::string_view name, ours;
};
constexpr Synonym kSynonyms[] = {{"blur", "gaussian"},   {"gauss", "gaussian"}, {"gaussian-blur", "gaussian"},
                                 {"mean", "box"},        {"average", "box"},    {"laplace", "laplacian-4"},
                                 {"mexican-hat", "log"}, {"gray", "luma"},      {"grey", "luma"}};

bool is_inline(const std::string& argument) {
  const std::size_t first = argument.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (argument[first] == '[' || argument[first] == '{' ||
                                        begins_like_printout(std::string_view(argument).substr(first)));
}

bool is_path(const std::string& argument) {
  return argument.find('/') != std::string::npos || kernel_format_of_name(argument);
}

bool is_file(const std::string& argument) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(argument, ignored);
}

bool is_generator(std::string_view name) {
  const std::span<const Generator> all = generators();
  return std::any_of(all.begin(), all.end(), [name](const Generator& generator) { return generator.name == name; });
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
  const auto format = extension.empty() ? std::nullopt : find_file_format(extension);
  if (format && !format->is_tensor()) refuse_picture(path);
}

/// A kernel that cannot be read stops the run before any work, unlike an input that cannot.
Buffer read_kernel_file(const std::string& path) {
  try {
    return read_file(path, kLargestKernelFile);
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

/// A file that shows by nothing what it is.
[[noreturn]] void refuse_content(std::span<const std::byte> bytes, const std::string& path) {
  if (sniff_picture_format(bytes) != nullptr) refuse_picture(path);
  refuse_kernel(path,
                "is in none of the formats of kernels (expected JSON, .npy, a vips matrix or an ImageMagick kernel "
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

Network load_inline(const std::string& text) {
  if (ends_inside_brackets(text)) {
    refuse_kernel(
        kOption,
        "the brackets of '" + printable(text.substr(0, 40)) +
            "' do not close; close them, or, if the shell has split the kernel, put the JSON in single quotes");
  }
  if (const std::optional<KernelFormat> format = foreign_format(text)) return load_foreign(*format, text);
  return parse_kernel_json(printed_json(text, kOption).value_or(text), kOption, "inline");
}

/// "gaussian:sigma=2" for 'gaussian sigma=2', 'gaussian(sigma=2)' and 'gaussian,sigma=2'; "" where `text` does not
/// begin with the name of a generator.
std::string with_colon(const std::string& text) {
  const std::size_t end = text.find_first_of(" ,(");
  if (end == std::string::npos || !is_generator(std::string_view(text).substr(0, end))) return "";
  std::string result = text.substr(0, end) + ":";
  for (const char c : text.substr(end)) {
    if (c == ' ' || c == ',') {
      if (!result.ends_with(':') && !result.ends_with(',')) result += ',';
    } else if (c != '(' && c != ')') {
      result += c;
    }
  }
  if (result.ends_with(',')) result.pop_back();
  return result;
}

/// "; did you mean ...", or the command that lists the names.
std::string advice(const std::string& name) {
  const std::string spec = with_colon(name);
  if (!spec.empty()) return "; did you mean " + spec + "?";
  if (in_small_letters(name) == "canny") return "; 'convtool edges --thin --hysteresis auto' is a Canny detector";
  for (const Synonym& synonym : kSynonyms)
    if (in_small_letters(name) == synonym.name) return "; did you mean '" + std::string(synonym.ours) + "'?";
  std::vector<std::string_view> known;
  for (const ShippedKernel& kernel : shipped_kernels()) known.push_back(kernel.name);
  for (const Generator& generator : generators()) known.push_back(generator.name);
  const std::string hint = suggestion(name, known);
  return hint.empty() ? "; 'convtool kernels list' shows the names" : hint;
}

[[noreturn]] void refuse_unknown(const std::string& name) {
  refuse_other_files(name);
  refuse_kernel(kOption,
                "no kernel is called '" + name + "' (expected a kernel file, a name or inline JSON)" + advice(name));
}

/// Whether `argument` is a piece of JSON such as weight:[[1,-1]], without the braces and quotes that a shell has
/// removed.
bool is_piece_of_json(const std::string& argument) {
  std::error_code ignored;
  return (argument.find("[[") != std::string::npos || argument.find("]]") != std::string::npos) &&
         !std::filesystem::exists(argument, ignored);
}

}  // namespace

Network load_kernel(const std::string& argument) {
  if (is_inline(argument) && !is_file(argument)) return load_inline(argument);
  if (is_piece_of_json(argument))
    refuse_kernel(kOption,
                  "'" + printable(argument) +
                      "' is only a piece of JSON; put the JSON in single quotes: -k '{\"weight\": [[1, -1]]}'");
  if (is_path(argument)) return load_kernel_file(argument);
  if (const ShippedKernel* shipped = find_shipped_kernel(argument))
    return parse_kernel_json(shipped->json, "kernels/" + argument + ".json", argument);
  if (is_generator(std::string_view(argument).substr(0, argument.find(':')))) return generate_kernel(argument);
  if (is_file(argument)) return load_kernel_file(argument);
  if (const std::optional<KernelFormat> format = foreign_format(argument)) return load_foreign(*format, argument);
  if (argument.find(':') != std::string::npos && with_colon(argument).empty()) return generate_kernel(argument);
  refuse_unknown(argument);
}

Network load_kernel_file(const std::string& path, std::optional<KernelFormat> format) {
  refuse_other_files(path);
  const Buffer bytes = read_kernel_file(path);
  const std::filesystem::path file(path);
  const std::string name = file.stem().string();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!format) {
    if (const std::optional<std::string> json = printed_json(text, path)) return parse_kernel_json(*json, path, name);
    format = guess_kernel_format(bytes, path);
    if (!format) refuse_content(bytes, path);
  }
  if (*format != KernelFormat::convtool) return parse_kernel(*format, bytes, path, name);
  return parse_kernel_json(text, path, name, weight_files_in(file.parent_path().string()));
}

bool is_kernel_name(const std::string& text) {
  return find_shipped_kernel(text) != nullptr || is_generator(std::string_view(text).substr(0, text.find(':')));
}

}  // namespace convtool
