#include "report/learn_report.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/printable.h"
#include "core/text.h"
#include "kernels/files/kernel_writer.h"
#include "report/json_line.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

/// A loss with three decimals, or with four significant digits if it is very small or very large.
std::string loss_text(double loss) {
  constexpr double kLeast = 0.001, kMost = 1e9;
  if (loss != 0 && !(std::fabs(loss) >= kLeast && std::fabs(loss) < kMost)) return short_text(loss);
  return fixed_text(loss, 3);
}

/// JSON has no infinities.
ordered_json number_or_null(std::optional<double> number) {
  return number && std::isfinite(*number) ? ordered_json(*number) : ordered_json();
}

/// Rounds to four decimals, or to more where the largest number would have fewer than four digits.
class Decimals {
 public:
  explicit Decimals(std::span<const float> numbers) {
    double largest = 0;
    for (const float number : numbers) largest = std::max(largest, std::fabs(static_cast<double>(number)));
    const int digits_before = largest > 0 ? static_cast<int>(std::floor(std::log10(largest))) + 1 : 1;
    decimals_ = std::clamp(4 - digits_before, 4, 40);
  }

  ordered_json operator()(float number) const {
    const double rounded = *parse_number<double>(fixed_text(static_cast<double>(number), decimals_));
    if (rounded == std::trunc(rounded) && std::fabs(rounded) < 0x1p53) return static_cast<std::int64_t>(rounded);
    return rounded;
  }

 private:
  int decimals_;
};

/// Numbers, row-major, as nested lists of these dimensions.
ordered_json nested(std::span<const float> numbers, std::span<const std::int64_t> dimensions,
                    const Decimals& decimals) {
  if (dimensions.empty()) return decimals(numbers.front());
  ordered_json list = ordered_json::array();
  const std::size_t part = numbers.size() / static_cast<std::size_t>(dimensions.front());
  for (std::size_t at = 0; at < numbers.size(); at += part)
    list.push_back(nested(numbers.subspan(at, part), dimensions.subspan(1), decimals));
  return list;
}

std::string fit_text(const FitReport& fit) {
  const std::optional<double> r_squared = fit.r_squared();
  return "loss " + loss_text(fit.loss) + ", mean squared error " + short_text(fit.mean_squared_error()) +
         (r_squared ? ", R^2 " + fixed_text(*r_squared, 6) : "");
}

ordered_json fit_json(const FitReport& fit) {
  return {{"loss", number_or_null(fit.loss)},
          {"mean_squared_error", number_or_null(fit.mean_squared_error())},
          {"r_squared", number_or_null(fit.r_squared())},
          {"values", fit.values}};
}

std::string method_text(const LearnReport& report) {
  std::string text;
  if (report.method == "gd") {
    text = "gradient descent (rate " + to_text(*report.rate);
    if (*report.momentum > 0) text += ", momentum " + to_text(*report.momentum);
    text += ", " + counted(*report.epochs, "epoch") + ")";
  } else {
    text = "least squares";
    if (*report.ridge > 0) text += " (ridge " + to_text(*report.ridge) + ")";
    if (*report.rank < *report.columns)
      text += ", rank " + std::to_string(*report.rank) + " of " + std::to_string(*report.columns);
  }
  if (report.divisor) text += ", rounded to " + (*report.divisor > 1 ? "1/" + to_text(*report.divisor) : "integers");
  return text;
}

}  // namespace

std::string epoch_text(std::int64_t epoch, const Loss& loss, bool held_out) {
  return "epoch " + std::to_string(epoch) + ", loss " + loss_text(loss.learned) +
         (held_out ? ", held out " + loss_text(loss.held_out) : "");
}

std::string epoch_json(std::int64_t epoch, const Loss& loss, bool held_out) {
  ordered_json object = {{"version", 1}, {"epoch", epoch}, {"loss", number_or_null(loss.learned)}};
  if (held_out) object["held_out_loss"] = number_or_null(loss.held_out);
  return object.dump();
}

std::string describe_learning(const LearnReport& report) {
  std::string files = report.inputs.front() + " -> " + report.targets.front();
  if (report.inputs.size() > 1) files += " and " + std::to_string(report.inputs.size() - 1) + " more";
  return "learned by " + method_text(report) + " from " + files + "; " + fit_text(report.learned) +
         (report.held_out ? "; held out: " + fit_text(*report.held_out) : "");
}

std::string kernel_json(const LearnReport& report) {
  const Layer& layer = report.layer;
  const Bank bank{.name = layer.name, .description = layer.description, .layers = {layer}};
  return format_kernel_json({.name = layer.name, .description = layer.description, .banks = {bank}});
}

std::string to_text(const LearnReport& report) {
  const Layer& layer = report.layer;
  constexpr std::size_t kMostShown = 1000;
  const std::vector<std::int64_t> dimensions = layer.dimensions();
  std::string text = "weights ";
  text += layer.weights.size() <= kMostShown ? nested(layer.weights, dimensions, Decimals(layer.weights)).dump()
                                             : join_sizes(dimensions) + ", too many to show";
  if (!layer.divisor.empty()) text += " / " + to_text(layer.divisor.front());
  text += "\n";
  if (!layer.bias.empty()) {
    const std::vector<std::int64_t> sizes = {static_cast<std::int64_t>(layer.bias.size())};
    const std::span<const std::int64_t> shown(sizes.data(), layer.bias.size() > 1 ? 1 : 0);
    text += "bias " + nested(layer.bias, shown, Decimals(layer.bias)).dump() + "\n";
  }
  text += fit_text(report.learned) + "; " + method_text(report) + ", " + counted(report.unknowns(), "unknown") +
          " from " + counted(report.learned.values, "value") + "\n";
  if (report.held_out)
    text += "held out: " + fit_text(*report.held_out) + ", " + counted(report.held_out->values, "value") + "\n";
  if (report.round_asked && !report.divisor)
    text += "not rounded: no integers over a power of two up to 1024 fit as well\n";
  if (!report.output.empty()) text += "written to " + printable(report.output) + "\n";
  return text;
}

std::string to_json(const LearnReport& report) {
  ordered_json object = {{"version", 1}, {"status", "ok"}, {"inputs", report.inputs}, {"targets", report.targets}};
  object["output"] = report.output.empty() ? ordered_json() : ordered_json(report.output);
  object["method"] = report.method;
  if (report.method == "gd") {
    object["rate"] = *report.rate;
    object["momentum"] = *report.momentum;
    object["epochs"] = *report.epochs;
  } else {
    object["ridge"] = *report.ridge;
    object["rank"] = *report.rank;
    object["columns"] = *report.columns;
  }
  if (report.round_asked) object["divisor"] = number_or_null(report.divisor);
  object["unknowns"] = report.unknowns();
  object.update(fit_json(report.learned));
  if (report.held_out) object["held_out"] = fit_json(*report.held_out);
  object["kernel"] = ordered_json::parse(kernel_json(report));
  return json_line(object);
}

}  // namespace convtool
