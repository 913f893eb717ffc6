// convtool kernels show: a kernel's weights, their properties, and the algorithm that apply would choose.

#include <unistd.h>

#include <memory>
#include <optional>
#include <span>

#include "cli/batch/destinations.h"
#include "cli/commands/kernels/kernels.h"
#include "cli/commands/kernels/then.h"
#include "cli/exit_code.h"
#include "cli/options/option_words.h"
#include "cli/terminal/terminal.h"
#include "core/printable.h"
#include "core/text.h"
#include "files/file.h"
#include "kernels/kernel_source.h"
#include "network/folding/folding.h"
#include "network/input_scaling.h"
#include "network/network_plan.h"
#include "pictures/encode_image.h"
#include "report/kernel_report.h"
#include "show/kernel_figure.h"

namespace convtool {
namespace {

struct ShowOptions {
  std::string kernel;
  std::vector<std::string> then;
  std::optional<std::string> output;
  bool brief = false, json = false;
};

/// Reports on a Full HD picture with the number of channels that the network's first kernel takes; in floats if no
/// picture has that many.
KernelReport report_on(Network network) {
  constexpr std::int64_t kHeight = 1080, kWidth = 1920, kMostOfPicture = 4;
  KernelReport report{.network = std::move(network), .typical_input = {.n = 1, .c = 1, .h = kHeight, .w = kWidth}};
  for (const Layer& layer : report.network.banks.front().layers)
    if (layer.rank > 2) report.typical_input.c = layer.input_channels();
  const std::int64_t channels = report.typical_input.c;
  const bool is_picture = channels > 1 && channels <= kMostOfPicture;
  if (channels > kMostOfPicture) report.typical_dtype = DType::f32;
  try {
    const PlanOptions options{.input_channels_last = is_picture, .output_channels_last = is_picture};
    const NetworkPlan plan(report.network, report.typical_dtype, report.typical_input, false, options);
    for (const BankPlan& bank : plan.banks()) report.algorithms.push_back(bank.algorithm());
    if (const auto folding = fold(report.network, report.typical_dtype, report.typical_input, false, options)) {
      const NetworkPlan folded(folding->network, report.typical_dtype, report.typical_input, false, options);
      report.folded = folding->counts;
      report.algorithms.clear();
      for (std::size_t i = 0; i < folding->counts.size(); ++i)
        report.algorithms.insert(report.algorithms.end(), folding->counts[i], folded.banks()[i].algorithm());
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::shape) throw;
    report.refusal = error.what();
  }
  return report;
}

enum class FigureFormat { svg, png };

FigureFormat figure_format(const std::string& output) {
  if (has_extension(output, ".svg")) return FigureFormat::svg;
  if (has_extension(output, ".png")) return FigureFormat::png;
  refuse_usage("--output", "'" + output + "' is not the name of a picture of a kernel (expected FILE.svg or FILE.png)");
}

void write_figure(const Network& network, const std::string& output, const ReadFiles& read) {
  const FigureFormat format = figure_format(output);
  check_output(output, false, read);
  const Drawing figure = kernel_figure(network);
  if (format == FigureFormat::png)
    return write_file(output, encode_image(to_image(figure), *find_picture_format("png")));
  const std::string svg = to_svg(figure);
  write_file(output, std::as_bytes(std::span(svg)));
}

int run_show(const ShowOptions& options) {
  if (options.output) figure_format(*options.output);
  Network network = with_scaling_as_layer(chain_after(load_kernel_of("NAME", options.kernel), options.then));
  if (options.output) {
    ReadFiles read(network.files);
    read.add({options.kernel});
    read.add(options.then);
    write_figure(network, *options.output, read);
    if (!options.json) {
      print(*options.output + ": " + printable(network.name) + "\n");
      return kExitDone;
    }
  }
  if (options.brief) {
    print(to_short_text({.network = std::move(network), .typical_input = {}}));
    return kExitDone;
  }
  const KernelReport report = report_on(std::move(network));
  print(options.json ? to_json(report) + "\n"
                     : to_text(report, may_use_colours(STDOUT_FILENO), terminal_columns(STDOUT_FILENO)));
  return kExitDone;
}

}  // namespace

void declare_kernels_show(Command& command) {
  auto options = std::make_shared<ShowOptions>();
  command.text =
      "Prints a kernel's weights, in colours on a terminal, and its properties: the source, the sum, the response at "
      "frequency 0 (to a picture of ones), the rank of each matrix, the column and row whose product it is, its "
      "symmetries, and the algorithm that apply would choose for a Full HD picture. On a terminal, kernels larger than "
      "11x11 are shown as shaded cells that fit the window: orange for positive weights, blue for negative ones, white "
      "for 0.";
  command.examples = R"(  convtool kernels show sobel
  convtool kernels show gaussian:sigma=2 --json
  convtool kernels show gaussian:sigma=2 --then sobel
  convtool kernels show gaussian:sigma=2 -o gaussian.svg
  convtool kernels show net.json --short)";
  command.add("Options", {{.names = "NAME",
                           .target = &options->kernel,
                           .brief = "a name, a kernel file, or JSON",
                           .words = {kernel_words},
                           .takes_files = true,
                           .required = true},
                          then_option(options->then),
                          {.names = "-o,--output",
                           .value = "FILE",
                           .target = &options->output,
                           .brief = "draw the kernel instead: FILE.svg or FILE.png",
                           .text = "Draw the kernel instead, as .svg or .png: the weights as a heat map, orange for "
                                   "positive ones, blue for negative ones and white for 0, with numbers in the cells "
                                   "up to 11x11; beside them the frequency response, black for 0 and white for the "
                                   "largest value, with frequency 0 in the middle."},
                          {.names = "--short",
                           .target = &options->brief,
                           .brief = "one line per layer, without weights",
                           .text = "Print one line per layer, with its sizes and options, and no weights.",
                           .conflict = "--json"},
                          {.names = "--json", .target = &options->json, .brief = "report as a JSON object"}});
  command.run = [options] { return run_show(*options); };
}

}  // namespace convtool
