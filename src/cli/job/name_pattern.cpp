#include "cli/job/name_pattern.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/suggest.h"

namespace convtool {
namespace {

constexpr const char* kPatternWords = "{dir}, {stem}, {name}, {kernel}, {n}, {ext}, or {{ for {";

/// In the place of {n}; no name of a file has it.
constexpr char kNumber = '\0';

}  // namespace

std::string fill_in(const char* option, const std::string& pattern, const NameParts& parts) {
  const std::pair<std::string_view, std::string_view> words[] = {{"dir", parts.dir},
                                                                 {"stem", parts.stem},
                                                                 {"name", parts.name},
                                                                 {"kernel", parts.kernel},
                                                                 {"n", std::string_view(&kNumber, 1)},
                                                                 {"ext", parts.ext}};
  std::string name;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '{' || pattern.substr(at, 2) == "{{") {
      name += pattern[at];
      if (pattern.substr(at, 2) == "{{" || pattern.substr(at, 2) == "}}") ++at;
      continue;
    }
    const std::size_t end = std::min(pattern.find('}', at), pattern.size());
    const std::string word = pattern.substr(at + 1, end - at - 1);
    const auto known = std::find_if(std::begin(words), std::end(words), [&](const auto& w) { return w.first == word; });
    if (end == pattern.size())
      refuse_usage(option,
                   "'" + pattern.substr(at) + "' in '" + pattern + "' has no } (expected " + kPatternWords + ")");
    if (known == std::end(words))
      refuse_usage(option, "unknown '{" + word + "}' in '" + pattern + "' (expected " + kPatternWords + ")" +
                               suggestion(word, {"dir", "stem", "name", "kernel", "n", "ext"}));
    name += known->second;
    at = end;
  }
  return name;
}

std::string with_number(const std::string& filled, std::int64_t number) {
  constexpr std::size_t kDigits = 4;
  std::string digits = std::to_string(number);
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  std::string name;
  for (const char c : filled) c == kNumber ? name += digits : name += c;
  return name;
}

}  // namespace convtool
