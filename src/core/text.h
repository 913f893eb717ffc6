// Small pieces of text that messages and reports are made of.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convtool {

/// `text` with the letters of ASCII made small.
std::string in_small_letters(std::string_view text);

/// Whether `path` ends in `extension`, ".npy", in capitals or not.
bool has_extension(std::string_view path, std::string_view extension);

/// `text` on one line: control characters, which a file or kernel name may hold, as \n, \t or \xNN.
std::string printable(std::string_view text);

/// The shortest decimal text that reads back as the same number: "19", "0.1", "1e-45".
std::string to_text(float number);
std::string to_text(double number);

/// With at most `digits` significant digits, as printf's %.*g in the C locale: "0.1235", "1.235e+09", "12".
std::string short_text(double number, int digits = 4);

/// With exactly `decimals` digits after the point, as printf's %.*f in the C locale: "0.125", "29.8", "30".
std::string fixed_text(double number, int decimals);

/// "1 epoch", "2 epochs".
std::string counted(std::int64_t count, const std::string& one);

/// The number that the whole of `text` is, whatever the locale; nothing when it is none or out of range.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "3x480x640".
std::string join_sizes(const std::vector<std::int64_t>& sizes);

}  // namespace convtool
