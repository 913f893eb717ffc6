// convtool edges: edge maps by recipe.

#include <charconv>
#include <memory>
#include <utility>

#include "cli/batch/batch.h"
#include "cli/command.h"
#include "cli/options/input_check.h"
#include "cli/options/load_network.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "cli/options/resolve_options.h"
#include "cli/options/run_options.h"
#include "core/text.h"
#include "kernels/generated.h"
#include "kernels/kernel_source.h"
#include "kernels/smoothed.h"

namespace convtool {
namespace {

struct EdgesOptions {
  RunOptions run;
  std::string name = "sobel", kind = "magnitude", color = "luma", padding_mode = "replicate";
  std::optional<std::string> sigma, norm, hysteresis, angle, overlay_color, padding_value;
  bool thin = false;
};

constexpr std::string_view kEdgesText =
    "Writes an edge map of each input, with the size of the input. There are three stages: a gradient (--operator, "
    "after an optional blur), thinning across the edge (--thin), and two thresholds with hysteresis (--hysteresis). "
    "The second and the third are optional. All three together are a Canny detector: on 8-bit pictures it finds the "
    "same pixels as cv::Canny with L2gradient, and -v reports how other settings differ from that.\n\n"
    "Magnitudes are those of 'apply --gray -k OP'. Kernels are unscaled, as in OpenCV; -v prints them.";

constexpr std::string_view kEdgesExamples =
    R"(  convtool edges img.png                            Sobel's gradient magnitude
  convtool edges img.png --thin --hysteresis 100,200 --output-kind binary
  convtool edges img.png --hysteresis auto --output-kind overlay
  convtool edges img.png --operator scharr --depth f32 -o gradient.npy
  convtool edges img.png --operator log --sigma 2 --output-kind binary)";

/// The thresholds of "auto", "LOW,HIGH" or "pLOW,pHIGH".
ThresholdRule parse_hysteresis(const std::string& text) {
  if (text == "auto") return {};
  const std::size_t second = text.find(",p");
  const bool percentiles = text.starts_with('p') && second != std::string::npos;
  const std::string plain = percentiles ? text.substr(1, second) + text.substr(second + 2) : text;
  const std::optional<std::array<double, 2>> range = find_two_numbers(plain);
  if (range && (*range)[0] > (*range)[1])
    refuse_usage("--hysteresis", "LOW is above HIGH (got " + text + "); swap them");
  const double most = percentiles ? 100 : std::numeric_limits<float>::max();
  if (!range || (*range)[0] < 0 || (*range)[1] > most)
    refuse_usage(
        "--hysteresis",
        "'" + text + "' is not valid (expected LOW,HIGH such as 100,200, percentiles such as p80,p95, or auto)");
  return {percentiles ? ThresholdRule::Source::percentile : ThresholdRule::Source::response, (*range)[0], (*range)[1]};
}

/// "ff8000" as three numbers from 0 to 1.
std::array<double, 3> parse_color(const std::string& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 6 || error != std::errc() || end != text.data() + text.size())
    refuse_usage("--overlay-color", "'" + text + "' is not valid (expected RRGGBB such as ff0000)");
  return {(value >> 16) / 255.0, (value >> 8 & 0xFF) / 255.0, (value & 0xFF) / 255.0};
}

/// The operator's kernels, smoothed, with the border and norm of `options`.
Bank load_operator(const EdgesOptions& options) {
  if (options.name == "canny") refuse_usage("--operator", "'edges --thin --hysteresis auto' is a Canny detector");
  const std::string name(kOperators[parse_choice("--operator", options.name, kOperators)]);
  const double sigma = options.sigma ? parse_not_negative("--sigma", *options.sigma) : 0;
  const bool is_log = name == "log";
  Bank bank = load_kernel(is_log && sigma > 0 ? "log:sigma=" + to_text(sigma) : name).banks.front();
  if (sigma > 0 && (sigma < kSmallestSigma || sigma > kLargestSigma))
    refuse_usage("--sigma", "'" + *options.sigma + "' is not valid (expected 0, or from " + to_text(kSmallestSigma) +
                                " to " + to_text(kLargestSigma) + ")");
  if (sigma > 0 && !is_log) bank = smoothed(bank, sigma);
  if (options.norm) {
    const bool l1 = parse_choice("--norm", *options.norm, kNorms) == 1;
    if (bank.combine != Combine::magnitude)
      refuse_usage("--norm", "applies to gradients (got --operator " + name + "); leave it out");
    bank.combine = l1 ? Combine::l1 : Combine::magnitude;
  }
  for (Layer& layer : bank.layers) set_padding_mode(options.padding_mode, options.padding_value, layer.params);
  return bank;
}

EdgeRecipe make_recipe(const EdgesOptions& options) {
  EdgeRecipe recipe{.kernels = load_operator(options)};
  recipe.kind = static_cast<EdgeKind>(parse_choice("--output-kind", options.kind, kEdgeKinds));
  recipe.color = static_cast<ColorRule>(parse_choice("--color", options.color, kColorRules));
  if (options.hysteresis) recipe.hysteresis = parse_hysteresis(*options.hysteresis);
  const bool decides = recipe.kind == EdgeKind::binary || recipe.kind == EdgeKind::overlay;
  if (decides && !recipe.hysteresis) recipe.hysteresis = ThresholdRule{};
  recipe.thin = options.thin || (recipe.is_laplacian() && recipe.hysteresis);
  if (options.angle) recipe.angle = static_cast<AngleUnit>(parse_choice("--angle", *options.angle, kAngleUnits));
  if (options.overlay_color) recipe.overlay_color = parse_color(*options.overlay_color);
  return recipe;
}

/// Throws Error(usage) for options that contradict each other.
void check(const EdgesOptions& options, const EdgeRecipe& recipe, const FilterSpec& spec) {
  const std::string& name = options.name;
  const std::string kind(kEdgeKinds[static_cast<int>(recipe.kind)]);
  if (recipe.thin && !recipe.has_gradient() && !recipe.is_laplacian())
    refuse_usage("--thin", "needs the direction of edges, which " + name + " does not give; choose another operator");
  if (options.thin && recipe.is_laplacian() && recipe.kind == EdgeKind::components)
    refuse_usage("--thin", "keeps zero crossings of " + name + ", which have no components; leave it out");
  if (recipe.kind == EdgeKind::orientation && !recipe.has_gradient())
    refuse_usage("--output-kind", name + " has no orientation; choose another operator, such as sobel");
  if (recipe.kind == EdgeKind::components && recipe.hysteresis && !recipe.has_gradient())
    refuse_usage("--hysteresis",
                 "needs a gradient, and the components of " + name + " are not one; leave it out, or choose sobel");
  if (recipe.kind == EdgeKind::components && spec.map == OutputMap::signs && !recipe.is_laplacian())
    refuse_usage("--map", "signed shows one channel (" + name + " has " + std::to_string(recipe.kernels.layers.size()) +
                              " components); choose --map offset and write .npy");
  if (options.angle && recipe.kind != EdgeKind::orientation)
    refuse_usage("--angle", "applies to --output-kind orientation (got " + kind + "); leave it out");
  if (options.overlay_color && recipe.kind != EdgeKind::overlay)
    refuse_usage("--overlay-color", "applies to --output-kind overlay (got " + kind + "); leave it out");
  if ((spec.map || spec.threshold) && !recipe.is_mapped())
    refuse_usage(spec.threshold ? "--threshold" : "--map",
                 "applies to magnitude and components (got --output-kind " + kind + "); leave it out");
  if (spec.alpha == AlphaRule::filter || spec.alpha == AlphaRule::premultiply)
    refuse_usage("--alpha", "edges takes keep or drop (got " + options.run.alpha + ")");
}

/// The kind of map in derived names, which differ from those of apply with the operator's kernels.
std::string kind_label(const EdgeRecipe& recipe) {
  if (recipe.kind == EdgeKind::magnitude && recipe.thin) return "thin";
  return std::string(kEdgeKinds[static_cast<int>(recipe.kind)]);
}

int run_edges(const EdgesOptions& options) {
  FilterSpec spec = resolve_filter(options.run);
  spec.edges = make_recipe(options);
  spec.angle_given = options.angle.has_value();
  if (spec.percentiles && spec.edges->kind == EdgeKind::orientation && !options.run.map) {
    spec.edges->brightness = std::exchange(spec.percentiles, std::nullopt);
    spec.map.reset();
  }
  spec.network = {.name = spec.edges->kernels.name, .description = "", .banks = {spec.edges->kernels}};
  check(options, *spec.edges, spec);
  BatchOptions batch = resolve_batch(options.run, spec, {});
  batch.destination.label = spec.network.name + "-" + kind_label(*spec.edges);
  return run_batch(batch, spec);
}

}  // namespace

void declare_edges(Command& command) {
  auto options = std::make_shared<EdgesOptions>();
  command.text = kEdgesText;
  command.examples = kEdgesExamples;
  command.add(
      "Edges",
      {{.names = "--operator",
        .value = "OP",
        .target = &options->name,
        .brief = "{words}",
        .text = "The operator.\n\n"
                "  sobel, scharr, prewitt, roberts, farid   gradients\n"
                "  kirsch, frei-chen                        strength without a direction\n"
                "  log                                      a Laplacian of a Gaussian, whose edges "
                "are its zero crossings",
        .words = {kOperators}},
       {.names = "--sigma",
        .value = "S",
        .target = &options->sigma,
        .brief = "blur first with a Gaussian of S pixels",
        .text = "Blur first, with a Gaussian of standard deviation S pixels that is folded into the kernels. For log, "
                "S is the sigma of its own Gaussian, 0.75 or more.",
        .otherwise = "no blur"},
       {.names = "--norm",
        .value = "N",
        .target = &options->norm,
        .brief = "norm of the gradient: {words}",
        .text = "The norm of the gradient: l2, the root of the sum of squares, or l1, the sum of absolute values.",
        .otherwise = "l2",
        .words = {kNorms}},
       {.names = "--output-kind",
        .value = "KIND",
        .target = &options->kind,
        .brief = "{words}",
        .text = "The kind of output.\n\n"
                "  magnitude    the strength of the edge\n"
                "  orientation  the direction of the gradient, as --angle says\n"
                "  components   the gradient to the right and downwards, as f32; for other operators, the response of "
                "each kernel\n"
                "  binary       white on edges, black elsewhere\n"
                "  overlay      the picture with its edges painted on it\n\n"
                "binary and overlay use --hysteresis auto unless other thresholds are given.",
        .words = {kEdgeKinds}},
       {.names = "--color",
        .value = "C",
        .target = &options->color,
        .brief = "how to use colours: {words}",
        .text = "Find edges in the luma, or in every colour, and combine them: max takes the strongest, sum adds them, "
                "di-zenzo uses the structure tensor of all colours (Di Zenzo, 1986). One of {words}.",
        .words = {kColorRules}},
       {.names = "--thin",
        .target = &options->thin,
        .brief = "keep pixels that are strongest across the edge",
        .text = "Keep a pixel only where it is the strongest across the edge (non-maximum suppression), and write 0 "
                "elsewhere. For log: keep the zero crossings."},
       {.names = "--hysteresis",
        .value = "LOW,HIGH",
        .target = &options->hysteresis,
        .brief = "two thresholds, as in Canny's detector, or auto",
        .text = "Keep pixels above HIGH, and pixels above LOW that are connected to one; write 0 elsewhere.\n\n"
                "  100,200     strengths\n"
                "  p80,p95     percentiles of all strengths before thinning "
                "(for log: of the crossings)\n"
                "  auto        HIGH by Otsu's method, LOW half of it",
        .otherwise = "none; auto for binary and overlay"},
       {.names = "--angle",
        .value = "A",
        .target = &options->angle,
        .brief = "for orientation: {words}",
        .text =
            "The unit of --output-kind orientation. The angle is that of the gradient, from dark to bright, "
            "counter-clockwise from the right: f32 in radians or degrees, or a colour wheel (red to the right, then "
            "yellow, green, cyan, blue, magenta; brighter for stronger edges).",
        .otherwise = "wheel for integer pictures, else radians",
        .words = {kAngleUnits}},
       {.names = "--overlay-color",
        .value = "RRGGBB",
        .target = &options->overlay_color,
        .brief = "colour of --output-kind overlay",
        .text = "The colour of --output-kind overlay, in hexadecimal.",
        .otherwise = "ff0000"},
       {.names = "--padding-mode",
        .value = "M",
        .target = &options->padding_mode,
        .brief = "{words}",
        .text = "The values outside the input, as in convtool apply: {words}.",
        .words = {kPaddingModes}},
       {.names = "--padding-value",
        .value = "V",
        .target = &options->padding_value,
        .brief = "value of the pixels outside, for --padding-mode constant"}});
  add_run_options(command, options->run);
  command.check = [options] { check_inputs(options->run, "--operator", {}); };
  command.run = [options] { return run_edges(*options); };
}

}  // namespace convtool
