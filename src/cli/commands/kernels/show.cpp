// convtool kernels show: a kernel's weights, their properties, and the algorithm that apply would choose.

#include <unistd.h>

#include <memory>

#include "cli/commands/kernels/kernels.h"
#include "cli/exit_code.h"
#include "cli/options/option_words.h"
#include "cli/terminal/terminal.h"
#include "kernels/kernel_source.h"
#include "network/network_plan.h"
#include "report/kernel_report.h"

namespace convtool {
namespace {

struct ShowOptions {
  std::string kernel;
  bool json = false;
};

/// Reports on a Full HD picture with the number of channels that the network's first kernel takes; in floats if no
/// picture has that many.
KernelReport report_on(Network network) {
  constexpr std::int64_t kHeight = 1080, kWidth = 1920, kMostOfPicture = 4;
  KernelReport report{.network = std::move(network), .typical_input = {.n = 1, .c = 1, .h = kHeight, .w = kWidth}};
  for (const Layer& layer : report.network.banks.front().layers)
    if (layer.rank > 2) report.typical_input.c = layer.shape.c_i_per_group * layer.params.groups;
  const std::int64_t channels = report.typical_input.c;
  const bool is_picture = channels > 1 && channels <= kMostOfPicture;
  if (channels > kMostOfPicture) report.typical_dtype = DType::f32;
  try {
    const NetworkPlan plan(report.network, report.typical_dtype, report.typical_input, false,
                           {.input_channels_last = is_picture, .output_channels_last = is_picture});
    for (const BankPlan& bank : plan.banks()) report.algorithms.push_back(bank.algorithm());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::shape) throw;
    report.refusal = error.what();
  }
  return report;
}

}  // namespace

void declare_kernels_show(Command& command) {
  auto options = std::make_shared<ShowOptions>();
  command.text =
      "Prints a kernel's weights, in colours on a terminal, and its properties: the source, the sum, the response at "
      "frequency 0 (to a picture of ones), the rank of each matrix, the column and row whose product it is, its "
      "symmetries, and the algorithm that apply would choose for a Full HD picture.";
  command.examples = R"(  convtool kernels show sobel
  convtool kernels show gaussian:sigma=2 --json)";
  command.add("Options", {{.names = "NAME",
                           .target = &options->kernel,
                           .brief = "a name, a kernel file, or JSON",
                           .words = {kernel_words},
                           .takes_files = true,
                           .required = true},
                          {.names = "--json", .target = &options->json, .brief = "report as a JSON object"}});
  command.run = [options] {
    const KernelReport report = report_on(load_kernel(options->kernel));
    print(options->json ? to_json(report) + "\n" : to_text(report, may_use_colours(STDOUT_FILENO)));
    return kExitDone;
  };
}

}  // namespace convtool
