// Names with words in braces, such as {dir}/{stem}.{ext}, which are filled in for each input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace convtool {

/// What the words stand for.
struct NameParts {
  std::string dir;       ///< {dir}: the folder of the input, "." for the current one
  std::string stem;      ///< {stem}: the name of the input's file without its extension
  std::string name;      ///< {name}: the whole name of the file
  std::string kernel;    ///< {kernel}: what was done
  std::string_view ext;  ///< {ext}: the extension of the output, without a dot
};

/// Whether `name` is such a pattern.
inline bool is_pattern(std::string_view name) { return name.find('{') != std::string_view::npos; }

/// `pattern`, the value of `option`, with the words filled in; {{ and }} stand for { and }. {n} is left to
/// with_number(). Throws Error(usage) for an unknown word, and for a brace that is not closed.
std::string fill_in(const char* option, const std::string& pattern, const NameParts& parts);

/// `filled`, from fill_in(), with `number` in the place of each {n}, as 0001: names of several pictures sort by number.
std::string with_number(const std::string& filled, std::int64_t number);

}  // namespace convtool
