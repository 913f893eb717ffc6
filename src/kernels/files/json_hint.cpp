#include "kernels/files/json_hint.h"

#include <algorithm>
#include <cstdint>

#include "core/text.h"

namespace convtool {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// `text` with every string in double quotes blanked out, so that positions stay the same.
std::string without_strings(std::string_view text) {
  std::string result(text);
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i] != '"') continue;
    std::size_t end = i + 1;
    while (end < result.size() && result[end] != '"') end += result[end] == '\\' ? 2 : 1;
    end = std::min(end + 1, result.size());
    std::fill(result.begin() + static_cast<std::ptrdiff_t>(i), result.begin() + static_cast<std::ptrdiff_t>(end), '"');
    i = end - 1;
  }
  return result;
}

/// The end of the run of characters from `begin` on for which `is_part` is true.
template <class Predicate>
std::size_t run_end(std::string_view text, std::size_t begin, const Predicate& is_part) {
  while (begin < text.size() && is_part(text[begin])) ++begin;
  return begin;
}

/// The hint for the text that begins at `at`, or "".
std::string hint_at(std::string_view text, std::size_t at) {
  const char before = at == 0 ? ' ' : text[at - 1];
  const auto digits = [&] { return text.substr(at + 1, run_end(text, at + 1, is_digit) - at - 1); };
  constexpr std::size_t kMostDigits = 20;
  if (text[at] == '\'') return "JSON needs double quotes: {\"weight\": [[1, -1]]}";
  if (text[at] == '.' && !is_digit(before) && !digits().empty()) {
    const std::string fraction = "." + std::string(digits().substr(0, kMostDigits));
    return "write 0" + fraction + " instead of " + fraction;
  }
  if (text[at] == '/' && is_digit(before) && !digits().empty()) {
    return "fractions are not JSON; write the numerator and \"divisor\": " +
           std::string(digits().substr(0, kMostDigits)) + ", as in {\"weight\": [[1, 1]], \"divisor\": 9}";
  }
  if (is_letter(text[at]) && !is_letter(before)) {
    const std::size_t colon = run_end(text, run_end(text, at, is_letter), is_space);
    if (colon < text.size() && text[colon] == ':')
      return "keys need double quotes; in a shell, put the whole JSON in single quotes: '{\"weight\": [[1, -1]]}'";
  }
  return "";
}

}  // namespace

std::string json_hint(std::string_view text) {
  const std::string bare = without_strings(text);
  for (std::size_t at = 0; at < bare.size(); ++at) {
    std::string hint = hint_at(bare, at);
    if (!hint.empty()) return hint;
  }
  return "";
}

bool ends_inside_brackets(std::string_view text) {
  std::int64_t open = 0;
  for (const char c : without_strings(text)) open += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
  return open > 0;
}

}  // namespace convtool
