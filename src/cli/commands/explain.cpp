// convtool explain: how one output comes about.

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <span>

#include "cli/batch/read_files.h"
#include "cli/command.h"
#include "cli/commands/explain/formats.h"
#include "cli/commands/explain/traced_run.h"
#include "cli/exit_code.h"
#include "cli/job/output_file.h"
#include "cli/options/input_check.h"
#include "cli/options/isolate_option.h"
#include "cli/options/load_network.h"
#include "cli/options/option_value.h"
#include "cli/options/resolve_options.h"
#include "cli/options/run_options.h"
#include "cli/options/scaling_options.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "network/outline.h"
#include "report/error_report.h"
#include "report/scaling_remark.h"
#include "show/explain/animation.h"

namespace convtool {
namespace {

struct ExplainOptions {
  std::string input;
  ChainOptions layer;
  SizeOptions size;
  ScalingOptions scaling;
  RunOptions run;  ///< only the options from responses to values, --algorithm and --isolate
  bool grey = false;
  std::string at = "0,0", channel = "0";
  std::optional<std::string> output, format, cell, fps;
  bool json = false;
};

constexpr std::string_view kExplainText =
    "Shows how one output of a layer comes about: the window of the input, the weights, the products and their sum, "
    "and then divisor, bias, activation, map, rounding and the stored value, which is the one that apply writes. "
    "Values that stand in for pixels outside the input are in parentheses. Of a network or chain, each layer is shown "
    "from the last back to the first, at the input that contributes most to the layer after it; of a sum, the layers "
    "before the larger addend. Text and figures say where numbers are rounded. Outputs of up to 2^20 products are "
    "explained.\n\n"
    "The input is a picture, a tensor, - for standard input, a tensor as text, or a shape such as 5x5. A shape has no "
    "numbers; its sizes and places are shown. Channels and places are counted from 0. The channels of a picture are "
    "those that are filtered, without the alpha that --alpha keep sets aside.\n\n"
    "Pages (html) are one file for any browser, without a network. The window follows the pointer and the arrow keys; "
    "stride, padding, dilation, flip and weights can be changed. Of a large picture a page has the part around --at. "
    "Figures (svg, png) show one output. Animations (gif) show all outputs of a channel one after another, in at most "
    "400 frames.";

constexpr std::string_view kExplainExamples = R"(  convtool explain x.json -k k.json                     output (0, 0)
  convtool explain photo.jpg -k sobel-x --gray --at 120,80 --json
  convtool explain '[[0,1,2],[3,4,5],[6,7,8]]' -k '[[0,1],[2,3]]' --at 1,1
  convtool explain 5x5 --kernel-size 3 --stride 2 --padding 1 -o steps.gif
  convtool explain x.json -k k.json --at 1,0 -o step.svg
  convtool explain photo.jpg -k gaussian:sigma=1 --then sobel-x --gray --at 120,80
  convtool explain photo.jpg -k sobel --at 120,80 -o page.html)";

/// --at and --channel.
Pixel parse_place(const ExplainOptions& options) {
  const std::size_t comma = options.at.find(',');
  const std::string_view at = options.at;
  const auto y = parse_number<std::int64_t>(at.substr(0, comma));
  const auto x = parse_number<std::int64_t>(comma == std::string::npos ? "" : at.substr(comma + 1));
  if (!y || !x)
    refuse_usage("--at", "'" + options.at + "' is not valid (expected Y,X: a row and a column, such as 120,80)");
  const auto channel = parse_number<std::int64_t>(options.channel);
  if (!channel)
    refuse_usage("--channel", "'" + options.channel + "' is not valid (expected a whole number, such as 2)");
  return {*channel, *y, *x};
}

std::string extension_words() {
  std::string words;
  for (const ExplainFormat& format : explain_formats())
    words += (words.empty() ? "" : ", ") + std::string(format.extension);
  return words;
}

/// The input in messages: its name, or INPUT for a long tensor as text.
std::string shown_name(const ExplainOptions& options) {
  constexpr std::size_t kLongestName = 100;
  return options.input.size() < kLongestName ? options.input : "INPUT";
}

/// Runs `action`; errors that do not say where get the input's name.
auto with_name(const ExplainOptions& options, const auto& action) {
  try {
    return action();
  } catch (const Error& error) {
    throw Error(error.kind(), error.where().empty() ? shown_name(options) : "", error.what());
  }
}

/// The format that -o, --format or --json chooses.
const ExplainFormat& choose_format(const ExplainOptions& options) {
  const std::span<const ExplainFormat> formats = explain_formats();
  if (options.json && options.format && *options.format != "json")
    refuse_usage("--json", "is the same as --format json (got --format " + *options.format + "); leave one out");
  const ExplainFormat* given = nullptr;
  if (options.json || options.format)
    given = &formats[parse_choice("--format", options.format.value_or("json"), explain_format_words())];

  const std::string path = options.output.value_or("-");
  const auto named = std::find_if(formats.begin(), formats.end(),
                                  [&](const ExplainFormat& format) { return has_extension(path, format.extension); });
  if (named == formats.end()) {
    if (given != nullptr || path == "-") return given != nullptr ? *given : formats.front();
    refuse_usage("--output", "the extension of '" + path + "' names no format of explanations (expected " +
                                 extension_words() + "); choose one of these, or --format");
  }
  if (given != nullptr && given != &*named)
    refuse_usage(options.json ? "--json" : "--format", "contradicts the extension of '" + path +
                                                           "'; leave it out, or name the file *" +
                                                           std::string(given->extension));
  return *named;
}

/// Throws Error(usage) where the output is a file that is read.
void check_output(const ExplainOptions& options, const Network& network) {
  if (options.output.value_or("-") == "-") return;
  ReadFiles read({options.input});
  read.add(options.layer.all_kernels());
  if (options.size.layers) read.add({*options.size.layers});
  read.add(network.files);
  read.refuse_overwriting(*options.output);
}

/// Throws Error(usage) for an option that a shape, which has no numbers, leaves without effect.
void check_shape_options(const ExplainOptions& options) {
  constexpr const char* kOfPictures[] = {"--gray", "--alpha", "--isolate", "--max-pixels"};
  constexpr const char* kOfNumbers[] = {
      "--map", "--normalize-percentile", "--signed-zero", "--threshold", "--depth", "--algorithm"};
  const auto refuse_given = [&](const char* option, const std::string& needs) {
    if (!options.run.command->given.contains(option)) return;
    refuse_usage(option, "needs " + needs + ", but '" + options.input + "' is a shape; leave it out");
  };
  for (const char* const option : kOfPictures) refuse_given(option, "a picture");
  for (const char* const option : kOfNumbers) refuse_given(option, "numbers");
  for (const char* const option : scaling_option_names()) refuse_given(option, "numbers");
}

FilterSpec resolve_spec(const ExplainOptions& options, const ExplainedInput& input) {
  if (!input.source) check_shape_options(options);
  FilterSpec spec = resolve_filter(options.run);
  spec.flip = options.layer.flip;
  spec.grey = options.grey;
  Network network = load_shapes(options.size, options.layer);
  check_algorithm(spec.plan.algorithm, network);
  set_network(options.scaling, std::move(network), spec);
  if (!input.source) return spec;
  if (options.size.are_given())
    refuse_usage(options.size.layers ? "--layers" : "--kernel-size",
                 "a layer without weights has no numbers to explain; give a kernel with -k, or a "
                 "shape such as 5x5 in place of the input");
  check_has_weights(spec.network);
  return spec;
}

/// --cell, --fps and --at, where the format has cells, frames, or one output.
void resolve_figure(const ExplainOptions& options, const ExplainFormat& format, ExplainRequest& request) {
  const bool is_animated = format.name == "gif",
             has_cells = is_animated || format.name == "svg" || format.name == "png";
  const auto refuse = [&](const char* option, const char* formats) {
    refuse_usage(option, "has no effect on " + std::string(format.name) + "; leave it out, or write " + formats);
  };
  if (options.cell && !has_cells) refuse("--cell", ".svg, .png or .gif");
  if (options.fps && !is_animated) refuse("--fps", ".gif");
  if (is_animated && options.run.command->given.contains("--at")) refuse("--at", ".html, .svg or .png");
  if (options.cell) request.cell = static_cast<double>(parse_integer("--cell", *options.cell, 4, 400));
  if (options.fps) request.fps = parse_positive("--fps", *options.fps);
  constexpr double kSlowest = 0.01;
  constexpr double kFastest = 50;  // GIF counts hundredths of seconds, and browsers show no frame for less than two
  if (request.fps < kSlowest || request.fps > kFastest)
    refuse_usage("--fps", "'" + *options.fps + "' is not valid (expected 0.01 to 50, the most that GIF shows)");
}

/// "step.svg: output (0, 0)", "steps.gif: 9 frames".
std::string done_text(const std::string& path, const ExplainFormat& format, const ExplainRequest& request) {
  if (format.name == "gif") return path + ": " + counted(frame_count(request.trace.output()), "frame") + "\n";
  return path + ": output (" + std::to_string(request.at.y) + ", " + std::to_string(request.at.x) + ")\n";
}

int run_explain(const ExplainOptions& options) {
  const Pixel at = parse_place(options);
  const ExplainFormat& format = choose_format(options);
  if (!options.size.are_given() && options.layer.kernels.empty())
    refuse_usage("",
                 "no kernel given; add one, such as -k sobel ('convtool kernels' lists them), or for a shape "
                 "--kernel-size 3 or --layers 'conv 3 8, relu'");
  const std::string path = options.output.value_or("-");
  if (!format.is_text) refuse_terminal(path, format.name);

  PictureDecoder decoder(parse_isolation(options.run.isolation));
  const std::int64_t max_pixels = parse_integer("--max-pixels", options.run.max_pixels, 1, std::int64_t{1} << 60);
  ExplainedInput input = read_explained_input(options.input, max_pixels, decoder);
  const FilterSpec spec = resolve_spec(options, input);
  check_output(options, spec.network);
  if (input.source)
    for (const Remark& remark : input.source->remarks)
      print_message(MessageKind::warning, options.input + ": " + remark.text);
  if (input.source)
    if (const auto remark = scaling_remark(spec.network, spec.scaling, input.source->dtype()))
      print_message(MessageKind::warning, options.input + ": " + remark->text);
  const TracedRun run = with_name(options, [&] { return trace_run(std::move(input), spec); });
  const Explainer explainer(run.trace);
  with_name(options, [&] { explainer.check(at); });
  ExplainRequest request{.trace = run.trace, .explainer = explainer, .at = at};
  request.colours = path == "-" && may_use_colours(STDOUT_FILENO);
  resolve_figure(options, format, request);
  write_file(path, with_name(options, [&] { return format.write(request); }));
  if (path != "-") print(done_text(path, format, request));
  return kExitDone;
}

/// run_explain(), which reports errors as JSON where it would explain as JSON.
int run_and_report(const ExplainOptions& options) {
  try {
    try {
      return run_explain(options);
    } catch (const std::bad_alloc&) {
      throw Error(ErrorKind::memory, shown_name(options),
                  "not enough memory to explain this input; crop it, or explain a smaller kernel");
    }
  } catch (const Error& error) {
    const bool as_json = options.json || options.format == "json";
    if (as_json && exit_code(error.kind()) == kExitFailed) print(error_json(error) + "\n");
    throw;
  }
}

}  // namespace

void declare_explain(Command& command) {
  auto options = std::make_shared<ExplainOptions>();
  options->run.command = &command;
  command.text = kExplainText;
  command.examples = kExplainExamples;
  command.add("Input",
              {{.names = "INPUT",
                .target = &options->input,
                .brief = "a picture or tensor, - (standard input), or a shape",
                .text = "A picture or tensor, - for standard input, a tensor as text such as '[[1, 2], [3, 4]]', "
                        "or a shape such as 5x5 or 3x480x640, which has no numbers. Of a batch the first item is "
                        "explained.",
                .required = true},
               {.names = "--gray",
                .target = &options->grey,
                .brief = "convert to luma first (Rec. 601)",
                .text = "Convert a colour picture to luma first, by the weights of Rec. 601, as OpenCV does."}});
  add_scaling_options(command, options->scaling);
  add_chain_options(command, options->layer, false);
  add_size_options(command, options->size);
  command.add(
      "Output",
      {{.names = "--at",
        .value = "Y,X",
        .target = &options->at,
        .brief = "the output to explain: row and column from 0"},
       {.names = "--channel", .value = "C", .target = &options->channel, .brief = "its channel, from 0"},
       {.names = "-o,--output",
        .value = "PATH",
        .target = &options->output,
        .brief = "file, or - (standard output)",
        .text = "The file to write; its extension decides the format. - is standard output.",
        .otherwise = "standard output"},
       {.names = "--format",
        .value = "FMT",
        .target = &options->format,
        .brief = "{words}",
        .text = "The format: {words}.",
        .otherwise = "that of the extension of -o, else text",
        .words = {explain_format_words}},
       {.names = "--json", .target = &options->json, .brief = "as --format json"},
       {.names = "--cell",
        .value = "PIXELS",
        .target = &options->cell,
        .brief = "svg, png, gif: the size of a cell",
        .text = "In figures and animations: the width and height of a cell in pixels, 4 to 400. Numbers are left "
                "out where they do not fit.",
        .otherwise = "40"},
       {.names = "--fps",
        .value = "F",
        .target = &options->fps,
        .brief = "gif: frames per second",
        .text = "In animations: frames per second, up to 50.",
        .otherwise = "2"}});
  add_value_options(command, options->run);
  command.add("Run", {algorithm_option(options->run),
                      isolate_option(options->run.isolation),
                      {.names = "--max-pixels",
                       .value = "N",
                       .target = &options->run.max_pixels,
                       .brief = "refuse larger inputs before they are decoded"}});
  command.check = [options] {
    options->run.inputs.named = {options->input};
    check_inputs(options->run, options->layer.last_option(), options->layer.last_kernels());
  };
  command.run = [options] { return run_and_report(*options); };
}

}  // namespace convtool
