// The nearest known word to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace convtool {

/// "; did you mean 'sobel'?" when a word of `known` is within a third of the length of `word` in edit distance (the
/// Damerau-Levenshtein distance with adjacent swaps), else "".
std::string suggestion(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace convtool
