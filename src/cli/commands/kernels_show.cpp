// convtool kernels show: a kernel's weights, what they tell, and what apply would do with them.

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/app.h"
#include "cli/commands/chosen_algorithms.h"
#include "cli/commands/kernels_commands.h"
#include "cli/terminal/terminal.h"
#include "kernels/kernel_source.h"
#include "report/kernel_report.h"

namespace convtool {
namespace {

struct ShowOptions {
  std::string kernel;
  bool json = false;
};

/// A picture of full HD with as many channels as the network's first kernel takes; more than a picture has are floats.
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
    for (const BankPlan& bank : plan.banks()) report.algorithms.push_back(chosen_algorithms(bank));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::shape) throw;
    report.refusal = error.what();
  }
  return report;
}

}  // namespace

void add_kernels_show(CLI::App& command, Action& action) {
  auto options = std::make_shared<ShowOptions>();
  command.add_option("NAME", options->kernel, "a name, a kernel file, or inline JSON")->required();
  command.add_flag("--json", options->json, "as a JSON object");
  command.callback([options, &action] {
    action = [options] {
      const KernelReport report = report_on(load_kernel(options->kernel));
      print(options->json ? to_json(report) + "\n" : to_text(report, may_use_colours(STDOUT_FILENO)));
      return kExitDone;
    };
  });
}

}  // namespace convtool
