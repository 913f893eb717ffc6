#include "kernels/named_kernel.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "kernels/files/kernel_json.h"
#include "kernels/generated.h"
#include "kernels/shipped.h"

namespace convtool {
namespace {

/// Names that other programs use for kernels of ours.
struct Synonym {
  std::string_view name, ours;
};
constexpr Synonym kSynonyms[] = {{"blur", "gaussian"},   {"gauss", "gaussian"}, {"gaussian-blur", "gaussian"},
                                 {"mean", "box"},        {"average", "box"},    {"laplace", "laplacian-4"},
                                 {"mexican-hat", "log"}, {"gray", "luma"},      {"grey", "luma"}};

bool is_generator(std::string_view name) {
  const std::span<const Generator> all = generators();
  return std::any_of(all.begin(), all.end(), [name](const Generator& generator) { return generator.name == name; });
}

/// "gaussian:sigma=2" for 'gaussian sigma=2', 'gaussian(sigma=2)' and 'gaussian,sigma=2'; "" where `text` does not
/// begin with the name of a generator.
std::string with_colon(const std::string& text) {
  const std::size_t end = text.find_first_of(" ,(");
  if (end == std::string::npos || !is_generator(std::string_view(text).substr(0, end))) return "";
  std::string result = text.substr(0, end) + ":";
  for (const char c : text.substr(end)) {
    if (c == ' ' || c == ',') {
      if (!result.ends_with(':') && !result.ends_with(',')) result += ',';
    } else if (c != '(' && c != ')') {
      result += c;
    }
  }
  if (result.ends_with(',')) result.pop_back();
  return result;
}

}  // namespace

std::optional<Network> find_named_kernel(const std::string& text) {
  if (const ShippedKernel* shipped = find_shipped_kernel(text))
    return parse_kernel_json(shipped->json, "kernels/" + text + ".json", text);
  const bool has_parameters = text.find(':') != std::string::npos && with_colon(text).empty();
  if (is_generator(text) || has_parameters) return generate_kernel(text);
  return std::nullopt;
}

Network load_named_kernel(const std::string& text) {
  std::optional<Network> named = find_named_kernel(text);
  if (!named) refuse_kernel("", "no kernel is called '" + printable(text) + "'" + advice_on_name(text));
  return *std::move(named);
}

bool is_kernel_name(const std::string& text) {
  return find_shipped_kernel(text) != nullptr || is_generator(std::string_view(text).substr(0, text.find(':')));
}

std::string advice_on_name(const std::string& name) {
  const std::string spec = with_colon(name);
  if (!spec.empty()) return "; did you mean " + spec + "?";
  if (in_small_letters(name) == "canny") return "; 'convtool edges --thin --hysteresis auto' is a Canny detector";
  for (const Synonym& synonym : kSynonyms)
    if (in_small_letters(name) == synonym.name) return "; did you mean '" + std::string(synonym.ours) + "'?";
  std::vector<std::string_view> known;
  for (const ShippedKernel& kernel : shipped_kernels()) known.push_back(kernel.name);
  for (const Generator& generator : generators()) known.push_back(generator.name);
  const std::string hint = suggestion(name, known);
  return hint.empty() ? "; 'convtool kernels list' shows the names" : hint;
}

}  // namespace convtool
