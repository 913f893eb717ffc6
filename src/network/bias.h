// How many biases a kernel takes.
#pragma once

#include <cstdint>
#include <string>

namespace convtool {

/// In messages, what `c_o` output channels take: "one number", or "1 or 3 numbers".
inline std::string bias_sizes(std::int64_t c_o) {
  return c_o == 1 ? "one number" : "1 or " + std::to_string(c_o) + " numbers";
}

/// The end of a message about another number of biases.
inline std::string bias_remedy(std::int64_t c_o) {
  return c_o == 1 ? "" : "; give one number, or one per output channel";
}

}  // namespace convtool
