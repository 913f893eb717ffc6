// Internal to tensors/: tables of numbers in text, such as CSV.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convtool {

/// Whether the first 4096 bytes are numbers, spaces and separators, and begin with a number.
bool looks_like_table(std::string_view text);

struct Table {
  std::int64_t rows = 0, columns = 0;
  std::vector<float> values;  ///< row by row
  std::int64_t rounded = 0;   ///< integers that f32 does not hold
};

/// Reads lines of numbers between commas; where the first line has none, between semicolons, or else between tabs or
/// spaces. Empty lines and lines that begin with # are skipped. Throws Error(input, source) with line and column: no
/// numbers, another number of columns than in the first line, something other than a number, or one beyond float32.
Table parse_table(std::string_view text, const std::string& source);

}  // namespace convtool
