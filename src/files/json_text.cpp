#include "files/json_text.h"

#include <algorithm>
#include <cmath>

#include "core/suggest.h"

namespace convtool {
namespace {

using nlohmann::json;

std::string position_text(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, std::min(position == 0 ? 0 : position - 1, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(before.size() - line_start + 1);
}

/// Whether the word that ends around `position` is one of the spellings of NaN or infinity.
bool is_non_finite_literal(std::string_view text, std::size_t position) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  std::size_t begin = std::min(position, text.size());
  while (begin > 0 && is_letter(text[begin - 1])) --begin;
  const std::string_view word = text.substr(begin, 3);
  return word == "NaN" || word == "nan" || word == "Inf" || word == "inf";
}

/// The part of nlohmann's message that speaks of the text: "unexpected ']'; expected ...".
std::string reason_text(const std::string& what) {
  const std::size_t at = what.find(" - ");
  return at == std::string::npos ? "it cannot be read" : what.substr(at + 3);
}

/// Builds the value while watching for what nlohmann lets pass: duplicate keys and deep nesting.
class Builder final : public nlohmann::json_sax<json> {
 public:
  Builder(std::string_view text, ErrorKind kind, const std::string& source)
      : text_(text), kind_(kind), source_(source) {}

  json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (open_.back()->contains(name))
      fail((path_.empty() ? "" : pointer() + ": ") + "the key '" + name + "' stands twice; remove one");
    key_ = name;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token, const json::exception& error) override {
    if (text_.find_first_not_of(" \t\r\n") == std::string_view::npos) fail("the JSON text is empty");
    if (is_non_finite_literal(text_, position)) {
      fail(position_text(text_, position) + ": NaN and Infinity are not JSON numbers; only finite numbers are taken");
    }
    if (dynamic_cast<const json::out_of_range*>(&error) != nullptr) {  // beyond double even
      fail(position_text(text_, position) + ": a number beyond float32 (" + token + ", at most 3.4028235e38)");
    }
    fail(position_text(text_, position) + ": not valid JSON (" + reason_text(error.what()) + ")");
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw Error(kind_, source_, message); }

  json* place(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    return &(parent[key_] = std::move(value));
  }

  bool add(json value) {
    place(std::move(value));
    return true;
  }

  bool open(json value) {
    if (open_.size() == kMaxJsonNesting) {
      fail(pointer() + ": nested deeper than " + std::to_string(kMaxJsonNesting) +
           " levels; a kernel or tensor has at most 4");
    }
    if (!open_.empty()) {
      const json& parent = *open_.back();
      path_.push_back(parent.is_array() ? std::to_string(parent.size()) : key_);
    }
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    if (!path_.empty()) path_.pop_back();
    return true;
  }

  std::string pointer() const {
    std::string text;
    for (const std::string& step : path_) text += pointer_step(step);
    return text;
  }

  std::string_view text_;
  ErrorKind kind_;
  const std::string& source_;
  json root_;
  std::vector<json*> open_;        // the lists and objects around the current place, outermost first
  std::vector<std::string> path_;  // their keys and indices, but the outermost's, which has none
  std::string key_;
};

/// Fills a NumberBlock level by level; the first list at each level sets its length.
class NumberReader {
 public:
  NumberReader(ErrorKind kind, const std::string& source) : kind_(kind), source_(source) {}

  NumberBlock read(const json& value, const std::string& pointer) {
    for (const json* level = &value; level->is_array(); level = &level->front()) {
      if (level->empty()) {
        fail(pointer + zeros(block_.dimensions.size()), "an empty list (expected at least one number)");
      }
      block_.dimensions.push_back(static_cast<std::int64_t>(level->size()));
    }
    append(value, pointer, 0);
    return std::move(block_);
  }

 private:
  [[noreturn]] void fail(const std::string& pointer, const std::string& message) const {
    throw Error(kind_, source_, (pointer.empty() ? "" : pointer + ": ") + message);
  }

  static std::string zeros(std::size_t levels) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += "/0";
    return text;
  }

  void append(const json& value, const std::string& pointer, std::size_t level) {
    if (level == block_.dimensions.size()) return append_number(value, pointer);
    const auto expected = static_cast<std::size_t>(block_.dimensions[level]);
    if (!value.is_array()) {
      fail(pointer, describe_json(value) + " where a list belongs (expected a list of " + std::to_string(expected) +
                        ", as its neighbours are)");
    }
    if (value.size() != expected) {
      fail(pointer, "ragged: a list of " + std::to_string(value.size()) + " (expected " + std::to_string(expected) +
                        ", the length of the first one beside it); make them equally long");
    }
    for (std::size_t i = 0; i < expected; ++i) append(value[i], pointer + "/" + std::to_string(i), level + 1);
  }

  void append_number(const json& value, const std::string& pointer) {
    if (!value.is_number()) fail(pointer, describe_json(value) + " where a number belongs");
    const double number = value.get<double>();
    constexpr double kRoundsToInfinity = 0x1.ffffffp127;  // half a step beyond the largest float
    if (std::fabs(number) >= kRoundsToInfinity) {
      fail(pointer, "a number beyond float32 (" + value.dump() + ", at most 3.4028235e38)");
    }
    block_.values.push_back(number);
  }

  ErrorKind kind_;
  const std::string& source_;
  NumberBlock block_;
};

}  // namespace

json parse_json(std::string_view text, ErrorKind kind, const std::string& source) {
  Builder builder(text, kind, source);
  json::sax_parse(text, &builder);
  return builder.take();
}

NumberBlock read_numbers(const json& value, const std::string& pointer, ErrorKind kind, const std::string& source) {
  return NumberReader(kind, source).read(value, pointer);
}

void check_known_keys(const json& object, const std::vector<std::string_view>& known, const std::string& source) {
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
    std::string list;
    for (const std::string_view key : known) list += (list.empty() ? "" : ", ") + std::string(key);
    const std::string hint = suggestion(item.key(), known);
    throw Error(ErrorKind::kernel, source,
                pointer_step(item.key()) + ": unknown key" + (hint.empty() ? " (known: " + list + ")" : hint));
  }
}

std::string pointer_step(const std::string& key) {
  std::string step = "/";
  for (const char c : key) step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return step;
}

std::string describe_json(const json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number()) return "the number " + value.dump();
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  const std::string text = value.get<std::string>();
  return text.size() > 40 ? "a string" : "the string '" + text + "'";
}

}  // namespace convtool
