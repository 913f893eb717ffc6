#include "cli/commands/learn/options.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>

#include "cli/batch/destinations.h"
#include "cli/options/isolate_option.h"
#include "cli/options/load_network.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "cli/options/report_option.h"
#include "core/text.h"
#include "kernels/kernel_source.h"

namespace convtool {
namespace {

/// The option of gradient descent that was given, or null.
const char* find_descent_option(const LearnOptions& options) {
  const std::pair<const std::optional<std::string>&, const char*> given[] = {
      {options.rate, "--lr"},   {options.epochs, "--epochs"}, {options.momentum, "--momentum"},
      {options.init, "--init"}, {options.seed, "--seed"},     {options.log_every, "--log-every"}};
  for (const auto& [value, name] : given)
    if (value) return name;
  return nullptr;
}

bool is_word_of_init(const std::string& text) {
  return std::find(std::begin(kInits), std::end(kInits), text) != std::end(kInits);
}

/// Loads a kernel. Its errors name --init.
Network load_init(const std::string& argument) {
  try {
    return load_kernel_of("--init", argument);
  } catch (const Error& error) {
    std::string message = error.what();
    const std::size_t at = message.find("(expected a kernel file");
    if (error.where() != "--init" || at == std::string::npos) throw;
    message.insert(at + std::strlen("(expected "), "zeros, uniform, ");
    throw Error(error.kind(), "--init", message.substr(error.where().size() + 2));
  }
}

/// The one layer of a kernel to start from.
Layer load_start(const std::string& argument) {
  const Network network = load_init(argument);
  const Layer& layer = network.banks.front().layers.front();
  if (network.banks.size() > 1 || network.banks.front().layers.size() > 1)
    refuse_usage("--init", "'" + network.name + "' has several kernels, but one is learned; give one kernel");
  if (const std::string kind = layer.kind_text(); !kind.empty())
    refuse_usage("--init",
                 "'" + network.name + "' is a " + kind + ", but only convolutions can be learned; give a kernel");
  if (network.input)
    refuse_usage("--init", "'" + network.name +
                               "' scales its input, but learn fits a kernel to the files' own values; "
                               "remove \"input\" from its file, and scale the files before");
  if (layer.activation != Activation::none)
    refuse_usage("--init", "'" + network.name + "' has an activation, but only layers without one can be learned");
  return layer;
}

/// The layer to learn, before its channels are known.
Layer make_layer(const LearnOptions& options) {
  Layer layer;
  LayerOptions geometry = options.layer;
  const bool starts_from_kernel = options.init && !is_word_of_init(*options.init);
  if (starts_from_kernel) {
    layer = load_start(*options.init);
  } else if (!options.kernel_size) {
    refuse_usage("--kernel-size", "is required without --init KERNEL; give a size, such as 3 or 1x2");
  }
  if (options.kernel_size) {
    const Extent size = parse_extent("--kernel-size", *options.kernel_size, 1);
    constexpr std::int64_t kMostTaps = std::int64_t{1} << 26;
    if (size.h > kMostTaps / size.w)
      refuse_usage("--kernel-size", "'" + *options.kernel_size + "' is too large (at most " +
                                        std::to_string(kMostTaps) + " weights); choose a smaller size");
    if (starts_from_kernel && (layer.shape.kh != size.h || layer.shape.kw != size.w))
      refuse_usage("--kernel-size", "contradicts --init (" + *options.kernel_size + ", but the kernel is " +
                                        std::to_string(layer.shape.kh) + "x" + std::to_string(layer.shape.kw) +
                                        "); leave it out");
    layer.shape.kh = size.h;
    layer.shape.kw = size.w;
  }
  if (starts_from_kernel && geometry.groups && layer.rank == 2)
    refuse_usage("--groups",
                 "combines channels, but the kernel of --init is one matrix for all channels; give weights of rank 4");
  if (!starts_from_kernel && geometry.groups) {
    layer.rank = 4;
    layer.params.groups = parse_integer("--groups", *geometry.groups, 1, kLargestParameter);
    geometry.groups.reset();
  }
  override_layer(geometry, layer);
  layer.name =
      options.output && *options.output != "-" ? std::filesystem::path(*options.output).stem().string() : "learned";
  return layer;
}

}  // namespace

void add_learn_options(Command& command, LearnOptions& options) {
  command.add(
      "Samples",
      {{.names = "FILE", .target = &options.stray, .brief = "", .is_hidden = true},
       {.names = "--input",
        .value = "X...",
        .target = &options.inputs,
        .brief = "pictures or tensors to learn from",
        .text = "Pictures or tensors (.npy, .json, or text such as '[[1, 2], [3, 4]]') to learn from, in their own "
                "units, 0..255 or 0..65535; alpha is set aside.",
        .required = true,
        .greedy = true},
       {.names = "--target",
        .value = "Y...",
        .target = &options.targets,
        .brief = "the expected output of each of them",
        .text = "The expected output of each input, in the same order.",
        .required = true,
        .greedy = true},
       {.names = "--holdout",
        .value = "F",
        .target = &options.holdout,
        .brief = "validate on the last fraction F of the rows, 0 to 1",
        .text = "Reserve the last fraction F (0 to 1) of the rows of each target for validation. The kernel is not "
                "fitted to these rows, and their loss is reported separately.",
        .otherwise = "0"}});
  command.add(
      "Kernel",
      {{.names = "--kernel-size",
        .value = "K",
        .target = &options.kernel_size,
        .brief = "size of the kernel: 5, or HxW such as 1x2",
        .text = "The size of the kernel: one number, or HxW such as 1x2.",
        .otherwise = "that of --init"},
       {.names = "--bias", .target = &options.bias, .brief = "also learn a bias for each output channel"},
       {.names = "--round",
        .target = &options.round,
        .brief = "integers over a power of two, if these fit as well",
        .text = "Round the weights to integers divided by the smallest of 1, 2, 4, ... 1024 that fits as well. Rounded "
                "weights fit as well if their loss is at most three standard deviations above the loss expected of a "
                "target that was computed with them and rounded to its type."},
       {.names = "-o,--output",
        .value = "PATH",
        .target = &options.output,
        .brief = "kernel file to write (.json), or - (standard output)",
        .text = "The kernel file to write (.json), which 'apply -k' takes; - is standard output. It contains the layer "
                "options, and a description of how it was learned and how well it fits.",
        .otherwise = "the weights are only printed"}});
  add_geometry_options(command, options.layer);
  command.add(
      "Method",
      {{.names = "--method",
        .value = "M",
        .target = &options.method,
        .brief = "lstsq: least squares, exact; gd: gradient descent",
        .text =
            "The method that minimises the sum of squared errors.\n\n"
            "  lstsq   solve the least squares problem exactly, by the normal equations in double; if the input does "
            "not determine all weights, take those of least norm, with a warning\n"
            "  gd      gradient descent",
        .otherwise = "lstsq; gd with any of the options of gradient descent",
        .words = {kMethods}},
       {.names = "--ridge",
        .value = "L",
        .target = &options.ridge,
        .brief = "lstsq: add L times the squared weights to the loss",
        .text = "For lstsq: add L times the sum of squared weights, without biases, to the loss.",
        .otherwise = "0"}});
  command.add(
      "Gradient descent",
      {{.names = "--lr",
        .value = "R",
        .target = &options.rate,
        .brief = "learning rate",
        .text = "The learning rate. Each epoch is one step against the gradient of the sum of squared errors over all "
                "samples.",
        .otherwise = "half of the largest stable one"},
       {.names = "--epochs",
        .value = "N",
        .target = &options.epochs,
        .brief = "number of steps, each over all samples",
        .otherwise = "100"},
       {.names = "--momentum",
        .value = "M",
        .target = &options.momentum,
        .brief = "momentum, 0 to 1, as in torch.optim.SGD",
        .otherwise = "0"},
       {.names = "--init",
        .value = "W",
        .target = &options.init,
        .brief = "initial weights: zeros, uniform, or a kernel",
        .text = "The initial weights: zeros, uniform as in nn.Conv2d, or a kernel as for 'apply -k', whose layer "
                "options apply unless overridden here.",
        .otherwise = "zeros",
        .words = {kInits},
        .takes_files = true},
       {.names = "--seed", .value = "N", .target = &options.seed, .brief = "seed of --init uniform", .otherwise = "0"},
       {.names = "--log-every",
        .value = "N",
        .target = &options.log_every,
        .brief = "print the loss every N epochs",
        .text = "Print the loss every N epochs. The loss of an epoch is that before its step.",
        .otherwise = "2"}});
  command.add(
      "Run",
      {{.names = "--json", .target = &options.json, .brief = "report as JSON Lines: epochs, and then the result"},
       {.names = "-q,--quiet", .target = &options.quiet, .brief = "print errors only", .conflict = "--json"},
       {.names = "--threads",
        .value = "N",
        .target = &options.threads,
        .brief = "threads; 0: one per core",
        .text = "The number of threads; 0 means one per core. Results do not depend on it."},
       isolate_option(options.isolation),
       report_option(
           options.report,
           "Also write a report: one HTML file that needs no network. It shows the curve of the loss, the "
           "kernel at the start and as learned, and of up to 8 pairs the input, the target, the output of the "
           "kernel and the residual. An existing page is replaced. If learning fails or is interrupted, none "
           "is written.")});
}

void check_no_operands(const LearnOptions& options) {
  if (options.stray.empty()) return;
  const bool is_pair = options.stray.size() == 2 && options.inputs.empty() && options.targets.empty();
  const std::string input = is_pair ? options.stray[0] : "INPUT", target = is_pair ? options.stray[1] : "TARGET";
  refuse_usage("", "unexpected argument '" + options.stray.front() + "'; name the files with options: --input " +
                       input + " --target " + target);
}

LearnPlan make_learn_plan(const LearnOptions& options) {
  if (options.inputs.size() != options.targets.size())
    refuse_usage("--target", "needs one file per input (expected " + std::to_string(options.inputs.size()) + ", got " +
                                 std::to_string(options.targets.size()) + ")");
  if (std::count(options.inputs.begin(), options.inputs.end(), "-") +
          std::count(options.targets.begin(), options.targets.end(), "-") >
      1)
    refuse_usage("--input", "standard input can be read only once; name files");
  LearnPlan plan{.layer = make_layer(options)};
  plan.threads = parse_threads("--threads", options.threads);
  plan.isolation = parse_isolation(options.isolation);
  const char* descent_option = find_descent_option(options);
  plan.descends = options.method ? parse_choice("--method", *options.method, kMethods) == 0 : descent_option != nullptr;
  if (!plan.descends && descent_option != nullptr)
    refuse_usage(descent_option, "applies to gradient descent (got --method lstsq); leave it out");
  if (plan.descends && options.ridge)
    refuse_usage("--ridge", "applies to --method lstsq (" +
                                (descent_option ? std::string(descent_option) + " selects" : "got") +
                                " gd); leave it out");

  const auto positive = [](const char* name, const std::optional<std::string>& text, double otherwise) {
    return text ? parse_positive(name, *text) : otherwise;
  };
  plan.descent = {.rate = positive("--lr", options.rate, 0),
                  .epochs = options.epochs ? parse_integer("--epochs", *options.epochs, 1, kLargestParameter) : 100,
                  .momentum = options.momentum ? parse_not_negative("--momentum", *options.momentum) : 0,
                  .learns_bias = options.bias,
                  .threads = plan.threads};
  if (plan.descent.momentum >= 1)
    refuse_usage("--momentum", "'" + *options.momentum + "' is not valid (expected less than 1)");
  plan.least_squares = {.ridge = options.ridge ? parse_not_negative("--ridge", *options.ridge) : 0,
                        .learns_bias = options.bias,
                        .threads = plan.threads};
  plan.init_uniform = options.init == "uniform";
  if (options.seed && !plan.init_uniform) refuse_usage("--seed", "applies to --init uniform; leave it out");
  if (options.seed)
    plan.seed =
        static_cast<std::uint64_t>(parse_integer("--seed", *options.seed, 0, std::numeric_limits<std::int64_t>::max()));
  if (options.log_every) plan.log_every = parse_integer("--log-every", *options.log_every, 1, kLargestParameter);
  if (options.holdout) plan.holdout = parse_not_negative("--holdout", *options.holdout);
  if (plan.holdout >= 1)
    refuse_usage("--holdout", "'" + *options.holdout + "' is not valid (expected a fraction of the rows, less than 1)");
  return plan;
}

ReadFiles files_read(const LearnOptions& options) {
  std::vector<std::string> read = options.inputs;
  read.insert(read.end(), options.targets.begin(), options.targets.end());
  if (options.init && !is_word_of_init(*options.init)) read.push_back(*options.init);
  return ReadFiles(read);
}

void check_kernel_output(const LearnOptions& options) {
  if (!options.output || *options.output == "-") return;
  if (!has_extension(*options.output, ".json"))
    refuse_usage("--output", "'" + *options.output + "' is not the name of a kernel file (expected NAME.json)");
  check_output(*options.output, false, files_read(options));
}

}  // namespace convtool
