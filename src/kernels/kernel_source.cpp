#include "kernels/kernel_source.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "core/suggest.h"
#include "core/text.h"
#include "files/file.h"
#include "kernels/files/kernel_json.h"
#include "kernels/generated.h"
#include "kernels/shipped.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

constexpr const char* kOption = "--kernel";

bool is_inline(const std::string& argument) {
  const std::size_t first = argument.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (argument[first] == '[' || argument[first] == '{');
}

bool is_path(const std::string& argument) {
  return argument.find('/') != std::string::npos || has_extension(argument, ".json") || has_extension(argument, ".npy");
}

[[noreturn]] void refuse_safetensors(const std::string& path) {
  throw Error(ErrorKind::kernel, kOption,
              "'" + path +
                  "' holds arrays by name; 'convtool kernels import' makes kernel files of them, and "
                  "{\"weight\": \"" +
                  path + "#NAME\"} is the one called NAME");
}

/// A kernel that cannot be read stops the run before any work, unlike an input that cannot.
Bytes read_kernel_file(const std::string& path) {
  try {
    return read_file(path, kLargestKernelFile);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    throw Error(ErrorKind::kernel, kOption, error.what());
  }
}

Network load_file(const std::string& path) {
  if (has_extension(path, ".safetensors")) refuse_safetensors(path);
  const Bytes bytes = read_kernel_file(path);
  const std::filesystem::path file(path);
  const std::string name = file.stem().string();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (looks_like_npy(bytes) || has_extension(path, ".npy")) return parse_kernel_npy(bytes, path, name);
  return parse_kernel_json(text, path, name, file.parent_path().string());
}

bool is_generator(std::string_view name) {
  const std::span<const Generator> all = generators();
  return std::any_of(all.begin(), all.end(), [name](const Generator& generator) { return generator.name == name; });
}

[[noreturn]] void refuse_unknown(const std::string& name) {
  if (has_extension(name, ".safetensors")) refuse_safetensors(name);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(name, ignored)) {
    throw Error(
        ErrorKind::kernel, kOption,
        "'" + name + "' is a file, but names of kernel files end in .json or .npy; rename it, or write ./" + name);
  }
  std::vector<std::string_view> known;
  for (const ShippedKernel& kernel : shipped_kernels()) known.push_back(kernel.name);
  for (const Generator& generator : generators()) known.push_back(generator.name);
  const std::string hint = suggestion(name, known);
  throw Error(ErrorKind::kernel, kOption,
              "no kernel is called '" + name + "' (expected a .json or .npy file, a name or inline JSON)" +
                  (hint.empty() ? "; 'convtool kernels list' shows the names" : hint));
}

}  // namespace

Network load_kernel(const std::string& argument) {
  if (is_inline(argument)) return parse_kernel_json(argument, kOption, "inline");
  if (is_path(argument)) return load_file(argument);
  if (const ShippedKernel* shipped = find_shipped_kernel(argument)) {
    return parse_kernel_json(shipped->json, "kernels/" + argument + ".json", argument);
  }
  if (argument.find(':') != std::string::npos || is_generator(argument)) return generate_kernel(argument);
  refuse_unknown(argument);
}

bool is_kernel_name(const std::string& text) {
  return find_shipped_kernel(text) != nullptr || is_generator(std::string_view(text).substr(0, text.find(':')));
}

}  // namespace convtool
