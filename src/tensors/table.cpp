#include "tensors/table.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/float_range.h"
#include "core/text.h"
#include "files/json_text.h"

namespace convtool {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return text.substr(0, 0);
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

/// The separator of the numbers in `line`: a comma, a semicolon, or a space for any number of spaces and tabs.
char separator_of(std::string_view line) {
  for (const char separator : {';', ','})
    if (line.find(separator) != std::string_view::npos) return separator;
  return ' ';
}

class TableReader {
 public:
  TableReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Table read() {
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      const std::string_view line = trimmed(text_.substr(begin, end - begin));
      begin = end + 1;
      if (line.empty() || line.front() == '#') continue;
      read_line(line);
    }
    if (table_.rows == 0) throw Error(ErrorKind::input, source_, "a table without numbers");
    return std::move(table_);
  }

 private:
  void read_line(std::string_view line) {
    if (table_.rows == 0) separator_ = separator_of(line);
    std::int64_t columns = 0;
    for (std::string_view rest = line; rest.data() != nullptr; ++columns) {
      const double number = take_number(rest);
      table_.values.push_back(static_cast<float>(number));
    }
    if (table_.rows == 0) table_.columns = columns;
    if (columns != table_.columns)
      fail(line, "a line of " + counted(columns, "number") + " (expected " + std::to_string(table_.columns) +
                     ", as in the first line)");
    ++table_.rows;
  }

  /// Takes the first number of `rest` and what separates it from the next one. Without a next one, `rest` is null.
  double take_number(std::string_view& rest) {
    const std::size_t end =
        std::min(separator_ == ' ' ? rest.find_first_of(kBlank) : rest.find(separator_), rest.size());
    std::string_view word = trimmed(rest.substr(0, end));
    const std::string_view place = word.empty() ? rest.substr(0, 0) : word;
    if (end == rest.size())
      rest = {};
    else
      rest = separator_ == ' ' ? trimmed(rest.substr(end)) : rest.substr(end + 1);

    if (word.starts_with('+')) word.remove_prefix(1);
    const std::optional<double> number = parse_number<double>(word);
    if (!number) fail(place, word.empty() ? "nothing where a number belongs" : not_a_number(std::string(word)));
    if (std::isfinite(*number) && !fits_float(*number))
      fail(place, "a number beyond float32 (" + std::string(word) + ", at most 3.4028235e38)");
    const std::optional<std::int64_t> integer = parse_number<std::int64_t>(word);
    if (integer ? is_rounded_integer(*integer) : is_rounded_integer(*number)) ++table_.rounded;
    return *number;
  }

  std::string not_a_number(const std::string& word) const {
    const char first = word.front();
    const bool is_title =
        table_.rows == 0 && ((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z') || first == '"');
    return "expected a number, got '" + word + "'" +
           (is_title                              ? "; delete the line of titles, or begin it with #"
            : word.find(',') != std::string::npos ? "; write decimal points, not commas"
                                                  : "");
  }

  /// `place` is a part of the text.
  [[noreturn]] void fail(std::string_view place, const std::string& message) const {
    throw Error(ErrorKind::input, source_,
                position_text(text_, static_cast<std::size_t>(place.data() - text_.data()) + 1) + ": " + message);
  }

  const std::string_view text_;
  const std::string& source_;
  Table table_;
  char separator_ = ',';
};

}  // namespace

bool looks_like_table(std::string_view text) {
  constexpr std::string_view kNumbers = "0123456789+-.", kMore = "eE,; \t\r\n";
  const std::string_view start = text.substr(0, 4096);
  const std::size_t first = start.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || kNumbers.find(start[first]) == std::string_view::npos) return false;
  return std::all_of(start.begin(), start.end(), [&](char c) {
    return kNumbers.find(c) != std::string_view::npos || kMore.find(c) != std::string_view::npos;
  });
}

Table parse_table(std::string_view text, const std::string& source) { return TableReader(text, source).read(); }

}  // namespace convtool
