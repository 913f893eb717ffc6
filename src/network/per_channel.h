// Numbers for all channels, or one per channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace convtool {

/// The number of `channel` in a list of one for all channels, of one per channel, or without any for `otherwise`.
template <class Number>
double number_of_channel(const std::vector<Number>& list, std::int64_t channel, double otherwise) {
  if (list.empty()) return otherwise;
  return static_cast<double>(list[list.size() == 1 ? 0 : static_cast<std::size_t>(channel)]);
}

}  // namespace convtool
