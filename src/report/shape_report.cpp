#include "report/shape_report.h"

#include <algorithm>

#include "conv/plan.h"
#include "core/printable.h"
#include "core/text.h"
#include "files/json_object.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

std::string shape_text(const Shape& shape, int rank) { return join_sizes(sizes_of(shape, std::max(rank, 3))); }

/// Whole numbers below a million in full, larger ones as 1.024e9.
std::string count_text(double count) {
  std::string result = count < 1e6 ? fixed_text(count, 0) : short_text(count);
  const std::size_t sign = result.find("e+");
  if (sign != std::string::npos) result.erase(sign + 1, result[sign + 2] == '0' ? 2 : 1);
  return result;
}

/// Parameters in full, with commas: "138,357,544". Published networks are compared by them.
std::string parameters_text(double count) {
  std::string text = fixed_text(count, 0);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

/// Elements of one item of a batch.
double element_count(const Shape& shape) {
  return static_cast<double>(shape.c) * static_cast<double>(shape.h) * static_cast<double>(shape.w);
}

/// The costs of one bank or of all.
struct Costs {
  Shape input, output;
  double macs = 0, parameters = 0;
  double activation_bytes = 0;  ///< of every output, in f32
  double seconds = 0;
  ReceptiveField receptive_field;

  /// Weights of a fully connected layer between the same shapes, for one item.
  double dense_weights() const { return element_count(input) * element_count(output); }
  double gmac_per_second() const { return macs / seconds * 1e-9; }
};

Costs costs_of(const BankShape& bank) {
  return {.input = bank.problem.input,
          .output = bank.output,
          .macs = bank.macs,
          .parameters = static_cast<double>(bank.parameters),
          .activation_bytes = static_cast<double>(bank.output.n) * element_count(bank.output) * size_of(DType::f32),
          .seconds = bank.timing ? bank.timing->seconds : 0,
          .receptive_field = bank.receptive_field};
}

Costs costs_of_all(const ShapeReport& report) {
  Costs all = costs_of(report.banks.front());
  for (std::size_t i = 1; i < report.banks.size(); ++i) {
    const Costs one = costs_of(report.banks[i]);
    all.macs += one.macs;
    all.parameters += one.parameters;
    all.activation_bytes += one.activation_bytes;
    all.seconds += one.seconds;
    all.output = one.output;
    all.receptive_field = one.receptive_field;
  }
  return all;
}

bool is_timed(const ShapeReport& report) { return report.banks.front().timing.has_value(); }

/// The centre of the receptive field of the first output; for an even size it lies between two pixels.
double first_centre(const ReceptiveAxis& axis) {
  return static_cast<double>(axis.first(0)) + static_cast<double>(axis.size - 1) / 2;
}

/// The distance between the fields of neighbouring outputs: "2x2", or "1/2x1/2" after upsampling.
std::string jump_text(const ReceptiveField& field) { return field.h.jump_text() + "x" + field.w.jump_text(); }

ordered_json jump_json(const ReceptiveAxis& axis) {
  if (axis.parts == 1) return axis.jump;
  return static_cast<double>(axis.jump) / static_cast<double>(axis.parts);
}

std::string centre_text(const ReceptiveField& field) {
  return to_text(first_centre(field.h)) + "," + to_text(first_centre(field.w));
}

/// The conditions of --time: "on f32 noise, 2 threads, AVX2".
std::string timing_text(const ShapeReport& report) {
  const DType first = report.banks.front().problem.input_dtype;
  return "on " + std::string(to_string(first)) + " noise" +
         (first != DType::f32 && report.banks.size() > 1 ? ", f32 from the second layer on" : "") + ", " +
         std::to_string(report.threads) + (report.threads == 1 ? " thread, " : " threads, ") +
         std::string(instruction_set_in_use());
}

std::string one_bank_text(const ShapeReport& report) {
  const BankShape& bank = report.banks.front();
  const Costs costs = costs_of(bank);
  const ReceptiveField& field = bank.receptive_field;
  std::string text = printable(bank.name) + ": " + shape_text(costs.input, report.rank) + " -> " +
                     shape_text(costs.output, report.rank) + "\n";
  for (const std::string& formula : bank.formulas) text += "  " + formula + "\n";
  text += "  " + parameters_text(costs.parameters) + (costs.parameters == 1 ? " parameter, " : " parameters, ") +
          count_text(costs.macs) + " MACs, " + count_text(costs.activation_bytes) + " bytes of f32 output\n";
  text += "  receptive field " + join_sizes({field.h.size, field.w.size}) + ", stride " + jump_text(field) +
          ", first at " + std::to_string(field.h.first(0)) + "," + std::to_string(field.w.first(0)) +
          ", its centre at " + centre_text(field) + "\n";
  text += "  a fully connected layer between these shapes: " + count_text(costs.dense_weights()) + " weights\n";
  if (bank.timing) {
    text += "  " + short_text(costs.seconds * 1e3) + " ms, " + short_text(costs.gmac_per_second()) +
            " GMAC/s, algorithm " + bank.timing->algorithm + ", " + timing_text(report) + "\n";
  }
  return text;
}

/// Rows of cells under a header. Columns are two spaces apart; those of numbers are right-aligned.
class Table {
 public:
  struct Column {
    std::string head;
    bool is_number;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {
    for (const Column& column : columns_) widths_.push_back(column.head.size());
  }

  void add(std::vector<std::string> row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], row[i].size());
    rows_.push_back(std::move(row));
  }

  std::string text() const {
    std::vector<std::string> head;
    for (const Column& column : columns_) head.push_back(column.head);
    std::string all = line(head);
    for (const auto& row : rows_) all += line(row);
    return all;
  }

 private:
  std::string line(const std::vector<std::string>& row) const {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths_[i] - row[i].size(), ' ');
      text += (i == 0 ? "" : "  ") + (columns_[i].is_number ? space + row[i] : row[i] + space);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  }

  std::vector<Column> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

std::string several_banks_text(const ShapeReport& report) {
  std::vector<Table::Column> columns = {{"layer", true},          {"kernel", false}, {"input -> output", false},
                                        {"parameters", true},     {"MACs", true},    {"bytes", true},
                                        {"field", true},          {"stride", true},  {"centre of first", true},
                                        {"fully connected", true}};
  if (is_timed(report)) columns.insert(columns.end(), {{"ms", true}, {"GMAC/s", true}, {"algorithm", false}});
  Table table(columns);
  const auto add = [&](std::string layer, std::string kernel, const Costs& costs, std::string algorithm) {
    const ReceptiveField& field = costs.receptive_field;
    std::vector<std::string> row = {
        std::move(layer),
        std::move(kernel),
        shape_text(costs.input, report.rank) + " -> " + shape_text(costs.output, report.rank),
        parameters_text(costs.parameters),
        count_text(costs.macs),
        count_text(costs.activation_bytes),
        join_sizes({field.h.size, field.w.size}),
        jump_text(field),
        centre_text(field),
        count_text(costs.dense_weights())};
    if (is_timed(report)) {
      row.insert(row.end(),
                 {short_text(costs.seconds * 1e3), short_text(costs.gmac_per_second()), std::move(algorithm)});
    }
    table.add(std::move(row));
  };
  std::string formulas;
  for (std::size_t i = 0; i < report.banks.size(); ++i) {
    const BankShape& bank = report.banks[i];
    const std::string number = std::to_string(i + 1), name = printable(bank.name);
    add(number, name == bank.kernel || bank.kernel.empty() ? name : name + " " + bank.kernel, costs_of(bank),
        bank.timing ? bank.timing->algorithm : "");
    if (!bank.formulas.empty())
      formulas += "layer " + number + ": " + bank.formulas.front() + ", " + bank.formulas.back() + "\n";
  }
  add("all", "", costs_of_all(report), "");
  return table.text() +
         "bytes: size of the output in f32; field: receptive field; fully connected: weights of such a layer\n" +
         (is_timed(report) ? "timed " + timing_text(report) + "\n" : "") + formulas;
}

/// A count as JSON: whole where that is exact.
ordered_json count_json(double count) {
  return count < 9e15 ? ordered_json(static_cast<std::int64_t>(count)) : ordered_json(count);
}

ordered_json to_object(const Costs& costs, int rank, bool timed) {
  const ReceptiveField& field = costs.receptive_field;
  ordered_json object;
  object["input_shape"] = sizes_of(costs.input, std::max(rank, 3));
  object["output_shape"] = sizes_of(costs.output, std::max(rank, 3));
  object["macs"] = count_json(costs.macs);
  object["parameters"] = count_json(costs.parameters);
  object["receptive_field"] = {{"size", {field.h.size, field.w.size}},
                               {"stride", {jump_json(field.h), jump_json(field.w)}},
                               {"offset", {field.h.first(0), field.w.first(0)}},
                               {"centre", {first_centre(field.h), first_centre(field.w)}}};
  object["activation_bytes"] = count_json(costs.activation_bytes);
  object["fully_connected_weights"] = count_json(costs.dense_weights());
  if (timed) {
    object["seconds"] = costs.seconds;
    object["gmac_per_second"] = costs.gmac_per_second();
  }
  return object;
}

}  // namespace

std::string to_text(const ShapeReport& report) {
  return shape_text(report.banks.back().output, report.rank) + "\n" +
         (report.banks.size() == 1 ? one_bank_text(report) : several_banks_text(report));
}

std::string to_json(const ShapeReport& report) {
  const bool timed = is_timed(report);
  JsonObject object;
  object.add("version", 1);
  object.add("status", report.failure ? "error" : "ok");
  if (report.failure)
    object.add("error", {{"kind", to_string(report.failure->kind())}, {"message", report.failure->what()}});
  const ordered_json all = to_object(costs_of_all(report), report.rank, timed);
  for (const auto& [key, value] : all.items()) object.add(key, value);
  if (timed) {
    object.add("threads", report.threads);
    object.add("instruction_set", instruction_set_in_use());
  }
  object.add_text("layers", json_list(report.banks, [&](const BankShape& bank) {
                    ordered_json item = to_object(costs_of(bank), report.rank, timed);
                    item["name"] = bank.name;
                    item["kernel"] = bank.kernel;
                    if (bank.source) item["reads"] = *bank.source + 1;
                    if (bank.addend) item["adds"] = *bank.addend + 1;
                    if (timed) item["algorithm"] = bank.timing->algorithm;
                    return json_dump(item);
                  }));
  return printable_json(object.finish());
}

}  // namespace convtool
