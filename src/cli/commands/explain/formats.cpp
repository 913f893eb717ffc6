#include "cli/commands/explain/formats.h"

#include "pictures/encode_image.h"
#include "show/explain/explanation_text.h"
#include "show/explain/figure.h"

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
  return encode_image(to_image(figure(request)), *find_picture_format("png"));
}

constexpr ExplainFormat kFormats[] = {{"text", ".txt", true, write_text},
                                      {"json", ".json", true, write_json},
                                      {"svg", ".svg", true, write_svg},
                                      {"png", ".png", false, write_png}};

}  // namespace

std::span<const ExplainFormat> explain_formats() { return kFormats; }

std::vector<std::string_view> explain_format_words() {
  std::vector<std::string_view> words;
  for (const ExplainFormat& format : kFormats) words.push_back(format.name);
  return words;
}

}  // namespace convtool
