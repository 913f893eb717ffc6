// convtool learn: fit a kernel to pictures before and after.

#include <memory>
#include <new>
#include <span>

#include "cli/command.h"
#include "cli/commands/learn/options.h"
#include "cli/commands/learn/page.h"
#include "cli/commands/learn/result.h"
#include "cli/commands/learn/sample_pairs.h"
#include "cli/commands/learn/training.h"
#include "cli/exit_code.h"
#include "cli/options/report_option.h"
#include "cli/terminal/terminal.h"
#include "files/file.h"
#include "report/error_report.h"
#include "report/learn_report.h"

namespace convtool {
namespace {

constexpr std::string_view kLearnText =
    "Finds the kernel that turns one picture or tensor into another, and writes it as a kernel file. From several "
    "pairs it learns one kernel. The loss is the sum of squared errors.\n\n"
    "If the target has the same number of channels as the input, one kernel is learned, which filters each channel "
    "separately. With --groups, or if the numbers of channels differ, the weights of nn.Conv2d are learned, which "
    "combine channels.";

constexpr std::string_view kLearnExamples = R"(  convtool learn --input x.json --target y.json --kernel-size 1x2 \
      --lr 0.03 --epochs 10 -o k.json
  convtool learn --input a.png --target b.png --kernel-size 5 \
      --padding same --padding-mode replicate --round -o k.json
  convtool learn --input a.png b.png --target c.png d.png \
      --kernel-size 1 --groups 1 --bias             a colour matrix)";

int run_learn(const LearnOptions& options, const Command& command) {
  LearnPlan plan = make_learn_plan(options);
  check_kernel_output(options);
  const std::optional<PageOptions> page = page_options(options.report, command);
  if (page) check_learn_page(*page, options);
  const SamplePairs read = read_samples(options.inputs, options.targets, plan.holdout, plan.isolation, plan.layer);
  if (!options.quiet)
    for (const std::string& warning : read.warnings) print_message(MessageKind::warning, warning);
  const std::vector<Sample>& samples = read.pairs;
  LearnReport report{.inputs = options.inputs, .targets = options.targets, .output = options.output.value_or("")};
  Course course;
  Parameters parameters = learn_parameters(samples, options, plan, report, course);
  report.layer = std::move(plan.layer);
  fill_layer(samples, std::move(parameters), options, plan, report);

  if (options.output) {
    const std::string kernel = kernel_json(report);
    const auto bytes = std::as_bytes(std::span(kernel.data(), kernel.size()));
    if (options.writes_to_stdout())
      write_stdout(bytes);
    else
      write_file(*options.output, bytes);
  }
  const auto out = options.writes_to_stdout() ? print_error : print;
  if (options.json)
    out(to_json(report) + "\n");
  else if (!options.quiet)
    out(to_text(report));
  if (page) write_page(*page, learn_page(*page, report, course, samples, plan.threads));  // may fail
  return kExitDone;
}

/// run_learn(), which with --json also reports errors as JSON.
int run_and_report(const LearnOptions& options, const Command& command) {
  try {
    try {
      return run_learn(options, command);
    } catch (const std::bad_alloc&) {
      throw Error(ErrorKind::memory, options.inputs.front(),
                  "not enough memory to learn from this input; crop the pictures, or learn a smaller kernel");
    }
  } catch (const Error& error) {
    if (options.json && exit_code(error.kind()) == kExitFailed)
      (options.writes_to_stdout() ? print_error : print)(error_json(error) + "\n");
    throw;
  }
}

}  // namespace

void declare_learn(Command& command) {
  auto options = std::make_shared<LearnOptions>();
  command.text = kLearnText;
  command.examples = kLearnExamples;
  add_learn_options(command, *options);
  command.check = [options] { check_no_operands(*options); };
  command.run = [options, &command] { return run_and_report(*options, command); };
}

}  // namespace convtool
