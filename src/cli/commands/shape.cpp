// convtool shape: the output shapes and costs of layers. Filters nothing, except noise for --time.

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "cli/command.h"
#include "cli/commands/shape/bank_timing.h"
#include "cli/commands/shape/input_shape.h"
#include "cli/exit_code.h"
#include "cli/options/load_network.h"
#include "cli/options/option_value.h"
#include "cli/options/report_option.h"
#include "cli/terminal/terminal.h"
#include "core/parallel.h"
#include "core/text.h"
#include "network/network_plan.h"
#include "network/outline.h"
#include "network/residual.h"
#include "report/error_report.h"
#include "report/shape_report.h"

namespace convtool {
namespace {

struct ShapeOptions {
  std::string input;
  ChainOptions layer;
  SizeOptions size;
  std::string repeat = "1";
  bool time = false;
  std::optional<std::string> threads;
  std::optional<std::string> report;
  bool json = false;
};

constexpr std::string_view kShapeText =
    "Prints the output shape with its formula and numbers, the parameters, the multiply-adds (MACs), the activation "
    "memory, the receptive field, and for comparison the weights of a fully connected layer between the same shapes. "
    "Several layers are printed as a table. Nothing is filtered, and only the header of a file is read.\n\n"
    "The layers are given by --kernel, repeated for a bank and followed by --then for more layers; or without weights, "
    "by --layers, or one by --kernel-size and --out-channels. If a layer cannot run, the layers before it are printed, "
    "and then the reason with its numbers.";

constexpr std::string_view kShapeExamples = R"(  convtool shape 1x8x8 --kernel-size 3x5 --padding 0x1 --stride 3x4
  convtool shape 3x480x640 -k sobel
  convtool shape 1x32x32 --kernel-size 5 --repeat 7    28, 24, ... 4
  convtool shape 3x480x640 -k gaussian:sigma=2 --then sobel --stride 2
  convtool shape photo.jpg -k edge.json --json
  convtool shape 1x32x32 --layers 'conv 5 6, relu, maxpool 2, linear 10'
  convtool shape 64x56x56 --kernel-size 3 --out-channels 64 --time)";

/// Layer::size_text() of each kernel, without repetition: "3x3+5x5".
std::string sizes_text(const Bank& bank) {
  std::set<std::string> seen;
  std::string text;
  for (const Layer& layer : bank.layers) {
    const std::string size = layer.size_text();
    if (seen.insert(size).second) text += (text.empty() ? "" : "+") + size;
  }
  return text;
}

/// The sizes of `given` on `input`. `before` is the receptive field of its input.
BankShape shape_of(const Bank& given, DType dtype, const Shape& input, const ReceptiveField& before) {
  const Bank bank = fitted(given, input);
  const BankGeometry geometry = bank_geometry(bank, dtype, input);
  BankShape result{.name = bank.name,
                   .kernel = sizes_text(given),
                   .problem = geometry.problems.front(),
                   .output = geometry.output,
                   .macs = mac_count(bank, geometry.problems),
                   .parameters = parameter_count(bank),
                   .formulas = size_formulas(bank.layers.front(), geometry),
                   .receptive_field = before};
  result.receptive_field.append_bank(geometry);
  return result;
}

/// The number of layers. Throws Error(usage) where --repeat makes more than 100,000 of them.
std::int64_t layers_of(const Network& network, const std::string& repeat) {
  constexpr std::int64_t kMost = 100'000;
  const std::int64_t banks = std::ssize(network.banks), times = parse_integer("--repeat", repeat, 1, 10000);
  if (times > 1 && banks * times > kMost)
    refuse_usage("--repeat", std::to_string(times) + " times " + std::to_string(banks) + " layers are more than " +
                                 std::to_string(kMost) + "; repeat fewer times");
  return banks * times;
}

/// The banks that run one after another: those of the network, repeated.
class Stack {
 public:
  explicit Stack(const ShapeOptions& options)
      : network_(load_shapes(options.size, options.layer)),
        addends_(addends_of(network_)),
        sources_(sources_of(network_)),
        size_(layers_of(network_, options.repeat)) {}

  std::int64_t size() const { return size_; }
  const Bank& bank(std::int64_t i) const {
    return network_.banks[static_cast<std::size_t>(i % std::ssize(network_.banks))];
  }

  /// The bank whose output bank `i` adds to its input, and the one whose output is that input, unless it is the last.
  std::optional<std::size_t> addend(std::int64_t i) const { return earlier(addends_, i); }
  std::optional<std::size_t> source(std::int64_t i) const { return earlier(sources_, i); }

 private:
  std::optional<std::size_t> earlier(const std::vector<std::optional<std::size_t>>& banks, std::int64_t i) const {
    const std::int64_t place = i % std::ssize(network_.banks);
    const std::optional<std::size_t>& bank = banks[static_cast<std::size_t>(place)];
    if (!bank) return std::nullopt;
    return static_cast<std::size_t>(i - place) + *bank;
  }

  const Network network_;
  const std::vector<std::optional<std::size_t>> addends_, sources_;
  const std::int64_t size_;
};

void check_options(const ShapeOptions& options) {
  if (options.threads && !options.time) refuse_usage("--threads", "needs --time; leave it out");
}

/// Times the layers of the report on noise, one after another. Throws before the first for one that cannot be timed.
void time_banks(const Stack& stack, int threads, ShapeReport& report) {
  report.threads = threads == 0 ? available_cores() : threads;
  StatusLine line(is_capable_terminal(STDERR_FILENO));
  const auto for_each = [&](const auto& use) {
    for (std::size_t i = 0; i < report.banks.size(); ++i) {
      BankShape& shape = report.banks[i];
      use(fitted(stack.bank(static_cast<std::int64_t>(i)), shape.problem.input), shape);
    }
  };
  double macs = 0;
  for_each([&](const Bank& bank, const BankShape& shape) {
    check_timeable(bank, shape);
    macs += shape.macs;
  });
  check_timeable_together(report.banks.size(), macs);
  const auto count = report.banks.size();
  std::size_t timed = 0;
  for_each([&](const Bank& bank, BankShape& shape) {
    line.draw([&] { return "timing layer " + std::to_string(timed + 1) + " of " + std::to_string(count); });
    shape.timing = time_bank(bank, shape, report.threads);
    ++timed;
  });
}

/// Throws Error(usage) if the page cannot be written, or would replace a file that the command reads.
std::optional<PageOptions> find_page(const ShapeOptions& options, const Command& command) {
  std::optional<PageOptions> page = page_options(options.report, command);
  std::vector<std::string> read = options.layer.all_kernels();
  if (options.size.layers) read.push_back(*options.size.layers);
  read.push_back(options.input);
  if (page) check_page(*page, ReadFiles(read));
  return page;
}

int run_shape(const ShapeOptions& options, const Command& command) {
  check_options(options);
  const std::optional<PageOptions> page = find_page(options, command);
  const int threads = parse_threads("--threads", options.threads.value_or("0"));
  const Stack stack(options);
  const InputShape input = read_input_shape(options.input);

  ShapeReport report{.rank = input.rank};
  const auto print_report = [&] {
    if (options.time) time_banks(stack, threads, report);
    print(options.json ? to_json(report) + "\n" : to_text(report));
    if (page) write_page(*page, shape_page(page->head, to_json(report)));
  };
  Shape shape = input.shape;
  for (std::int64_t i = 0; i < stack.size(); ++i) {
    try {
      ReceptiveField field = report.banks.empty() ? ReceptiveField() : report.banks.back().receptive_field;
      if (const std::optional<std::size_t> source = stack.source(i)) {
        shape = report.banks[*source].output;
        field = report.banks[*source].receptive_field;
      }
      if (const std::optional<std::size_t> addend = stack.addend(i)) {
        check_sum(report.banks[*addend].name, report.banks[*addend].output, shape);
        field.unite(report.banks[*addend].receptive_field);
      }
      report.banks.push_back(shape_of(stack.bank(i), i == 0 ? input.dtype : DType::f32, shape, field));
      report.banks.back().source = stack.source(i);
      report.banks.back().addend = stack.addend(i);
      shape = report.banks.back().output;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::shape) throw;
      report.failure =
          Error(ErrorKind::shape, "layer " + std::to_string(i + 1) + " on " + to_string(shape), error.what());
      if (report.banks.empty()) throw *report.failure;
      print_report();  // of the layers before the one that cannot run
      print_message(MessageKind::error, report.failure->what());
      return exit_code(ErrorKind::shape);
    }
  }
  print_report();
  return kExitDone;
}

}  // namespace

void declare_shape(Command& command) {
  auto options = std::make_shared<ShapeOptions>();
  command.text = kShapeText;
  command.examples = kShapeExamples;
  command.add(
      "Shape",
      {{.names = "SHAPE",
        .target = &options->input,
        .brief = "HxW, CxHxW or NxCxHxW, or a picture or tensor file",
        .text = "The input's shape: HxW, CxHxW or NxCxHxW such as 3x480x640, or the name of a picture or tensor, "
                "whose header is read.",
        .required = true}});
  add_chain_options(command, options->layer, false);
  add_size_options(command, options->size);
  command.add("Run", {{.names = "--repeat",
                       .value = "N",
                       .target = &options->repeat,
                       .brief = "apply the layers N times, one after another"},
                      {.names = "--time",
                       .target = &options->time,
                       .brief = "run each layer on noise and report how long it takes",
                       .text = "Run each layer on noise, and report its time, multiply-adds per second and algorithm."},
                      {.names = "--threads",
                       .value = "N",
                       .target = &options->threads,
                       .brief = "with --time: number of threads; 0: one per core",
                       .otherwise = "0"},
                      report_option(options->report,
                                    "Also write a report: one HTML file that needs no network. It draws the layers to "
                                    "scale, with the part of each that an output sees, and shows the table of sizes "
                                    "and costs. If a layer cannot run, it shows the layers before it. An existing page "
                                    "is replaced."),
                      {.names = "--json", .target = &options->json, .brief = "report as a JSON object"}});
  command.run = [options, &command] {
    try {
      return run_shape(*options, command);
    } catch (const Error& error) {
      if (options->json && exit_code(error.kind()) == kExitFailed) print(error_json(error) + "\n");
      throw;
    }
  };
}

}  // namespace convtool
