#include "kernels/generator_arguments.h"

#include <algorithm>
#include <cmath>

#include "core/suggest.h"
#include "core/text.h"

namespace convtool {

GeneratorArguments::GeneratorArguments(const std::string& text, const Generator& generator) : text_(text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return;
  std::string_view rest = std::string_view(text).substr(colon + 1);
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    add(rest.substr(0, comma), generator);
    if (more) rest.remove_prefix(comma + 1);
  }
}

double GeneratorArguments::number(std::string_view name, double fallback, double least, double most) const {
  const std::string_view* value = find(name);
  if (value == nullptr) return fallback;
  const auto parsed = parse_number<double>(*value);
  if (!parsed || !(*parsed >= least && *parsed <= most))
    refuse(name, *value, "a number from " + to_text(least) + " to " + to_text(most));
  return *parsed;
}

std::int64_t GeneratorArguments::integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                                         std::int64_t most) const {
  const std::string_view* value = find(name);
  if (value == nullptr) return fallback;
  const auto parsed = parse_number<std::int64_t>(*value);
  if (!parsed || *parsed < least || *parsed > most)
    refuse(name, *value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return *parsed;
}

PerAxis GeneratorArguments::per_axis(std::string_view name, const PerAxis& fallback, double least, double most) const {
  const std::string_view* value = find(name);
  if (value == nullptr) return fallback;
  const std::size_t x = value->find('x');
  const auto first = parse_number<double>(value->substr(0, x));
  const auto second = x == std::string_view::npos ? first : parse_number<double>(value->substr(x + 1));
  const auto is_allowed = [&](const std::optional<double>& number) {
    return number && *number >= least && *number <= most;
  };
  if (!is_allowed(first) || !is_allowed(second))
    refuse(name, *value, "N, or YxX for rows and columns, each from " + to_text(least) + " to " + to_text(most));
  return {*first, *second};
}

Extent GeneratorArguments::size(const Extent& fallback) const {
  const std::string_view* value = find("size");
  if (value == nullptr) {
    if (std::max(fallback.h, fallback.w) > kMaxGeneratedSize)
      fail("its size would be " + std::to_string(fallback.h) + "x" + std::to_string(fallback.w) +
           " (expected at most " + std::to_string(kMaxGeneratedSize) + " each way); choose a smaller one with size=N");
    return fallback;
  }
  const std::size_t x = value->find('x');
  const auto h = parse_number<std::int64_t>(value->substr(0, x));
  const auto w = x == std::string_view::npos ? h : parse_number<std::int64_t>(value->substr(x + 1));
  if (!h || !w || std::min(*h, *w) < 1 || std::max(*h, *w) > kMaxGeneratedSize)
    refuse("size", *value, "N or HxW, each from 1 to " + std::to_string(kMaxGeneratedSize));
  return {*h, *w};
}

std::int64_t GeneratorArguments::table_size(std::int64_t fallback) const {
  const std::int64_t size = integer("size", fallback, 1, 7);
  if (size % 2 == 0) refuse("size", *find("size"), "1, 3, 5 or 7");
  return size;
}

void GeneratorArguments::add(std::string_view item, const Generator& generator) {
  std::vector<std::string_view> known;
  std::string list;
  for (const GeneratorParameter& parameter : generator.parameters) {
    known.push_back(parameter.name);
    list += (list.empty() ? "" : ", ") + std::string(parameter.name);
  }
  const std::size_t equals = item.find('=');
  if (equals == std::string_view::npos)
    fail("'" + std::string(item) + "' is not of the form param=value (the parameters of " +
         std::string(generator.name) + " are " + list + ")");
  const Pair pair{item.substr(0, equals), item.substr(equals + 1)};
  if (std::find(known.begin(), known.end(), pair.name) == known.end())
    fail("unknown parameter '" + std::string(pair.name) + "' (expected " + list + ")" + suggestion(pair.name, known));
  if (find(pair.name) != nullptr) fail(std::string(pair.name) + " is given twice; keep one");
  pairs_.push_back(pair);
}

const std::string_view* GeneratorArguments::find(std::string_view name) const {
  const auto at = std::find_if(pairs_.begin(), pairs_.end(), [name](const Pair& pair) { return pair.name == name; });
  return at == pairs_.end() ? nullptr : &at->value;
}

void GeneratorArguments::refuse(std::string_view name, std::string_view value, const std::string& expected) const {
  fail(std::string(name) + " cannot be '" + std::string(value) + "' (expected " + expected + ")");
}

}  // namespace convtool
