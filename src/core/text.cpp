#include "core/text.h"

#include "core/error.h"

namespace convtool {
namespace {

/// `number` in `format`, with `precision` digits as that format counts them.
std::string with_precision(double number, std::chars_format format, int precision) {
  constexpr int kMostPrecision = 64;
  require(precision >= 0 && precision <= kMostPrecision, "a number printed with more than 64 digits");
  char text[384];  // 309 digits before the point, a sign, a point, 64 digits
  return {text, std::to_chars(text, text + sizeof text, number, format, precision).ptr};
}

template <class Number>
std::string shortest(Number number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

}  // namespace

std::string in_small_letters(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

bool has_extension(std::string_view path, std::string_view extension) {
  return in_small_letters(path).ends_with(extension);
}

std::string to_text(float number) { return shortest(number); }
std::string to_text(double number) { return shortest(number); }

std::string short_text(double number, int digits) { return with_precision(number, std::chars_format::general, digits); }
std::string fixed_text(double number, int decimals) {
  return with_precision(number, std::chars_format::fixed, decimals);
}

std::string counted(std::int64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string join_sizes(const std::vector<std::int64_t>& sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::string join_numbers(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) text += (text.empty() ? "" : ",") + short_text(number, 6);
  return text;
}

}  // namespace convtool
