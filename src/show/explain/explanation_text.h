// An explanation as text for a terminal, and as JSON.
#pragma once

#include <string>

#include "show/explain/explanation.h"

namespace convtool {

/// The kernels that are printed whole; of larger ones the middle is.
inline constexpr std::int64_t kLargestShown = 11;

/// The output and its value on the first line. For each layer, from the last one back to the first, and each of its
/// input channels: the window, the weights, the products and their sum, next to each other where they fit into 80
/// columns; values that stand in for pixels outside are in parentheses. Then the steps from the sum to the stored
/// value. With `colours`, positive weights and products are orange, negative ones blue (ECMA-48, SGR, with xterm's 256
/// colours). Numbers have at most 6 significant digits, those of kernels of more than 5 columns fewer; where one is
/// rounded, the last line says so.
std::string to_text(const Explanation& explanation, bool colours);

/// One JSON object on one line, without a newline. The numbers are exact: floats are the shortest text that reads back
/// as the same float; products and sums are doubles. What is missing or not finite is null.
std::string to_json(const Explanation& explanation);

}  // namespace convtool
