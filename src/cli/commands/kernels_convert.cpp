// convtool kernels convert: kernels to and from the formats of other programs.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/app.h"
#include "cli/batch/destinations.h"
#include "cli/commands/kernels_commands.h"
#include "cli/options/option_value.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "kernels/files/kernel_format.h"
#include "kernels/kernel_source.h"

namespace convtool {
namespace {

struct ConvertOptions {
  std::string source;
  std::optional<std::string> output, from, to;
};

constexpr const char* kFooter = R"(Formats:
  convtool   this program's kernel files (.json)
  npy        weights alone (.npy)
  vips       libvips' matrix text (.mat): "width height scale offset", then rows
  magick     ImageMagick's kernel string "3x3+1+1: 1,2,1 ...", as -morphology Correlate takes it; Convolve would
             turn it by 180 degrees, its origin too
  sharp      what sharp's convolve() takes, as JSON: width, height, kernel, scale, offset
  openeo     the arguments of openEO's apply_kernel, as JSON: kernel, factor, border
What a format cannot say is refused. A kernel without padding is written as it is, with a warning where the other
program extends the border.

Examples:
  convtool kernels convert gaussian-5 -o gaussian.mat
  convtool kernels convert sobel-x --to magick
  convtool kernels convert '3x3: 0,-1,0 -1,4,-1 0,-1,0' -o laplacian.json
  convtool kernels convert blur.json --from sharp --to openeo)";

std::optional<KernelFormat> parse_format(const std::string& option, const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  return static_cast<KernelFormat>(parse_choice(option, *name, kKernelFormats));
}

bool is_file(const std::string& source) {
  std::error_code ignored;
  return source == "-" || std::filesystem::exists(source, ignored);
}

/// A kernel that cannot be read is found before any work.
Bytes read_kernel_bytes(const std::string& path) {
  try {
    return read_file(path, kLargestKernelFile);
  } catch (const Error& error) {
    throw Error(ErrorKind::kernel, "", error.what());
  }
}

Network load_file(const std::string& path, std::optional<KernelFormat> from) {
  const Bytes bytes = read_kernel_bytes(path);
  const std::optional<KernelFormat> format = from ? from : guess_kernel_format(bytes, path);
  if (!format)
    throw Error(ErrorKind::kernel, path == "-" ? "standard input" : path,
                "its format does not show; say it with --from");
  if (path == "-") return parse_kernel(*format, bytes, "standard input", "kernel");
  // As --kernel reads it, for which it has to look like a path.
  if (*format == KernelFormat::convtool) return load_kernel(path.find('/') == std::string::npos ? "./" + path : path);
  return parse_kernel(*format, bytes, path, std::filesystem::path(path).stem().string());
}

bool is_path(const std::string& source) {
  const bool is_json_text = source.starts_with('[') || source.starts_with('{');
  return kernel_format_of_name(source) || (source.find('/') != std::string::npos && !is_json_text);
}

/// A kernel by name, in a file, or inline.
Network load_source(const std::string& source, std::optional<KernelFormat> from) {
  if (!from && is_kernel_name(source)) return load_kernel(source);
  if (is_file(source) || is_path(source)) return load_file(source, from);
  const auto text = std::as_bytes(std::span(source));
  const std::optional<KernelFormat> format = from ? from : guess_kernel_format(text, "");
  if (!format) return load_kernel(source);  // which suggests the nearest name
  return parse_kernel(*format, text, "SOURCE", "inline");
}

/// What to write: what is asked for, what the output's name says, or a kernel file.
KernelFormat target_format(const ConvertOptions& options) {
  const std::optional<KernelFormat> asked = parse_format("--to", options.to);
  const std::string output = options.output.value_or("-");
  const std::optional<KernelFormat> named = kernel_format_of_name(output);
  if (!asked) {
    if (output == "-") return KernelFormat::convtool;
    if (named) return *named;
    throw Error(ErrorKind::usage, "--output",
                "'" + output + "' does not say which format (expected .json, .npy or .mat); say it with --to");
  }
  const bool fits = !named || *named == *asked || (*named == KernelFormat::convtool && is_json(*asked));
  if (!fits) {
    throw Error(ErrorKind::usage, "--to",
                "'" + *options.to + "' is not what the name '" + output + "' says; change one of them");
  }
  return *asked;
}

int run_convert(const ConvertOptions& options) {
  const KernelFormat format = target_format(options);
  const std::string output = options.output.value_or("-");
  const Network network = load_source(options.source, parse_format("--from", options.from));
  const Bytes bytes = format_kernel(format, network);
  if (output == "-" && format == KernelFormat::npy && ::isatty(STDOUT_FILENO) == 1)
    throw Error(ErrorKind::output, "", "npy bytes are not written to a terminal; redirect them, or use -o FILE");
  ReadFiles read(network.files);
  read.add({options.source});
  read.refuse_overwriting(output);
  const std::string remark = border_remark(format, network);
  if (!remark.empty()) print_error("convtool: warning: " + printable(network.name + ": " + remark) + "\n");
  if (output == "-") {
    write_stdout(bytes);
  } else {
    write_file(output, bytes);
  }
  return kExitDone;
}

}  // namespace

void add_kernels_convert(CLI::App& command, Action& action) {
  auto options = std::make_shared<ConvertOptions>();
  command.footer(kFooter);
  command.add_option("SOURCE", options->source, "a name, a file, '-' for standard input, or the kernel itself")
      ->required();
  command.add_option("-o,--output", options->output, "file, or '-' for standard output (-)")->type_name("PATH");
  command
      .add_option("--from", options->from,
                  "SOURCE's format: convtool, npy, vips, magick, sharp or openeo (as it looks)")
      ->type_name("FORMAT");
  command.add_option("--to", options->to, "the output's format (by its extension, else convtool)")->type_name("FORMAT");
  command.callback([options, &action] { action = [options] { return run_convert(*options); }; });
}

}  // namespace convtool
