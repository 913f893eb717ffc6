#include "cli/options/option_value.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "cli/options/option_words.h"
#include "core/suggest.h"
#include "core/text.h"

namespace convtool {
namespace {

/// A word of other programs and libraries, and ours for the same.
struct OtherWord {
  std::string_view option, word, ours;
};

constexpr OtherWord kOtherWords[] = {{"--combine", "l2", "magnitude"},
                                     {"--combine", "average", "mean"},
                                     {"--combine", "avg", "mean"},
                                     {"--depth", "8", "u8"},
                                     {"--depth", "uint8", "u8"},
                                     {"--depth", "16", "u16"},
                                     {"--depth", "uint16", "u16"},
                                     {"--depth", "float", "f32"},
                                     {"--depth", "float32", "f32"},
                                     {"--padding-mode", "reflect101", "reflect"},
                                     {"--padding-mode", "border", "replicate"},
                                     {"--padding-mode", "clamp", "replicate"},
                                     {"--padding-mode", "extend", "replicate"},
                                     {"--padding-mode", "periodic", "circular"},
                                     {"--padding-mode", "tile", "circular"},
                                     {"--padding-mode", "black", "zeros"}};

/// Our word for `word`, in lower case, of another program or library; "" when it is not known.
std::string_view our_word(std::string_view option, std::string_view word) {
  for (const OtherWord& row : kOtherWords)
    if (row.option == option && row.word == word) return row.ours;
  if (option != "--padding-mode") return "";
  for (const PaddingModeRow& row : kPaddingModeTable)
    if (word == row.numpy || word == row.scipy || word == in_small_letters(row.opencv)) return row.name;
  return "";
}

[[noreturn]] void refuse(const std::string& option, std::string_view text, const std::string& expected,
                         const std::string& hint = "") {
  refuse_usage(option, "'" + std::string(text) + "' is not valid (expected " + expected + ")" + hint);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool read_integers(std::string_view text, char separator, std::int64_t least, std::vector<std::int64_t>& numbers) {
  for (const std::string_view part : split(text, separator)) {
    const std::optional<std::int64_t> number = parse_number<std::int64_t>(part);
    if (!number || *number < least || *number > kLargestParameter) return false;
    numbers.push_back(*number);
  }
  return true;
}

}  // namespace

std::int64_t parse_integer(const std::string& option, std::string_view text, std::int64_t least, std::int64_t most) {
  const std::optional<std::int64_t> number = parse_number<std::int64_t>(text);
  if (!number || *number < least || *number > most) {
    refuse(option, text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *number;
}

std::int64_t parse_size(const std::string& option, std::string_view text) {
  constexpr std::string_view kUnits = "KMGT";
  const std::size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
  const bool has_unit = unit != std::string_view::npos;
  const std::optional<std::int64_t> number =
      parse_number<std::int64_t>(text.substr(0, text.size() - (has_unit ? 1 : 0)));
  const int shift = has_unit ? 10 * (static_cast<int>(unit) + 1) : 0;
  if (!number || *number < 1 || *number > std::numeric_limits<std::int64_t>::max() >> shift)
    refuse(option, text, "bytes, or with K, M, G or T such as 500M; above 0");
  return *number << shift;
}

int parse_threads(const std::string& option, std::string_view text) {
  return static_cast<int>(parse_integer(option, text, 0, 1024));
}

double parse_positive(const std::string& option, std::string_view text) {
  const std::optional<double> number = parse_number<double>(text);
  if (!number || !std::isfinite(*number) || *number <= 0) refuse(option, text, "a number above 0");
  return *number;
}

std::optional<std::array<double, 2>> find_two_numbers(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, ',');
  if (parts.size() != 2) return std::nullopt;
  const std::optional<double> first = parse_number<double>(parts[0]), second = parse_number<double>(parts[1]);
  if (!first || !second || !std::isfinite(*first) || !std::isfinite(*second)) return std::nullopt;
  return std::array{*first, *second};
}

double parse_finite(const std::string& option, std::string_view text) {
  const std::optional<double> number = parse_number<double>(text);
  if (!number || !std::isfinite(*number)) refuse(option, text, "a number");
  return *number;
}

double parse_not_negative(const std::string& option, std::string_view text) {
  const std::optional<double> number = parse_number<double>(text);
  if (!number || !std::isfinite(*number) || *number < 0) refuse(option, text, "a number, 0 or more");
  return *number;
}

std::vector<float> parse_numbers(const std::string& option, std::string_view text) {
  std::vector<float> numbers;
  for (const std::string_view part : split(text, ',')) {
    const std::optional<float> number = parse_number<float>(part);
    if (!number || !std::isfinite(*number)) {
      refuse(option, text, "a number, or numbers separated by commas, within float32");
    }
    numbers.push_back(*number);
  }
  return numbers;
}

Extent parse_extent(const std::string& option, std::string_view text, std::int64_t least) {
  std::vector<std::int64_t> numbers;
  if (!read_integers(text, 'x', least, numbers) || numbers.size() > 2) {
    std::vector<std::int64_t> two;
    const bool has_comma = read_integers(text, ',', least, two) && two.size() == 2;
    refuse(option, text,
           "a whole number from " + std::to_string(least) + " to " + std::to_string(kLargestParameter) +
               ", or two as HxW such as 3x4",
           has_comma ? "; did you mean " + std::to_string(two[0]) + "x" + std::to_string(two[1]) + "?" : "");
  }
  return {.h = numbers.front(), .w = numbers.back()};
}

Padding parse_padding(const std::string& option, std::string_view text) {
  constexpr Padding::Rule kRules[] = {Padding::Rule::fixed, Padding::Rule::same, Padding::Rule::same_lower,
                                      Padding::Rule::full};  // in the order of kPaddings
  const std::string lower = in_small_letters(text);
  const auto word = std::find(std::begin(kPaddings), std::end(kPaddings), lower);
  if (word != std::end(kPaddings)) return {.rule = kRules[word - std::begin(kPaddings)], .pads = {}};
  std::vector<std::int64_t> numbers;
  if (!read_integers(text, 'x', 0, numbers) || numbers.size() > 2) {
    std::vector<std::int64_t> two;
    const bool has_comma = read_integers(text, ',', 0, two) && two.size() == 2;
    const bool is_mode =
        std::find(std::begin(kPaddingModes), std::end(kPaddingModes), lower) != std::end(kPaddingModes);
    const std::string hint =
        has_comma ? "; did you mean " + std::to_string(two[0]) + "x" + std::to_string(two[1]) + " (height x width)?"
        : is_mode ? "; did you mean --padding-mode " + lower + "?"
                  : suggestion(lower, {std::begin(kPaddings), std::end(kPaddings)});
    refuse(option, text, "valid, same, same_lower, full, a number, or HxW per side; four sides go to --pads", hint);
  }
  const std::int64_t h = numbers.front(), w = numbers.back();
  return {.rule = Padding::Rule::fixed, .pads = {h, w, h, w}};
}

Padding parse_pads(const std::string& option, std::string_view text) {
  std::vector<std::int64_t> numbers;
  if (!read_integers(text, ',', 0, numbers) || numbers.size() != 4) {
    refuse(option, text, "four whole numbers T,L,B,R such as 1,1,2,2");
  }
  return {.rule = Padding::Rule::fixed, .pads = {numbers[0], numbers[1], numbers[2], numbers[3]}};
}

std::vector<std::int64_t> parse_shape(const std::string& option, std::string_view text) {
  std::vector<std::int64_t> numbers;
  if (!read_integers(text, 'x', 1, numbers) || numbers.size() < 2 || numbers.size() > 4) {
    refuse(option, text, "HxW, CxHxW or NxCxHxW such as 3x480x640, or a picture's file name");
  }
  return numbers;
}

std::size_t parse_choice(const std::string& option, std::string_view text, std::span<const std::string_view> words) {
  const std::string lower = in_small_letters(text);
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == lower) return i;
    list += (i == 0 ? "" : ", ") + std::string(words[i]);
  }
  const std::string_view ours = our_word(option, lower);
  refuse(
      option, text, "one of " + list,
      ours.empty() ? suggestion(lower, {words.begin(), words.end()}) : "; did you mean '" + std::string(ours) + "'?");
}

}  // namespace convtool
