#include "io/shape_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

std::string shape_text(const Shape& shape, int rank) {
  return rank == 4 ? join_sizes({shape.n, shape.c, shape.h, shape.w}) : join_sizes({shape.c, shape.h, shape.w});
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

/// Elements of one item of a batch.
double element_count(const Shape& shape) {
  return static_cast<double>(shape.c) * static_cast<double>(shape.h) * static_cast<double>(shape.w);
}

/// Weights of a fully connected layer between the same shapes, for one item.
double dense_weights(const BankShape& bank) { return element_count(bank.problem.input) * element_count(bank.output); }

double activation_bytes(const BankShape& bank) {
  return static_cast<double>(bank.output.n) * element_count(bank.output) * 4.0;
}

std::string bank_text(const BankShape& bank, int rank) {
  const ConvProblem& p = bank.problem;
  const ReceptiveField& field = bank.receptive_field;
  std::string text =
      printable(bank.name) + ": " + shape_text(p.input, rank) + " -> " + shape_text(bank.output, rank) + "\n";
  text += "  " +
          formula("h", p.input.h, p.pads.top, p.pads.bottom, p.dilation.h, p.kernel.kh, p.stride.h, bank.output.h) +
          "\n";
  text += "  " +
          formula("w", p.input.w, p.pads.left, p.pads.right, p.dilation.w, p.kernel.kw, p.stride.w, bank.output.w) +
          "\n";
  text += "  " + count_text(static_cast<double>(bank.parameters)) + " parameters, " + count_text(bank.macs) +
          " MACs, " + count_text(activation_bytes(bank)) + " bytes of f32 output\n";
  text += "  receptive field " + std::to_string(field.h.size) + "x" + std::to_string(field.w.size) + ", stride " +
          std::to_string(field.h.jump) + "x" + std::to_string(field.w.jump) + ", first at " +
          std::to_string(field.h.start) + "," + std::to_string(field.w.start) + "\n";
  text += "  a fully connected layer between these shapes: " + count_text(dense_weights(bank)) + " weights\n";
  return text;
}

double total_macs(const ShapeReport& report) {
  double macs = 0;
  for (const BankShape& bank : report.banks) macs += bank.macs;
  return macs;
}

std::int64_t total_parameters(const ShapeReport& report) {
  std::int64_t parameters = 0;
  for (const BankShape& bank : report.banks) parameters += bank.parameters;
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
  std::string text = shape_text(report.banks.back().output, report.rank) + "\n";
  for (const BankShape& bank : report.banks) text += bank_text(bank, report.rank);
  if (report.banks.size() > 1) {
    text += "in all: " + count_text(static_cast<double>(total_parameters(report))) + " parameters, " +
            count_text(total_macs(report)) + " MACs\n";
  }
  return text;
}

std::string to_json(const ShapeReport& report) {
  const BankShape& last = report.banks.back();
  ordered_json object =
      to_object(last.output, report.rank, total_macs(report), total_parameters(report), last.receptive_field);
  object["layers"] = ordered_json::array();
  for (const BankShape& bank : report.banks) {
    ordered_json& item = object["layers"].emplace_back(
        to_object(bank.output, report.rank, bank.macs, bank.parameters, bank.receptive_field));
    item["name"] = bank.name;
    item["activation_bytes"] = activation_bytes(bank);
    item["fully_connected_weights"] = dense_weights(bank);
  }
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace convtool
