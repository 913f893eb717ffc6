// convtool edges: edge maps by recipe.

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "cli/batch/batch.h"
#include "cli/command.h"
#include "cli/options/layer_options.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
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

constexpr const char* kFooter = R"(Examples:
  convtool edges img.png                                              Sobel's gradient magnitude, img.sobel.png
  convtool edges img.png --thin --hysteresis 100,200 --output-kind binary   what cv::Canny finds
  convtool edges img.png --sigma 1.4 --thin --hysteresis auto -o edges.png
  convtool edges img.png --operator scharr --depth f32 -o gradient.npy
  convtool edges img.png --operator log --sigma 2 --output-kind binary   zero crossings
The output has the input's size. -v prints the kernels and how a Canny detector differs from OpenCV's.)";

[[noreturn]] void refuse(const char* option, const std::string& message) {
  throw Error(ErrorKind::usage, option, message);
}

/// "auto", "LOW,HIGH" or "pLOW,pHIGH".
ThresholdRule parse_hysteresis(const std::string& text) {
  if (text == "auto") return {};
  const std::size_t second = text.find(",p");
  const bool percentiles = text.starts_with('p') && second != std::string::npos;
  const std::string plain = percentiles ? text.substr(1, second) + text.substr(second + 2) : text;
  const std::optional<std::array<double, 2>> range = find_range(plain);
  const double most = percentiles ? 100 : std::numeric_limits<float>::max();
  if (!range || (*range)[0] < 0 || (*range)[1] > most)
    refuse("--hysteresis",
           "'" + text + "' does not fit (expected LOW,HIGH such as 100,200, percentiles such as p80,p95, or auto)");
  return {percentiles ? ThresholdRule::Source::percentile : ThresholdRule::Source::response, (*range)[0], (*range)[1]};
}

/// "ff8000" as three numbers from 0 to 1.
std::array<double, 3> parse_color(const std::string& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 6 || error != std::errc() || end != text.data() + text.size())
    refuse("--overlay-color", "'" + text + "' does not fit (expected RRGGBB such as ff0000)");
  return {(value >> 16) / 255.0, (value >> 8 & 0xFF) / 255.0, (value & 0xFF) / 255.0};
}

/// The operator's kernels, smoothed, with the border and norm that were asked for.
Bank load_operator(const EdgesOptions& options) {
  const std::string name(kOperators[parse_choice("--operator", options.name, kOperators)]);
  const double sigma = options.sigma ? parse_not_negative("--sigma", *options.sigma) : 0;
  const bool is_log = name == "log";
  Bank bank = load_kernel(is_log && sigma > 0 ? "log:sigma=" + to_text(sigma) : name).banks.front();
  if (sigma > 0 && (sigma < kSmallestSigma || sigma > kLargestSigma))
    refuse("--sigma", "'" + *options.sigma + "' does not fit (expected 0, or from " + to_text(kSmallestSigma) + " to " +
                          to_text(kLargestSigma) + ")");
  if (sigma > 0 && !is_log) bank = smoothed(bank, sigma);
  if (options.norm) {
    const bool l1 = parse_choice("--norm", *options.norm, kNorms) == 1;
    if (bank.combine != Combine::magnitude)
      refuse("--norm", "is for operators whose kernels are joined by it (" + name + " has none); leave it out");
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

/// What was asked for and has no meaning together.
void check(const EdgesOptions& options, const EdgeRecipe& recipe, const FilterSpec& spec) {
  const std::string& name = options.name;
  const std::string kind(kEdgeKinds[static_cast<int>(recipe.kind)]);
  if (recipe.thin && !recipe.has_gradient() && !recipe.is_laplacian())
    refuse("--thin", "needs to know which way edges point, which " + name + " does not tell; choose another operator");
  if (recipe.kind == EdgeKind::orientation && !recipe.has_gradient())
    refuse("--output-kind", "orientation is not told by " + name + "; choose another operator, such as sobel");
  if (recipe.kind == EdgeKind::components && recipe.hysteresis && !recipe.has_gradient())
    refuse("--hysteresis",
           "decides on gradients, and the components of " + name + " are none; leave it out, or choose sobel");
  if (recipe.kind == EdgeKind::components && spec.map == OutputMap::signs && !recipe.is_laplacian())
    refuse("--map", "signed shows one channel (the components of " + name + " are " +
                        std::to_string(recipe.kernels.layers.size()) + "); choose --map offset and write .npy");
  if (options.angle && recipe.kind != EdgeKind::orientation)
    refuse("--angle", "is for --output-kind orientation (got " + kind + "); leave it out");
  if (options.overlay_color && recipe.kind != EdgeKind::overlay)
    refuse("--overlay-color", "is for --output-kind overlay (got " + kind + "); leave it out");
  if ((spec.map || spec.threshold) && !recipe.is_mapped())
    refuse(spec.threshold ? "--threshold" : "--map",
           "is for magnitude and components (got --output-kind " + kind + "); leave it out");
  if (spec.alpha == AlphaRule::filter || spec.alpha == AlphaRule::premultiply)
    refuse("--alpha", "edges are found in colours, so alpha is kept or dropped (got " + options.run.alpha + ")");
}

int run_edges(const EdgesOptions& options) {
  FilterSpec spec = resolve_filter(options.run);
  spec.edges = make_recipe(options);
  spec.angle_given = options.angle.has_value();
  spec.network = {.name = spec.edges->kernels.name, .description = "", .banks = {spec.edges->kernels}};
  check(options, *spec.edges, spec);
  return run_batch(resolve_batch(options.run, spec, {}), spec);
}

}  // namespace

void add_edges(CLI::App& command, Action& action) {
  auto options = std::make_shared<EdgesOptions>();
  command.footer(kFooter);
  const auto add = [&](const char* name, auto& value, const char* type, const char* help) {
    return command.add_option(name, value, help)->type_name(type)->group("Edges");
  };
  add("--operator", options->name, "OP", "sobel, scharr, prewitt, roberts, farid, kirsch, frei-chen, log")
      ->capture_default_str();
  add("--sigma", options->sigma, "S", "blur first, by a Gaussian folded into the kernels; 0: none, the default");
  add("--norm", options->norm, "N", "of the gradient: l2 (the default) or l1");
  add("--output-kind", options->kind, "KIND", "magnitude, orientation, components, binary, overlay")
      ->capture_default_str();
  add("--color", options->color, "C", "edges of luma, or of every color joined: max, sum, di-zenzo")
      ->capture_default_str();
  command.add_flag("--thin", options->thin, "keep what is strongest across the edge; of log the zero crossings")
      ->group("Edges");
  add("--hysteresis", options->hysteresis, "LOW,HIGH",
      "keep edges above HIGH and what leads to them above LOW; p80,p95 as percentiles, or auto (Otsu)");
  add("--angle", options->angle, "A", "of orientation: radians, degrees, or a color wheel (integers: wheel)");
  add("--overlay-color", options->overlay_color, "RRGGBB", "of overlay (ff0000)");
  add("--padding-mode", options->padding_mode, "M", "zeros, constant, reflect, symmetric, replicate, circular")
      ->capture_default_str();
  add("--padding-value", options->padding_value, "V", "for --padding-mode constant");
  add_run_options(command, options->run);
  command.callback([options, &action] { action = [options] { return run_edges(*options); }; });
}

}  // namespace convtool
