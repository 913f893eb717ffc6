#include "kernels/files/kernel_values.h"

#include <cmath>

#include "core/error.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/json_text.h"
#include "network/layer.h"

namespace convtool {
namespace {

using nlohmann::json;

/// Our name for a padding mode that only other libraries call `word`; "" where there is none.
std::string padding_mode_elsewhere(const std::string& word) {
  const std::string name = in_small_letters(word);
  for (const PaddingModeRow& row : kPaddingModeTable)
    if (row.name == name) return "";
  for (const PaddingModeRow& row : kPaddingModeTable) {
    if (row.numpy == name || row.scipy == name || in_small_letters(row.opencv) == name) return std::string(row.name);
  }
  return "";
}

}  // namespace

void KernelObject::fail(const std::string& key, const std::string& message) const {
  throw_at(pointer(key), message, ErrorKind::kernel, source_);
}

const json& KernelObject::nonempty_list(const std::string& key) const {
  const json& list = at(key);
  if (!list.is_array() || list.empty())
    fail(key, (list.is_array() ? "an empty list" : describe_json(list)) + " (expected a list of at least one kernel)");
  return list;
}

std::string KernelObject::text(const std::string& key, const std::string& fallback) const {
  if (!has(key)) return fallback;
  const json& value = at(key);
  if (!value.is_string()) fail(key, describe_json(value) + " (expected a string)");
  return value.get<std::string>().empty() ? fallback : value.get<std::string>();
}

bool KernelObject::flag(const std::string& key) const {
  if (!has(key)) return false;
  const json& value = at(key);
  if (!value.is_boolean()) fail(key, describe_json(value) + " (expected true or false)");
  return value.get<bool>();
}

double KernelObject::number(const std::string& key, double fallback) const {
  if (!has(key)) return fallback;
  if (at(key).is_array()) fail(key, "a list (expected a number)");
  return read_numbers(at(key), pointer(key), ErrorKind::kernel, source_).values.front();
}

std::int64_t KernelObject::integer(const std::string& key, std::int64_t least) const {
  return has(key) ? whole(at(key), key, least) : least;
}

Extent KernelObject::extent(const std::string& key, std::int64_t least) const {
  if (!has(key)) return {.h = least, .w = least};
  const json& value = at(key);
  if (!value.is_array()) {
    const std::int64_t both = whole(value, key, least);
    return {.h = both, .w = both};
  }
  if (value.size() != 2) fail(key, "a list of " + std::to_string(value.size()) + " (expected a number, or [h, w])");
  return {.h = whole(value[0], key + "/0", least), .w = whole(value[1], key + "/1", least)};
}

std::int64_t KernelObject::whole(const json& value, const std::string& place, std::int64_t least) const {
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(kLargestParameter) &&
        number == std::floor(number))) {
    fail(place, describe_json(value) + " (expected a whole number from " + std::to_string(least) + " to " +
                    std::to_string(kLargestParameter) + ")");
  }
  return static_cast<std::int64_t>(number);
}

std::size_t KernelObject::choice(const std::string& key, std::span<const std::string_view> words) const {
  if (!has(key)) return 0;
  const json& value = at(key);
  const std::string word = value.is_string() ? value.get<std::string>() : "";
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (value.is_string() && words[i] == word) return i;
    list += (i == 0 ? "" : ", ") + std::string(words[i]);
  }
  fail(key, describe_json(value) + " (expected one of " + list + ")" +
                suggestion(in_small_letters(word), {words.begin(), words.end()}));
}

Padding KernelObject::padding() const {
  Padding padding;
  if (has("pads")) {
    if (has("padding")) fail("", "both padding and pads; keep one");
    const json& pads = at("pads");
    if (!pads.is_array() || pads.size() != 4) fail("pads", "expected [top, left, bottom, right]");
    const auto side = [&](std::size_t i) { return whole(pads[i], "pads/" + std::to_string(i), 0); };
    padding.pads = {side(0), side(1), side(2), side(3)};
  } else if (has("padding") && at("padding").is_string()) {
    padding.rule = static_cast<Padding::Rule>(choice("padding", kPaddingRules));
  } else if (has("padding")) {
    if (at("padding").is_array() && at("padding").size() == 4)
      fail("padding", "four numbers (expected one, or [h, w]); four sides go under \"pads\"");
    const Extent per_side = extent("padding", 0);
    padding.pads = {per_side.h, per_side.w, per_side.h, per_side.w};
  }
  return padding;
}

PaddingMode KernelObject::padding_mode() const {
  if (has("padding_mode") && at("padding_mode").is_string()) {
    const std::string word = at("padding_mode").get<std::string>();
    const std::string ours = padding_mode_elsewhere(word);
    if (!ours.empty()) fail("padding_mode", "unknown padding mode '" + word + "'; did you mean '" + ours + "'?");
  }
  return static_cast<PaddingMode>(choice("padding_mode", kPaddingModes));
}

}  // namespace convtool
