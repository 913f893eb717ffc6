// A strict JSON parser on top of nlohmann/json. Every error names the place in the text.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace convtool {

/// The deepest nesting of lists and objects that parse_json() accepts.
inline constexpr std::size_t kMaxJsonNesting = 16;

/// "line 3, column 7", of the last of the first `position` characters.
std::string position_text(std::string_view text, std::size_t position);

/// Parses `text`. Throws Error(kind, source), with line and column for invalid JSON, which includes NaN and Infinity,
/// and with a JSON pointer (RFC 6901) for a duplicate key and for nesting deeper than kMaxJsonNesting.
nlohmann::json parse_json(std::string_view text, ErrorKind kind, const std::string& source);

/// A block of numbers, row-major.
struct NumberBlock {
  std::vector<std::int64_t> dimensions;
  std::vector<double> values;
  std::int64_t rounded = 0;  ///< how many are integers with more digits than a float has
};

/// Reads nested lists of numbers in which all lists of one level have the same length. A bare number is a block without
/// dimensions. `pointer` is the JSON pointer of `value`. Throws Error(kind, source) with the pointer of the offending
/// element: a ragged or empty list, something other than a number, or a number beyond float32.
NumberBlock read_numbers(const nlohmann::json& value, const std::string& pointer, ErrorKind kind,
                         const std::string& source);

/// Throws Error(kind, source) with the JSON pointer of the first key of `object` that is not in `known`. The message
/// suggests the nearest known key, or lists all of them. `pointer` is the JSON pointer of `object`, "" for the
/// document.
void check_known_keys(const nlohmann::json& object, const std::string& pointer,
                      const std::vector<std::string_view>& known, ErrorKind kind, const std::string& source);

/// Throws Error(kind, source) with "POINTER: message", or `message` alone where `pointer` is "".
[[noreturn]] void throw_at(const std::string& pointer, const std::string& message, ErrorKind kind,
                           const std::string& source);

/// One step of a JSON pointer: "/key", with the escapes of RFC 6901.
std::string pointer_step(const std::string& key);

/// A JSON value in words, for messages: "null", "the number 2", "a list", ...
std::string describe_json(const nlohmann::json& value);

}  // namespace convtool
