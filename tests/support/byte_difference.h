// How two runs of bytes that should be equal differ, said so that a failure that does not come again can be understood.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

namespace convtool::testing {

/// Empty if they are equal.
inline std::string byte_difference(std::span<const std::byte> got, std::span<const std::byte> expected) {
  const auto [end, expected_end] = std::mismatch(got.begin(), got.end(), expected.begin(), expected.end());
  if (end == got.end() && expected_end == expected.end()) return "";
  const auto first = static_cast<std::size_t>(end - got.begin());
  const std::size_t shorter = std::min(got.size(), expected.size());
  std::size_t count = 0;
  for (std::size_t i = first; i < shorter; ++i) count += got[i] != expected[i] ? 1 : 0;
  const auto byte_at = [first](std::span<const std::byte> bytes) {
    return first < bytes.size() ? std::to_string(std::to_integer<int>(bytes[first])) : "none";
  };
  return std::to_string(got.size()) + " bytes, expected " + std::to_string(expected.size()) + "; byte " +
         std::to_string(first) + " is " + byte_at(got) + ", expected " + byte_at(expected) + "; " +
         std::to_string(count) + " of the first " + std::to_string(shorter) + " differ";
}

}  // namespace convtool::testing
