// convtool learn: the kernel that makes one picture of another.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>

#include "cli/app.h"
#include "cli/batch/destinations.h"
#include "cli/command.h"
#include "cli/commands/samples.h"
#include "cli/options/layer_options.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "kernels/kernel_source.h"
#include "learn/gradient_descent.h"
#include "learn/least_squares.h"
#include "learn/rounding.h"
#include "network/network_plan.h"
#include "report/error_report.h"
#include "report/learn_report.h"

namespace convtool {
namespace {

struct LearnOptions {
  std::vector<std::string> inputs, targets;
  LayerOptions layer;
  std::optional<std::string> kernel_size, method, ridge, holdout, output;
  std::optional<std::string> rate, epochs, momentum, init, seed, log_every;  // of gradient descent
  std::string threads = "0";
  bool bias = false, round = false, json = false, quiet = false;
};

constexpr const char* kFooter =
    R"(With as many channels in the target as in the input, all share one kernel, as in a filter; --groups 1 (or more) learns
nn.Conv2d's weights instead, which mix channels. Pictures count in their own units, 0..255 or 0..65535.

Examples:
  convtool learn --input x.json --target y.json --kernel-size 1x2 --lr 0.03 --epochs 10 -o k.json
  convtool learn --input a.png --target b.png --kernel-size 5 --padding same --padding-mode replicate --round -o k.json
  convtool learn --input a.png b.png --target c.png d.png --kernel-size 1 --groups 1 --bias   a colour matrix)";

[[noreturn]] void refuse(const char* option, const std::string& message) {
  throw Error(ErrorKind::usage, option, message);
}

/// What is asked for, as numbers.
struct Plan {
  Layer layer;  ///< without weights, unless --init gives them
  bool descends = false;
  DescentOptions descent;  ///< rate 0: a stable one
  LeastSquaresOptions least_squares;
  bool init_uniform = false;
  std::uint64_t seed = 0;
  std::int64_t log_every = 2;
  double holdout = 0;
  int threads = 0;
};

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

/// A kernel, whose refusals speak of --init.
Network load_init(const std::string& argument) {
  try {
    return load_kernel(argument);
  } catch (const Error& error) {
    std::string message = error.what();
    if (error.where() != "--kernel") throw;
    message.erase(0, error.where().size() + 2);
    if (const std::size_t at = message.find("(expected a .json"); at != std::string::npos)
      message.insert(at + std::strlen("(expected "), "zeros, uniform, ");
    throw Error(error.kind(), "--init", message);
  }
}

/// The one layer of a kernel to start from.
Layer load_start(const std::string& argument) {
  const Network network = load_init(argument);
  const Layer& layer = network.banks.front().layers.front();
  if (network.banks.size() > 1 || network.banks.front().layers.size() > 1)
    refuse("--init", "'" + network.name + "' is several kernels, and one is learned; give a single one");
  if (layer.pooling != Pooling::none)
    refuse("--init", "'" + network.name + "' pools, and has no weights to learn; give a kernel");
  if (layer.activation != Activation::none)
    refuse("--init", "'" + network.name + "' has an activation, and only layers without one are learned");
  return layer;
}

/// What is learned, before its channels are known.
Layer make_layer(const LearnOptions& options) {
  Layer layer;
  LayerOptions geometry = options.layer;
  const bool starts_from_kernel = options.init && !is_word_of_init(*options.init);
  if (starts_from_kernel) {
    layer = load_start(*options.init);
  } else if (!options.kernel_size) {
    refuse("--kernel-size", "is missing; say how large the kernel is, such as 3 or 1x2");
  }
  if (options.kernel_size) {
    const Extent size = parse_extent("--kernel-size", *options.kernel_size, 1);
    constexpr std::int64_t kMostTaps = std::int64_t{1} << 26;
    if (size.h > kMostTaps / size.w)
      refuse("--kernel-size", "'" + *options.kernel_size + "' is more than " + std::to_string(kMostTaps) + " weights");
    if (starts_from_kernel && (layer.shape.kh != size.h || layer.shape.kw != size.w))
      refuse("--kernel-size", "is not that of --init (" + *options.kernel_size + " against " +
                                  std::to_string(layer.shape.kh) + "x" + std::to_string(layer.shape.kw) +
                                  "); leave it out");
    layer.shape.kh = size.h;
    layer.shape.kw = size.w;
  }
  if (starts_from_kernel && geometry.groups && layer.rank == 2)
    refuse("--groups", "mixes channels, but all channels share the one matrix of --init; give one of rank 4");
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

Plan make_plan(const LearnOptions& options) {
  if (options.inputs.size() != options.targets.size())
    refuse("--target", "one for each input (expected " + std::to_string(options.inputs.size()) + ", got " +
                           std::to_string(options.targets.size()) + ")");
  if (std::count(options.inputs.begin(), options.inputs.end(), "-") +
          std::count(options.targets.begin(), options.targets.end(), "-") >
      1)
    refuse("--input", "standard input can be read once; name files");
  Plan plan{.layer = make_layer(options)};
  plan.threads = parse_threads("--threads", options.threads);
  const char* descent_option = find_descent_option(options);
  plan.descends = options.method ? parse_choice("--method", *options.method, kMethods) == 0 : descent_option != nullptr;
  if (!plan.descends && descent_option != nullptr)
    refuse(descent_option, "is for gradient descent (got --method lstsq, which has no steps); leave it out");
  if (plan.descends && options.ridge)
    refuse("--ridge", "is for --method lstsq (" + (descent_option ? std::string(descent_option) + " means" : "got") +
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
    refuse("--momentum", "'" + *options.momentum + "' does not fit (expected less than 1)");
  plan.least_squares = {.ridge = options.ridge ? parse_not_negative("--ridge", *options.ridge) : 0,
                        .learns_bias = options.bias,
                        .threads = plan.threads};
  plan.init_uniform = options.init == "uniform";
  if (options.seed && !plan.init_uniform) refuse("--seed", "is for --init uniform; leave it out");
  if (options.seed)
    plan.seed =
        static_cast<std::uint64_t>(parse_integer("--seed", *options.seed, 0, std::numeric_limits<std::int64_t>::max()));
  if (options.log_every) plan.log_every = parse_integer("--log-every", *options.log_every, 1, kLargestParameter);
  if (options.holdout) plan.holdout = parse_not_negative("--holdout", *options.holdout);
  if (plan.holdout >= 1)
    refuse("--holdout", "'" + *options.holdout + "' does not fit (expected a fraction of the rows, less than 1)");
  return plan;
}

/// Throws Error(usage) unless the kernel can be written where it is to go.
void check_output(const LearnOptions& options) {
  if (!options.output || *options.output == "-") return;
  if (!has_extension(*options.output, ".json"))
    refuse("--output", "'" + *options.output + "' is no kernel file's name (expected one that ends in .json)");
  std::vector<std::string> read = options.inputs;
  read.insert(read.end(), options.targets.begin(), options.targets.end());
  convtool::check_output(*options.output, false, ReadFiles(read));
}

/// As nn.Conv2d starts: uniform between -b and b, with b = 1 / sqrt(inputs of an output).
void fill_uniform(const KernelShape& shape, std::uint64_t seed, bool with_bias, Parameters& parameters) {
  std::mt19937_64 engine(seed);
  const double bound = 1 / std::sqrt(static_cast<double>(shape.taps()));
  const auto next = [&] { return bound * (static_cast<double>(engine() >> 11) * 0x1p-52 - 1); };
  for (double& weight : parameters.weights) weight = next();
  if (!with_bias) return;
  for (double& bias : parameters.bias) bias = next();
}

Parameters make_start(const Plan& plan) {
  const Layer& layer = plan.layer;
  Parameters start(layer.shape);
  if (layer.weights.empty()) {
    if (plan.init_uniform) fill_uniform(layer.shape, plan.seed, plan.descent.learns_bias, start);
    return start;
  }
  if (layer.rank == 2 && layer.bias.size() > 1)
    refuse("--init", "has a bias for each channel, and all channels share what is learned; give one number");
  const Kernel kernel = bind_kernel(layer, 1, false);
  const auto taps = static_cast<std::size_t>(layer.shape.taps());
  for (std::size_t i = 0; i < start.weights.size(); ++i)
    start.weights[i] = static_cast<double>(kernel.weights[i]) / (kernel.divisor.empty() ? 1 : kernel.divisor[i / taps]);
  start.bias.assign(kernel.bias.begin(), kernel.bias.end());
  return start;
}

/// Tells of epochs as they end.
class EpochTeller {
 public:
  EpochTeller(const LearnOptions& options, const Plan& plan)
      : options_(options), plan_(plan), line_(!options.quiet && is_capable_terminal(STDERR_FILENO)) {}

  void operator()(std::int64_t epoch, const Loss& loss) {
    const bool held_out = plan_.holdout > 0;
    if (epoch % plan_.log_every == 0 && !options_.quiet) {
      line_.erase();
      const auto out = options_.output == "-" ? print_error : print;
      out((options_.json ? epoch_json(epoch, loss, held_out) : epoch_text(epoch, loss, held_out)) + "\n");
    }
    line_.draw([&] { return epoch_text(epoch, loss, held_out) + " of " + std::to_string(plan_.descent.epochs); });
  }

 private:
  const LearnOptions& options_;
  const Plan& plan_;
  StatusLine line_;
};

void warn(const std::string& message) { print_error("convtool: warning: " + printable(message) + "\n"); }

/// Whether all taps of an output see one number, whatever the output.
bool are_constant(const std::vector<Sample>& samples) {
  const ConvProblem& problem = samples.front().problem;
  const bool has_borders = problem.padding_mode == PaddingMode::zeros || problem.padding_mode == PaddingMode::constant;
  if (samples.size() > 1 || problem.kernel.c_i_per_group > 1 || problem.kernel.taps() == 1 ||
      (has_borders && problem.pads != Pads{}))
    return false;
  return std::all_of(samples.begin(), samples.end(), [](const Sample& sample) {
    const Shape& shape = sample.input.shape();
    const float* values = sample.input.data<float>();
    const std::int64_t plane = shape.h * shape.w;
    for (std::int64_t first = 0; first < shape.count(); first += plane)
      if (std::any_of(values + first, values + first + plane, [&](float v) { return v != values[first]; }))
        return false;
    return true;
  });
}

Parameters learn(const std::vector<Sample>& samples, const LearnOptions& options, Plan& plan, LearnReport& report) {
  if (plan.descends) {
    if (plan.descent.rate == 0) plan.descent.rate = stable_rate(samples, options.bias, plan.threads);
    if (plan.descent.rate == 0)
      throw Error(
          ErrorKind::shape, options.inputs.front(),
          "no step changes the loss: the input is 0 everywhere, or its numbers are too large or too small to be "
          "squared; scale them, or give another input");
    if (!options.quiet && are_constant(samples))
      warn(options.inputs.front() + ": is the same everywhere, which determines the sum of the weights alone");
    report.method = "gd";
    report.rate = plan.descent.rate;
    report.momentum = plan.descent.momentum;
    report.epochs = plan.descent.epochs;
    EpochTeller teller(options, plan);
    return descend(samples, make_start(plan), plan.descent, std::ref(teller));
  }
  const LeastSquares found = solve_least_squares(samples, plan.least_squares);
  report.method = "lstsq";
  report.ridge = plan.least_squares.ridge;
  report.rank = found.rank;
  report.columns = found.columns;
  if (found.rank < found.columns && !options.quiet)
    warn((options.inputs.size() > 1 ? "the inputs determine " : options.inputs.front() + ": the input determines ") +
         std::to_string(found.rank) + " of the " + std::to_string(found.columns) + " unknowns of an output channel" +
         (samples.front().problem.groups > 1 ? " of each group" : "") +
         "; of all that fit as well, the smallest weights were taken");
  return found.parameters;
}

/// The sums that tell how well the layer fits.
void describe_fit(const std::vector<Sample>& samples, const Loss& loss, LearnReport& report) {
  FitReport held_out{.loss = loss.held_out};
  report.learned.loss = loss.learned;
  for (const Sample& sample : samples) {
    report.learned.values += sample.learned_values();
    held_out.values += sample.held_out_values();
  }
  const double varies = variation(samples);
  if (varies > 0) report.learned.variation = varies;
  const double held_out_varies = variation(samples, Rows::held_out);
  if (held_out_varies > 0) held_out.variation = held_out_varies;
  if (held_out.values > 0) report.held_out = held_out;
}

/// Throws Error(shape) for weights or biases, as `what` says, that are no numbers in float, or all lost in it.
void check_floats(const std::vector<double>& weights, const std::string& what) {
  double largest = 0;
  for (const double weight : weights) largest = std::max(largest, std::fabs(weight));
  const bool all_finite = std::all_of(weights.begin(), weights.end(),
                                      [](double weight) { return std::isfinite(static_cast<float>(weight)); });
  if (!all_finite || (largest > 0 && static_cast<float>(largest) == 0))
    throw Error(ErrorKind::shape, "--target",
                "the " + what + " are beyond float32 (the largest is " + short_text(largest) +
                    "); scale the target or the input");
}

/// Puts what was learned into the layer, rounded where that is asked for and fits as well.
void fill_layer(const std::vector<Sample>& samples, Parameters parameters, const LearnOptions& options,
                const Plan& plan, LearnReport& report) {
  Layer& layer = report.layer;
  const KernelShape& shape = samples.front().problem.kernel;
  check_floats(parameters.weights, "weights");
  check_floats(parameters.bias, "biases");
  Loss loss = measure_loss(samples, parameters.to_kernel(shape), plan.threads);
  layer.divisor.clear();
  report.learns_bias = options.bias;
  report.round_asked = options.round;
  if (options.round) {
    if (const auto rounded = round_parameters(samples, parameters, options.bias, loss, plan.threads)) {
      parameters = rounded->parameters;
      for (double& weight : parameters.weights) weight *= rounded->divisor;
      if (rounded->divisor > 1) layer.divisor = {rounded->divisor};
      report.divisor = rounded->divisor;
      loss = rounded->loss;
    }
  }
  const Kernel kernel = parameters.to_kernel(shape);
  layer.weights = kernel.weights;
  if (options.bias || !layer.bias.empty()) layer.bias = kernel.bias;
  describe_fit(samples, loss, report);
  layer.description = describe_learning(report);
}

int run_learn(const LearnOptions& options) {
  Plan plan = make_plan(options);
  check_output(options);
  const Samples read = read_samples(options.inputs, options.targets, plan.holdout, plan.layer);
  if (!options.quiet)
    for (const std::string& warning : read.warnings) warn(warning);
  const std::vector<Sample>& samples = read.pairs;
  LearnReport report{.inputs = options.inputs, .targets = options.targets, .output = options.output.value_or("")};
  Parameters parameters = learn(samples, options, plan, report);
  report.layer = std::move(plan.layer);
  fill_layer(samples, std::move(parameters), options, plan, report);

  if (options.output) {
    const std::string kernel = kernel_json(report);
    const auto bytes = std::as_bytes(std::span(kernel.data(), kernel.size()));
    if (*options.output == "-")
      write_stdout(bytes);
    else
      write_file(*options.output, bytes);
  }
  const auto out = options.output == "-" ? print_error : print;
  if (options.json)
    out(to_json(report) + "\n");
  else if (!options.quiet)
    out(to_text(report));
  return kExitDone;
}

/// run_learn(), with what goes wrong told in JSON too where that is asked for.
int run_and_tell(const LearnOptions& options) {
  try {
    try {
      return run_learn(options);
    } catch (const std::bad_alloc&) {
      throw Error(ErrorKind::memory, options.inputs.front(),
                  "learning from it takes more memory than there is; cut the pictures, or learn a smaller kernel");
    }
  } catch (const Error& error) {
    if (options.json && exit_code(error.kind()) == kExitFailed)
      (options.output == "-" ? print_error : print)(error_json(error) + "\n");
    throw;
  }
}

}  // namespace

void add_learn(CLI::App& command, Action& action) {
  auto options = std::make_shared<LearnOptions>();
  command.footer(kFooter);
  command.add_option("--input", options->inputs, "pictures or tensors")->type_name("X")->required();
  command.add_option("--target", options->targets, "what is to come of each of them")->type_name("Y")->required();
  const auto add = [&](const char* name, std::optional<std::string>& value, const char* type, const char* help) {
    return command.add_option(name, value, help)->type_name(type);
  };
  add("--kernel-size", options->kernel_size, "K", "5, or HxW such as 1x2");
  add("-o,--output", options->output, "PATH", "the kernel file to write, which apply takes; - for standard output");
  add("--method", options->method, "M",
      "lstsq: least squares, exactly; gd: gradient descent (gd where one of its options is given, else lstsq)");
  add("--ridge", options->ridge, "L", "of lstsq: the loss counts L times the squared weights too (0)");
  add("--holdout", options->holdout, "F",
      "do not learn from the last F of all rows, 0 to 1, but tell the loss on them");
  command.add_flag("--bias", options->bias, "learn a bias for each output channel too");
  command.add_flag("--round", options->round, "weights as integers over 1, 2, 4, ... or 1024, where these fit as well");
  const auto add_descent = [&](const char* name, std::optional<std::string>& value, const char* type,
                               const char* help) { add(name, value, type, help)->group("Gradient descent"); };
  add_descent("--lr", options->rate, "R", "rate of the steps along the gradient of the summed squares (a stable one)");
  add_descent("--epochs", options->epochs, "N", "steps, each over all samples (100)");
  add_descent("--momentum", options->momentum, "M", "as torch.optim.SGD's, 0 to 1 (0)");
  add_descent("--init", options->init, "W",
              "start from zeros, uniform (as nn.Conv2d), or a kernel as apply takes it (zeros)");
  add_descent("--seed", options->seed, "N", "of --init uniform (0)");
  add_descent("--log-every", options->log_every, "N", "tell the loss after every N-th epoch (2)");
  add_geometry_options(command, options->layer, "Layer");
  const char* group = "Run";
  CLI::Option* json =
      command.add_flag("--json", options->json, "JSON Lines: an object for each epoch told, and one at the end")
          ->group(group);
  command.add_flag("-q,--quiet", options->quiet, "nothing but errors")->excludes(json)->group(group);
  command.add_option("--threads", options->threads, "0: as many as cores; results do not depend on it")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  command.callback([options, &action] { action = [options] { return run_and_tell(*options); }; });
}

}  // namespace convtool
