// Functions that format and parse text for messages and reports.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convtool {

/// `text` with ASCII letters in lower case.
std::string in_small_letters(std::string_view text);

/// Whether `c` is an ASCII digit, whatever the locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether `path` ends in `extension`, such as ".npy", in any case.
bool has_extension(std::string_view path, std::string_view extension);

/// The shortest decimal text that reads back as the same number: "19", "0.1", "1e-45".
std::string to_text(float number);
std::string to_text(double number);

/// With at most `digits` significant digits, as printf's %.*g in the C locale: "0.1235", "1.235e+09", "12".
std::string short_text(double number, int digits = 4);

/// With exactly `decimals` digits after the point, as printf's %.*f in the C locale: "0.125", "29.8", "30".
std::string fixed_text(double number, int decimals);

/// "1 epoch", "2 epochs".
std::string counted(std::int64_t count, const std::string& one);

/// Parses all of `text` as a number, independently of the locale; nothing if it is not one or is out of range.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The sizes joined by x: "3x480x640".
std::string join_sizes(const std::vector<std::int64_t>& sizes);

}  // namespace convtool
