#include "tensors/tensor_text.h"

#include <algorithm>

#include "tensors/printout.h"
#include "tensors/table.h"

namespace convtool {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

/// From the first character that is not white space.
std::string_view start_of(std::string_view text) {
  text = without_mark(text);
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

bool has_brackets(std::string_view text) {
  const std::string_view start = start_of(text);
  return start.starts_with('[') || begins_like_printout(start);
}

/// Whether `text` is read as a table: its first line begins with a number or #, or has separators, perhaps of titles.
bool is_table(std::string_view text) {
  const std::string_view start = start_of(text), line = start.substr(0, start.find('\n'));
  if (start.empty() || has_brackets(text) || start.front() == '{') return false;
  return std::string_view("0123456789+-.#").find(start.front()) != std::string_view::npos ||
         line.find_first_of(",;\t") != std::string_view::npos;
}

/// Whether a line of titles stands above a table. It cannot be read, but the message can say why.
bool has_titles(std::string_view start) {
  const std::string_view line = start.substr(0, start.find('\n'));
  const auto is_text = [](char c) { return c == '\t' || c == '\r' || static_cast<unsigned char>(c) >= ' '; };
  return line.size() < start.size() && line.find_first_of(",;\t") != std::string_view::npos &&
         std::all_of(line.begin(), line.end(), is_text) && looks_like_table(start.substr(line.size()));
}

RankedTensor table_tensor(const Table& table) {
  RankedTensor result{.tensor = Tensor(DType::f32, {.n = 1, .c = 1, .h = table.rows, .w = table.columns}), .rank = 2};
  std::copy(table.values.begin(), table.values.end(), result.tensor.data<float>());
  result.rounded = table.rounded;
  if (result.rounded > 0) result.stored = "integers";
  return result;
}

}  // namespace

bool looks_like_tensor_text(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes.first(std::min<std::size_t>(bytes.size(), 4096)));
  return has_brackets(text) || looks_like_table(start_of(text)) || has_titles(start_of(text));
}

bool looks_like_lists(std::string_view word) {
  const std::string_view start = start_of(word);
  if (begins_like_printout(start)) return true;
  const std::string_view whole = start.substr(0, start.find_last_not_of(" \t\r\n") + 1);
  if (!whole.starts_with('[') || !whole.ends_with(']')) return false;
  const bool is_empty = whole.find_first_not_of(" \t\r\n", 1) == whole.size() - 1;
  return is_empty || whole.find('[', 1) != std::string_view::npos || whole.find(',') != std::string_view::npos;
}

RankedTensor parse_tensor_text(std::string_view text, const std::string& source) {
  if (is_table(text)) return table_tensor(parse_table(without_mark(text), source));
  const std::optional<std::string> json = has_brackets(text) ? json_of_printout(text, source) : std::nullopt;
  return parse_tensor_json(json ? *json : text, source);
}

std::optional<RankedShape> scan_text_shape(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  try {
    if (is_table(text)) {
      const Table table = parse_table(without_mark(text), "");
      return RankedShape{.shape = {.n = 1, .c = 1, .h = table.rows, .w = table.columns}, .rank = 2};
    }
    const std::optional<std::string> json = has_brackets(text) ? json_of_printout(text, "") : std::nullopt;
    return scan_json_shape(json ? std::as_bytes(std::span(*json)) : bytes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace convtool
