#include "kernels/onnx/step.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "kernels/files/weight_file.h"

namespace convtool {

std::string list_text(const std::vector<std::int64_t>& numbers) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(numbers.size(), kMost); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(numbers[i]);
  return "[" + text + (numbers.size() > kMost ? ", ...]" : "]");
}

Pads pads_of(const std::vector<std::int64_t>& sides) {
  if (sides.size() != 4) throw Stop{"its pads are " + list_text(sides) + " (expected four)"};
  if (std::any_of(sides.begin(), sides.end(), [](std::int64_t side) { return side < 0 || side > kLargestParameter; }))
    throw Stop{"its pads are " + list_text(sides) + " (expected 0 to " + std::to_string(kLargestParameter) + ")"};
  return {sides[0], sides[1], sides[2], sides[3]};
}

std::int64_t Step::integer(std::string_view attribute, std::int64_t otherwise) const {
  const OnnxAttribute* const found = find_attribute(node, attribute);
  if (found == nullptr) return otherwise;
  if (!found->integer) throw Stop{"its " + std::string(attribute) + " is not an integer"};
  return *found->integer;
}

double Step::real(std::string_view attribute, double otherwise) const {
  const OnnxAttribute* const found = find_attribute(node, attribute);
  if (found == nullptr) return otherwise;
  if (!found->real) throw Stop{"its " + std::string(attribute) + " is not a float"};
  return static_cast<double>(*found->real);
}

std::string_view Step::word(std::string_view attribute, std::string_view otherwise) const {
  const OnnxAttribute* const found = find_attribute(node, attribute);
  if (found == nullptr) return otherwise;
  if (!found->text) throw Stop{"its " + std::string(attribute) + " is not a text"};
  return *found->text;
}

std::vector<std::int64_t> Step::integers(std::string_view attribute) const {
  const OnnxAttribute* const found = find_attribute(node, attribute);
  return found == nullptr ? std::vector<std::int64_t>{} : found->integers;
}

Extent Step::extent(std::string_view attribute) const {
  const std::vector<std::int64_t> sizes = integers(attribute);
  if (sizes.empty()) return {};
  const auto is_size = [](std::int64_t size) { return size >= 1 && size <= kLargestParameter; };
  if (sizes.size() != 2 || !std::all_of(sizes.begin(), sizes.end(), is_size))
    throw Stop{"its " + std::string(attribute) + " are " + list_text(sizes) + " (expected [h, w], each from 1 on)"};
  return {sizes[0], sizes[1]};
}

Padding Step::padding() const {
  constexpr std::pair<std::string_view, Padding::Rule> kRules[] = {{"NOTSET", Padding::Rule::fixed},
                                                                   {"VALID", Padding::Rule::fixed},
                                                                   {"SAME_UPPER", Padding::Rule::same},
                                                                   {"SAME_LOWER", Padding::Rule::same_lower}};
  const std::string_view given = word("auto_pad", "NOTSET");
  const auto rule =
      std::find_if(std::begin(kRules), std::end(kRules), [given](const auto& r) { return r.first == given; });
  if (rule == std::end(kRules)) throw Stop{"its auto_pad is '" + std::string(given) + "'"};
  const std::vector<std::int64_t> sides = integers("pads");
  if (given != "NOTSET" || sides.empty()) return {.rule = rule->second};
  return {.pads = pads_of(sides)};
}

std::optional<Constant> Step::constant_of(std::string_view value) const {
  try {
    return graph.constant(value, kMostReferredWeights - layers.weight_count());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kernel) throw;
    const std::string text = error.what(), model = printable(graph.file().path()) + ": ";
    throw Stop{text.starts_with(model) ? text.substr(model.size()) : text};
  }
}

std::optional<double> Step::other_number() const {
  if (node.inputs.size() != 2) return std::nullopt;
  const std::optional<Constant> constant = constant_of(other_operand());
  if (!constant || constant->values.size() != 1) return std::nullopt;
  return constant->values.front();
}

Constant Step::constant(std::size_t i, std::string_view what) const {
  if (!has_input(i)) throw Stop{"it has no " + std::string(what)};
  if (auto constant = constant_of(node.inputs[i])) return *std::move(constant);
  if (graph.depends_on_size(node.inputs[i]))
    throw Stop{"its " + std::string(what) +
               " must not depend on the size of the picture; export the model with a fixed height and width, and with "
               "constants folded"};
  const OnnxNode* const writer = graph.writer(node.inputs[i]);
  throw Stop{"its " + std::string(what) + " must be stored in the model" +
             (writer == nullptr ? "" : ", not computed by node " + title_of(*writer))};
}

double Step::real(std::size_t i, std::string_view attribute, double otherwise) const {
  if (!has_input(i)) return real(attribute, otherwise);
  const std::vector<double> numbers = constant(i, attribute).values;
  if (numbers.size() > 1)
    throw Stop{"its " + std::string(attribute) + " has " + std::to_string(numbers.size()) + " numbers (expected one)"};
  return numbers.empty() ? otherwise : numbers.front();
}

std::vector<std::int64_t> Step::integers(std::size_t i, std::string_view attribute) const {
  if (!has_input(i)) return integers(attribute);
  std::vector<std::int64_t> list;
  for (const double value : constant(i, attribute).values) {
    if (!(std::fabs(value) <= static_cast<double>(kLargestParameter)))
      throw Stop{"its " + std::string(attribute) + " contain " + to_text(value)};
    list.push_back(static_cast<std::int64_t>(value));
  }
  return list;
}

}  // namespace convtool
