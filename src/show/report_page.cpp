#include "show/report_page.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/printable.h"
#include "core/text.h"
#include "files/json_object.h"
#include "show/base64.h"
#include "show/kernel_drawing.h"
#include "show/page.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

/// The list of `texts`, each of which is freed once it is in the list.
std::string list_of(std::vector<std::string> texts) {
  return json_list(texts, [](std::string& text) { return std::exchange(text, {}); });
}

/// A count of a bin, to three digits or more.
ordered_json count_json(double count) {
  if (count >= 100 || count == std::floor(count)) return static_cast<std::int64_t>(std::llround(count));
  return std::round(count * 10) / 10;
}

ordered_json histogram_json(const Histogram& histogram) {
  ordered_json counts = ordered_json::array();
  for (const std::vector<double>& colour : histogram.counts) {
    ordered_json& list = counts.emplace_back(ordered_json::array());
    for (const double count : colour) list.push_back(count_json(count));
  }
  return {{"low", histogram.low},
          {"high", histogram.high},
          {"is_whole", histogram.is_whole},
          {"at_low", histogram.at_low},
          {"at_high", histogram.at_high},
          {"not_finite", histogram.not_finite},
          {"counts", counts}};
}

ordered_json survey_json(const SurveyResult& survey) {
  const Shape& shape = survey.shape;
  ordered_json json = {{"shape", {shape.n, shape.c, shape.h, shape.w}},
                       {"dtype", to_string(survey.dtype)},
                       {"histogram", histogram_json(survey.histogram)}};
  if (!survey.preview) return json;
  const Preview& preview = *survey.preview;
  json["picture"] = "data:" + std::string(preview.type) + ";base64," + base64(preview.file);
  json["picture_size"] = {preview.shape.h, preview.shape.w};
  json["picture_channels"] = preview.shape.c;
  json["black"] = preview.black;
  json["white"] = preview.white;
  return json;
}

ordered_json head_json(const PageHead& head) {
  ordered_json kernels = ordered_json::array();
  for (const PageFigure& figure : head.kernels) kernels.push_back({{"caption", figure.caption}, {"svg", figure.svg}});
  return {{"command", head.command}, {"options", head.options}, {"kernels", std::move(kernels)}};
}

JsonObject start(const char* kind, const PageHead& head) {
  JsonObject object;
  object.add("kind", kind);
  object.add("head", head_json(head));
  return object;
}

}  // namespace

std::vector<PageFigure> kernel_figures(const Network& network) {
  constexpr std::size_t kMost = 12;
  std::vector<PageFigure> figures;
  std::size_t left_out = 0;
  for (const Bank& bank : network.banks)
    for (const Layer& layer : bank.layers) {
      if (layer.weights.empty()) continue;
      if (figures.size() == kMost) {
        ++left_out;
        continue;
      }
      std::string caption = printable(layer.name) + " " + join_sizes(layer.dimensions());
      if (layer.divisor.size() == 1) caption += ", divided by " + to_text(layer.divisor.front());
      figures.push_back({caption, to_svg(kernel_drawing(layer))});
    }
  if (left_out > 0) figures.back().caption += "; " + std::to_string(left_out) + " more kernels are not shown";
  return figures;
}

std::string to_json(const PageInput& input) {
  JsonObject object;
  object.add_text("report", input.report);
  const auto put_link = [&](const char* key, const std::string& link) {
    if (!link.empty()) object.add(key, link);
  };
  put_link("input_link", input.input_link);
  put_link("output_link", input.output_link);
  const auto put_survey = [&](const char* key, const std::optional<SurveyResult>& survey) {
    if (survey) object.add(key, survey_json(*survey));
  };
  put_survey("before", input.before);
  put_survey("responses", input.responses);
  put_survey("after", input.after);
  put_survey("sheet", input.sheet);
  if (input.kept) object.add("kept", *input.kept);
  object.add("response_count", input.response_count);
  return object.finish();
}

std::string batch_page(const PageHead& head, std::vector<std::string> inputs, std::int64_t not_started, bool has_gaps) {
  const std::string title =
      head.command + ": " + std::to_string(inputs.size()) + (inputs.size() == 1 ? " input" : " inputs");
  JsonObject object = start("batch", head);
  const bool is_linked = inputs.size() + static_cast<std::size_t>(not_started) > kMostPreviews;
  object.add("linked", is_linked || has_gaps);
  object.add("not_started", not_started);
  object.add_text("inputs", list_of(std::move(inputs)));
  return make_page("report", title, object.finish());
}

std::string learn_page(const PageHead& head, const std::string& report, const PageCurve& curve,
                       const std::vector<PagePair>& pairs, std::int64_t pairs_in_all) {
  const auto number_text = [](const auto& number) { return json_dump(number); };
  JsonObject losses;
  losses.add_text("epochs", json_list(curve.epochs, number_text));
  losses.add_text("losses", json_list(curve.losses, number_text));
  losses.add_text("held_out", json_list(curve.held_out, number_text));
  std::vector<std::string> texts;
  for (const PagePair& pair : pairs)
    texts.push_back(json_dump({{"input_name", pair.input},
                               {"target_name", pair.target},
                               {"input", survey_json(pair.before)},
                               {"target", survey_json(pair.target_picture)},
                               {"learned", survey_json(pair.learned)},
                               {"residual", survey_json(pair.residual)}}));
  JsonObject object = start("learn", head);
  object.add_text("report", report);
  object.add_text("curve", losses.finish());
  object.add("pairs_in_all", pairs_in_all);
  object.add_text("pairs", list_of(std::move(texts)));
  return make_page("report", head.command, object.finish());
}

std::string shape_page(const PageHead& head, const std::string& report) {
  JsonObject object = start("shape", head);
  object.add_text("report", report);
  return make_page("report", head.command, object.finish());
}

}  // namespace convtool
