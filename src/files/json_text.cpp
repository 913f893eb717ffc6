#include "files/json_text.h"

#include <algorithm>

#include "core/float_range.h"
#include "core/suggest.h"

namespace convtool {
std::string position_text(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, std::min(position == 0 ? 0 : position - 1, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(before.size() - line_start + 1);
}

namespace {

using nlohmann::json;

/// Whether the word around `position` is a spelling of NaN or infinity.
bool is_non_finite_literal(std::string_view text, std::size_t position) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  std::size_t begin = std::min(position, text.size());
  while (begin > 0 && is_letter(text[begin - 1])) --begin;
  const std::string_view word = text.substr(begin, 3);
  return word == "NaN" || word == "nan" || word == "Inf" || word == "inf";
}

/// The part of nlohmann's message that describes the text: "unexpected ']'; expected ...".
std::string reason_text(const std::string& what) {
  const std::size_t at = what.find(" - ");
  return at == std::string::npos ? "it cannot be read" : what.substr(at + 3);
}

/// Builds the value, and checks for duplicate keys and deep nesting, which nlohmann accepts.
class Builder final : public nlohmann::json_sax<json> {
 public:
  Builder(std::string_view text, ErrorKind kind, const std::string& source)
      : text_(text), kind_(kind), source_(source) {}

  json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return value == 0 ? add(-0.0) : add(value); }  // 0 is unsigned
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (open_.back()->contains(name)) throw_at(pointer(), "duplicate key '" + name + "'; remove one", kind_, source_);
    key_ = name;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token, const json::exception& error) override {
    if (text_.find_first_not_of(" \t\r\n") == std::string_view::npos) fail("the JSON text is empty");
    if (is_non_finite_literal(text_, position)) {
      fail(position_text(text_, position) + ": NaN and Infinity are not JSON numbers; write a finite number");
    }
    if (dynamic_cast<const json::out_of_range*>(&error) != nullptr) {  // beyond even double
      fail(position_text(text_, position) + ": a number beyond float32 (" + token + ", at most 3.4028235e38)");
    }
    fail(position_text(text_, position) + ": not valid JSON (" + reason_text(error.what()) + ")");
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw Error(kind_, source_, message); }

  /// Stores `value` as the root, the next element of the innermost list, or the value of the key just read.
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
      throw_at(pointer(),
               "nested deeper than " + std::to_string(kMaxJsonNesting) + " levels; a kernel or tensor has at most 4",
               kind_, source_);
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

  /// The JSON pointer of the innermost open list or object.
  std::string pointer() const {
    std::string text;
    for (const std::string& step : path_) text += pointer_step(step);
    return text;
  }

  std::string_view text_;
  ErrorKind kind_;
  const std::string& source_;
  json root_;
  std::vector<json*> open_;        // the open lists and objects, outermost first
  std::vector<std::string> path_;  // the key or index of each but the outermost in the one around it
  std::string key_;
};

/// Fills a NumberBlock level by level. The first list of each level sets the length for all.
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
    throw_at(pointer, message, kind_, source_);
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
      fail(pointer,
           "expected a list of " + std::to_string(expected) + ", like its neighbours; got " + describe_json(value));
    }
    if (value.size() != expected) {
      fail(pointer, "ragged: a list of " + std::to_string(value.size()) + " (expected " + std::to_string(expected) +
                        ", the length of the first list at this level)");
    }
    for (std::size_t i = 0; i < expected; ++i) append(value[i], pointer + "/" + std::to_string(i), level + 1);
  }

  void append_number(const json& value, const std::string& pointer) {
    if (!value.is_number()) fail(pointer, "expected a number, got " + describe_json(value));
    const double number = value.get<double>();
    if (!fits_float(number)) fail(pointer, "a number beyond float32 (" + value.dump() + ", at most 3.4028235e38)");
    block_.values.push_back(number);
    const bool is_rounded = value.is_number_unsigned()  ? is_rounded_integer(value.get<std::uint64_t>())
                            : value.is_number_integer() ? is_rounded_integer(value.get<std::int64_t>())
                                                        : is_rounded_integer(number);
    if (is_rounded) ++block_.rounded;
  }

  ErrorKind kind_;
  const std::string& source_;
  NumberBlock block_;
};

}  // namespace

json parse_json(std::string_view text, ErrorKind kind, const std::string& source) {
  // To nlohmann it is the end of the text.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
    throw Error(kind, source, position_text(text, zero + 1) + ": not valid JSON (a zero byte)");
  Builder builder(text, kind, source);
  json::sax_parse(text, &builder);
  return builder.take();
}

NumberBlock read_numbers(const json& value, const std::string& pointer, ErrorKind kind, const std::string& source) {
  return NumberReader(kind, source).read(value, pointer);
}

void check_known_keys(const json& object, const std::string& pointer, const std::vector<std::string_view>& known,
                      ErrorKind kind, const std::string& source) {
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
    std::string list;
    for (const std::string_view key : known) list += (list.empty() ? "" : ", ") + std::string(key);
    const std::string hint = suggestion(item.key(), known);
    throw_at(pointer + pointer_step(item.key()), "unknown key" + (hint.empty() ? " (known: " + list + ")" : hint), kind,
             source);
  }
}

void throw_at(const std::string& pointer, const std::string& message, ErrorKind kind, const std::string& source) {
  throw Error(kind, source, (pointer.empty() ? "" : pointer + ": ") + message);
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
