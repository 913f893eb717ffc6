#include "io/shape_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace convtool {
namespace {

using nlohmann::ordered_json;

std::string shape_text(const Shape& shape, int rank) {
  return (rank == 4 ? std::to_string(shape.n) + "x" : "") + std::to_string(shape.c) + "x" + std::to_string(shape.h) +
         "x" + std::to_string(shape.w);
}

/// Whole numbers up to a million in full, larger ones as 1.024e9.
std::string count_text(double count) {
  char text[32];
  std::snprintf(text, sizeof text, count < 1e6 ? "%.0f" : "%.4g", count);
  std::string result = text;
  const std::size_t sign = result.find("e+");
  if (sign != std::string::npos) result.erase(sign + 1, result[sign + 2] == '0' ? 2 : 1);
  return result;
}

std::string formula(const char* axis, std::int64_t in, std::int64_t begin, std::int64_t end, std::int64_t dilation,
                    std::int64_t k, std::int64_t stride, std::int64_t out) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return std::string(axis) + " = floor((" + number(in) + " + " + number(begin) + " + " + number(end) + " - " +
         number(dilation) + "*(" + number(k) + "-1) - 1) / " + number(stride) + ") + 1 = " + number(out);
}

/// Weights of a fully connected layer between the same shapes, for one item.
double dense_weights(const LayerShape& layer) {
  const auto size = [](const Shape& shape) {
    return static_cast<double>(shape.c) * static_cast<double>(shape.h) * static_cast<double>(shape.w);
  };
  return size(layer.problem.input) * size(layer.output);
}

double activation_bytes(const LayerShape& layer) { return static_cast<double>(layer.output.count()) * 4.0; }

std::string layer_text(const LayerShape& layer, int rank) {
  const ConvProblem& p = layer.problem;
  const ReceptiveField& field = layer.receptive_field;
  std::string text = layer.name + ": " + shape_text(p.input, rank) + " -> " + shape_text(layer.output, rank) + "\n";
  text += "  " +
          formula("h", p.input.h, p.pads.top, p.pads.bottom, p.dilation.h, p.kernel.kh, p.stride.h, layer.output.h) +
          "\n";
  text += "  " +
          formula("w", p.input.w, p.pads.left, p.pads.right, p.dilation.w, p.kernel.kw, p.stride.w, layer.output.w) +
          "\n";
  text += "  " + count_text(static_cast<double>(layer.parameters)) + " parameters, " + count_text(layer.macs) +
          " MACs, " + count_text(activation_bytes(layer)) + " bytes of f32 output\n";
  text += "  receptive field " + std::to_string(field.h.size) + "x" + std::to_string(field.w.size) + ", stride " +
          std::to_string(field.h.jump) + "x" + std::to_string(field.w.jump) + ", first at " +
          std::to_string(field.h.start) + "," + std::to_string(field.w.start) + "\n";
  text += "  a fully connected layer between these shapes: " + count_text(dense_weights(layer)) + " weights\n";
  return text;
}

double total_macs(const ShapeReport& report) {
  double macs = 0;
  for (const LayerShape& layer : report.layers) macs += layer.macs;
  return macs;
}

std::int64_t total_parameters(const ShapeReport& report) {
  std::int64_t parameters = 0;
  for (const LayerShape& layer : report.layers) parameters += layer.parameters;
  return parameters;
}

ordered_json to_object(const Shape& output, int rank, double macs, std::int64_t parameters,
                       const ReceptiveField& field) {
  ordered_json object;
  object["output_shape"] = {output.c, output.h, output.w};
  if (rank == 4) object["output_shape"].insert(object["output_shape"].begin(), output.n);
  object["macs"] = macs < 9e15 ? ordered_json(static_cast<std::int64_t>(macs)) : ordered_json(macs);
  object["parameters"] = parameters;
  object["receptive_field"] = {{"size", {field.h.size, field.w.size}},
                               {"stride", {field.h.jump, field.w.jump}},
                               {"offset", {field.h.start, field.w.start}}};
  return object;
}

}  // namespace

std::string to_text(const ShapeReport& report) {
  std::string text = shape_text(report.layers.back().output, report.rank) + "\n";
  for (const LayerShape& layer : report.layers) text += layer_text(layer, report.rank);
  if (report.layers.size() > 1) {
    text += "in all: " + count_text(static_cast<double>(total_parameters(report))) + " parameters, " +
            count_text(total_macs(report)) + " MACs\n";
  }
  return text;
}

std::string to_json(const ShapeReport& report) {
  const LayerShape& last = report.layers.back();
  ordered_json object =
      to_object(last.output, report.rank, total_macs(report), total_parameters(report), last.receptive_field);
  object["layers"] = ordered_json::array();
  for (const LayerShape& layer : report.layers) {
    ordered_json& item = object["layers"].emplace_back(
        to_object(layer.output, report.rank, layer.macs, layer.parameters, layer.receptive_field));
    item["name"] = layer.name;
    item["activation_bytes"] = activation_bytes(layer);
    item["fully_connected_weights"] = dense_weights(layer);
  }
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace convtool
