#include "cli/job/name_pattern.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/suggest.h"

namespace convtool {
namespace {

constexpr const char* kPatternWords = "{dir}, {stem}, {name}, {kernel}, {ext}, or {{ for {";

}  // namespace

std::string fill_in(const char* option, const std::string& pattern, const NameParts& parts) {
  const std::pair<std::string_view, std::string_view> words[] = {
      {"dir", parts.dir}, {"stem", parts.stem}, {"name", parts.name}, {"kernel", parts.kernel}, {"ext", parts.ext}};
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
                               suggestion(word, {"dir", "stem", "name", "kernel", "ext"}));
    name += known->second;
    at = end;
  }
  return name;
}

}  // namespace convtool
