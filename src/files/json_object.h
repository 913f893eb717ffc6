// JSON as text that grows: for objects with so many members that a tree of values would take too much memory. (The
// destructor of such a tree takes memory as well, and ends the process where there is none.)
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace convtool {

/// A value as text on one line. File names need not be UTF-8, JSON must be: other bytes become replacement characters.
inline std::string json_dump(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// A JSON object, member by member.
class JsonObject {
 public:
  void add(std::string_view key, const nlohmann::ordered_json& value) { add_text(key, json_dump(value)); }

  /// `json` is the text of a value.
  void add_text(std::string_view key, std::string_view json) {
    if (text_.size() > 1) text_ += ',';
    (text_ += json_dump(key)) += ':';
    text_ += json;
  }

  /// The text of the object. Nothing can be added after it.
  std::string finish() { return std::move(text_ += '}'); }

 private:
  std::string text_ = "{";
};

/// The text of a JSON list of the texts text_of(item).
std::string json_list(auto&& items, const auto& text_of) {
  std::string list = "[";
  for (auto&& item : items) {
    if (list.size() > 1) list += ',';
    list += text_of(item);
  }
  return list += ']';
}

}  // namespace convtool
