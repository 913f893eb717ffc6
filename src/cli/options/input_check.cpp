#include "cli/options/input_check.h"

#include <filesystem>

#include "cli/job/source.h"
#include "core/error.h"
#include "kernels/named_kernel.h"
#include "tensors/file_format.h"
#include "tensors/npz.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

bool is_missing(const std::string& input) {
  std::error_code ignored;
  return input != "-" && !fs::exists(split_array_path(input).file, ignored);
}

bool is_json_start(const std::string& text) { return text.starts_with('[') || text.starts_with('{'); }
bool is_json_end(const std::string& text) { return text.ends_with(']') || text.ends_with('}'); }

void refuse_kernel_name(const std::string& name, const std::string& option, const std::vector<std::string>& kernels) {
  if (kernels.empty()) refuse_usage("", "'" + name + "' is a kernel, not a file: " + option + " " + name);
  refuse_usage("", "'" + name + "' is a kernel, not a file; a second kernel needs its own option: " + option + " " +
                       kernels.back() + " " + option + " " + name);
}

/// Whether `input`, the second of two, looks like the output: "apply img.png out.png".
bool is_output(const RunOptions& options, const std::string& input) {
  const std::vector<std::string>& named = options.inputs.named;
  return named.size() == 2 && input == named.back() && !is_missing(named.front()) && !options.inputs.files_from &&
         !options.destination.output && !options.destination.out_dir &&
         find_file_format(fs::path(input).extension().string());
}

}  // namespace

void check_inputs(const RunOptions& options, const std::string& kernel_option,
                  const std::vector<std::string>& kernels) {
  for (const std::string& input : options.inputs.named) {
    if (input.empty() || !is_missing(input)) continue;
    if (is_kernel_name(input)) refuse_kernel_name(input, kernel_option, kernels);
    if (!kernels.empty() && is_json_start(kernels.back()) && !is_json_end(kernels.back()) && is_json_end(input))
      refuse_usage("",
                   "the shell has split the kernel " + kernels.back() + " at a space; put the JSON in single quotes");
    if (is_inline_tensor(input)) continue;
    if (input.starts_with("[[") && !is_json_end(input) && input.find('/') == std::string::npos)
      refuse_usage("", "the brackets of '" + input +
                           "' do not close; if the shell has split the tensor at a space, put it in single quotes");
    const bool is_parameter = input.find('=') != std::string::npos && input.find('/') == std::string::npos;
    if (is_parameter && !kernels.empty() && is_kernel_name(kernels.back())) {
      std::string kernel = kernels.back();
      if (kernel.ends_with(',') || kernel.ends_with(':')) kernel.pop_back();  // "-k gaussian:sigma=2, size=5"
      const std::string separator = kernel.find(':') == std::string::npos ? ":" : ",";
      refuse_usage(
          "", "'" + input + "' is not a file; did you mean " + kernel_option + " " + kernel + separator + input + "?");
    }
    if (input.find_first_of("*?") != std::string::npos)
      refuse_usage("", "no file matches '" + input + "'; with a folder: --recursive FOLDER --include '" +
                           fs::path(input).filename().string() + "'");
    if (input.find("://") != std::string::npos)
      refuse_usage("", "'" + input + "' is an address, not a file; try: curl -sL " + input + " | convtool apply - ...");
    if (is_output(options, input))
      refuse_usage("", "'" + input + "' does not exist; to name the output, write -o " + input);
  }
}

}  // namespace convtool
