// convtool kernels convert: convert kernels to and from the formats of other programs.

#include <filesystem>
#include <memory>
#include <optional>

#include "cli/batch/read_files.h"
#include "cli/commands/kernels/kernels.h"
#include "cli/commands/kernels/then.h"
#include "cli/exit_code.h"
#include "cli/job/output_file.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "files/file.h"
#include "kernels/files/kernel_format.h"
#include "kernels/kernel_source.h"
#include "kernels/named_kernel.h"

namespace convtool {
namespace {

struct ConvertOptions {
  std::string source;
  std::vector<std::string> then;
  std::optional<std::string> output, from, to;
};

constexpr const char *kNameOfText = "inline", *kNameOfStdin = "kernel";  ///< of kernels without a name

constexpr std::string_view kConvertText =
    "Converts a kernel, given as a name, a file or text, to another format:\n\n"
    "  convtool  a kernel file (.json)\n"
    "  npy       only the weights, divided by the divisor (.npy)\n"
    "  vips      libvips' matrix (.mat): 'width height scale offset', then the rows\n"
    "  magick    ImageMagick's '3x3+1+1: 1,2,1 ...', for -morphology Correlate (Convolve rotates it by 180 degrees, "
    "with its origin)\n"
    "  sharp     the argument of sharp's convolve(): width, height, kernel, scale, offset\n"
    "  openeo    the arguments of openEO's apply_kernel: kernel, factor, border\n\n"
    "The divisor, bias, border and position of the origin are converted as well. A property that the format cannot "
    "store is an error: ranks 3 and 4, banks, networks, stride, dilation, groups, activations and maps. Padding is the "
    "exception: if it cannot be stored, a warning says so.";

constexpr std::string_view kConvertExamples = R"(  convtool kernels convert gaussian-5 -o gaussian.mat
  convtool kernels convert sobel-x --to magick
  convtool kernels convert '3x3: 0,-1,0 -1,4,-1 0,-1,0' -o laplacian.json
  convtool kernels convert blur.json --from sharp --to openeo
  convtool kernels convert gaussian:sigma=2 --then sobel -o edges.json)";

std::optional<KernelFormat> parse_format(const std::string& option, const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  return static_cast<KernelFormat>(parse_choice(option, *name, kKernelFormats));
}

Network load_stdin(std::optional<KernelFormat> from) {
  constexpr const char* kSource = "standard input";
  Buffer bytes;
  try {
    bytes = read_file("-", {.bytes = kLargestKernelFile});
  } catch (const Error& error) {
    refuse_kernel("", error.what());  // nothing has been written yet
  }
  const std::optional<KernelFormat> format = from ? from : guess_kernel_format(bytes, "");
  if (!format) refuse_kernel(kSource, "unknown format; name it with --from");
  return parse_kernel(*format, bytes, kSource, kNameOfStdin);
}

bool is_file(const std::string& source) {
  std::error_code ignored;
  const bool is_json_text = source.starts_with('[') || source.starts_with('{');
  return std::filesystem::exists(source, ignored) || kernel_format_of_name(source) ||
         (source.find('/') != std::string::npos && !is_json_text);
}

/// Loads a kernel by name, from a file, or from text.
Network load_source(const std::string& source, std::optional<KernelFormat> from) {
  if (source == "-") return load_stdin(from);
  if (!from) return load_kernel_of("SOURCE", source);
  if (is_file(source)) return load_kernel_file(source, from);
  return parse_kernel(*from, std::as_bytes(std::span(source)), "SOURCE", kNameOfText);
}

/// A kernel without a name, from text or standard input, gets that of the file it is written to.
void name_after(const std::string& output, const std::string& source, Network& network) {
  if (output == "-" || (source != "-" && is_file(source)) || network.banks.size() > 1) return;
  const std::string given = source == "-" ? kNameOfStdin : kNameOfText;
  const auto rename = [&](std::string& name) {
    if (name == given) name = std::filesystem::path(output).stem().string();
  };
  Bank& bank = network.banks.front();
  rename(network.name);
  rename(bank.name);
  for (Layer& layer : bank.layers) rename(layer.name);
}

/// The format to write: --to, else that of the output's extension, else a kernel file.
KernelFormat target_format(const ConvertOptions& options) {
  const std::optional<KernelFormat> asked = parse_format("--to", options.to);
  const std::string output = options.output.value_or("-");
  const std::optional<KernelFormat> named = kernel_format_of_name(output);
  if (!asked) {
    if (output == "-") return KernelFormat::convtool;
    if (named) return *named;
    refuse_usage("--output",
                 "'" + output + "' has no known extension (expected .json, .npy or .mat); name the format with --to");
  }
  const bool fits = !named || *named == *asked || (*named == KernelFormat::convtool && is_json(*asked));
  if (!fits) {
    refuse_usage("--to", "'" + *options.to + "' contradicts the extension of '" + output + "'; change one of them");
  }
  return *asked;
}

int run_convert(const ConvertOptions& options) {
  const KernelFormat format = target_format(options);
  const std::string output = options.output.value_or("-");
  Network source = load_source(options.source, parse_format("--from", options.from));
  if (options.then.empty()) name_after(output, options.source, source);
  const Network network = chain_after(std::move(source), options.then);
  const Bytes bytes = format_kernel(format, network);
  if (format == KernelFormat::npy) refuse_terminal(output, "npy");
  ReadFiles read(network.files);
  read.add({options.source});
  read.add(options.then);
  read.refuse_overwriting(output);
  const std::string remark = border_remark(format, network);
  if (!remark.empty()) print_message(MessageKind::warning, network.name + ": " + remark);
  if (output == "-") {
    write_stdout(bytes);
  } else {
    write_file(output, bytes);
  }
  return kExitDone;
}

}  // namespace

void declare_kernels_convert(Command& command) {
  auto options = std::make_shared<ConvertOptions>();
  command.text = kConvertText;
  command.examples = kConvertExamples;
  command.add("Options", {{.names = "SOURCE",
                           .target = &options->source,
                           .brief = "a name, a file, - for standard input, or the kernel as text",
                           .words = {kernel_words},
                           .takes_files = true,
                           .required = true},
                          then_option(options->then),
                          {.names = "-o,--output",
                           .value = "PATH",
                           .target = &options->output,
                           .brief = "output file; - is standard output",
                           .otherwise = "-"},
                          {.names = "--from",
                           .value = "FORMAT",
                           .target = &options->from,
                           .brief = "format of SOURCE",
                           .text = "The format of SOURCE: {words}.",
                           .otherwise = "by extension and content",
                           .words = {kKernelFormats}},
                          {.names = "--to",
                           .value = "FORMAT",
                           .target = &options->to,
                           .brief = "format of the output",
                           .text = "The format of the output: {words}.",
                           .otherwise = "by its extension, else convtool",
                           .words = {kKernelFormats}}});
  command.run = [options] { return run_convert(*options); };
}

}  // namespace convtool
