// JSON text to nlohmann values, strictly, with errors that say where.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace convtool {

inline constexpr std::size_t kMaxJsonNesting = 16;

/// Parses `text`. Throws Error(kind, source): with line and column for what is not JSON, NaN and Infinity included;
/// with a JSON pointer (RFC 6901) for duplicate keys and for nesting deeper than kMaxJsonNesting.
nlohmann::json parse_json(std::string_view text, ErrorKind kind, const std::string& source);

/// A block of numbers, row-major.
struct NumberBlock {
  std::vector<std::int64_t> dimensions;
  std::vector<double> values;
};

/// Reads nested lists of numbers that are alike in length at each level. Throws Error(kind, source) naming the JSON
/// pointer below `pointer` where that does not hold: ragged or empty lists, nulls, strings, numbers beyond float32.
NumberBlock read_numbers(const nlohmann::json& value, const std::string& pointer, ErrorKind kind,
                         const std::string& source);

/// Throws Error(kernel, source) for a key of `object`, the outermost, that is none of `known`; suggests the nearest.
void check_known_keys(const nlohmann::json& object, const std::vector<std::string_view>& known,
                      const std::string& source);

/// "/key", with the escapes of RFC 6901: one step of a JSON pointer.
std::string pointer_step(const std::string& key);

/// "null", "a string", "a list", ...: what a JSON value is, for messages.
std::string describe_json(const nlohmann::json& value);

}  // namespace convtool
