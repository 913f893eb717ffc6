#include "cli/commands/explain/formats.h"

#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "pictures/encode_image.h"
#include "show/explain/animation.h"
#include "show/explain/explanation_text.h"
#include "show/explain/figure.h"
#include "show/explain_page.h"

namespace convtool {
namespace {

Bytes bytes_of(std::string_view text) {
  const auto* const first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

Bytes write_text(const ExplainRequest& request) {
  return bytes_of(to_text(request.explainer.at(request.at), request.colours));
}

Bytes write_json(const ExplainRequest& request) { return bytes_of(to_json(request.explainer.at(request.at)) + "\n"); }

Drawing figure(const ExplainRequest& request) {
  return step_figure(request.explainer.at(request.at), {.cell = request.cell, .outputs = {}});
}

Bytes write_svg(const ExplainRequest& request) { return bytes_of(to_svg(figure(request))); }

Bytes write_png(const ExplainRequest& request) {
  constexpr double kMostPixels = 1 << 26;
  const Drawing drawing = figure(request);
  if (drawing.width * drawing.height > kMostPixels)
    refuse_shape("", "too large for a picture (" + short_text(drawing.width, 6) + "x" + short_text(drawing.height, 6) +
                         " pixels, at most 2^26 in all); choose a smaller --cell, or write .svg");
  return encode_image(to_image(drawing), *find_picture_format("png"));
}

Bytes write_gif(const ExplainRequest& request) {
  const Shape output = request.trace.output();
  constexpr double kMostOutputs = 0x1p60;
  if (static_cast<double>(output.h) * static_cast<double>(output.w) > kMostOutputs)
    refuse_shape("", "an output of " + join_sizes({output.h, output.w}) +
                         " is too large for an animation; choose .txt, .json or .svg, or a smaller input");
  const std::int64_t step = frame_step(output), outputs = output.h * output.w;
  if (step > 1)
    print_message(MessageKind::note, "an animation has at most " + std::to_string(kMostFrames) +
                                         " frames; it shows one of every " + std::to_string(step) + " of the " +
                                         std::to_string(outputs) + " outputs");
  return animate(request.trace, request.explainer,
                 {.cell = request.cell, .fps = request.fps, .channel = request.at.channel});
}

Bytes write_page(const ExplainRequest& request) { return bytes_of(explain_page(request.trace, request.at)); }

constexpr ExplainFormat kFormats[] = {{"text", ".txt", true, write_text},  {"json", ".json", true, write_json},
                                      {"html", ".html", true, write_page}, {"svg", ".svg", true, write_svg},
                                      {"png", ".png", false, write_png},   {"gif", ".gif", false, write_gif}};

}  // namespace

std::span<const ExplainFormat> explain_formats() { return kFormats; }

std::vector<std::string_view> explain_format_words() {
  std::vector<std::string_view> words;
  for (const ExplainFormat& format : kFormats) words.push_back(format.name);
  return words;
}

}  // namespace convtool
