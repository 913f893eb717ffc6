// Strict JSON: what is refused, and the place that the message names.
#include <doctest/doctest.h>

#include "files/json_text.h"
#include "support/error_text.h"

namespace convtool {
namespace {

using testing::error_text;
using namespace std::string_view_literals;

std::string parse_refusal(std::string_view text) {
  return error_text(ErrorKind::kernel, [&] { parse_json(text, ErrorKind::kernel, "k.json"); });
}

TEST_CASE("invalid JSON is refused with line and column") {
  CHECK(parse_refusal("[1,\n 2,\n]").starts_with("k.json: line 3, column 1: not valid JSON (unexpected ']'"));
  CHECK(parse_refusal(" \n").starts_with("k.json: the JSON text is empty"));
  for (const char* const literal : {"[NaN]", "[Infinity]", "[-inf]"})
    CHECK(parse_refusal(literal).find("NaN and Infinity are not JSON numbers") != std::string::npos);
  for (const std::string_view text : {"[1]\n\0"sv, "[1]\n\0[2]"sv, "[1,\n\0"sv})
    CHECK(parse_refusal(text) == "k.json: line 2, column 1: not valid JSON (a zero byte)");
  CHECK(parse_refusal("[1e999]").find("a number beyond float32 (1e999") != std::string::npos);
}

TEST_CASE("duplicate keys and deep nesting are refused with a JSON pointer") {
  CHECK(parse_refusal(R"({"a":1,"a":2})") == "k.json: duplicate key 'a'; remove one");
  CHECK(parse_refusal(R"([0,{"x/y":{"b":1,"b":2}}])") == "k.json: /1/x~1y: duplicate key 'b'; remove one");
  CHECK(parse_refusal(std::string(kMaxJsonNesting, '[') + std::string(kMaxJsonNesting, ']')) == "none");
  CHECK(parse_refusal(std::string(kMaxJsonNesting + 1, '['))
            .starts_with("k.json: /0/0/0/0/0/0/0/0/0/0/0/0/0/0/0: nested deeper than 16 levels"));
}

TEST_CASE("an unknown key is refused with its pointer, and the nearest known key or all of them") {
  const auto check = [](const char* text, const std::string& pointer) {
    const nlohmann::json object = nlohmann::json::parse(text);
    return error_text(ErrorKind::kernel, [&] {
      check_known_keys(object, pointer, {"weight", "stride"}, ErrorKind::kernel, "k.json");
    });
  };
  CHECK(check(R"({"weight":1,"stride":2})", "") == "none");
  CHECK(check("{}", "") == "none");
  CHECK(check(R"({"strid":2})", "") == "k.json: /strid: unknown key; did you mean 'stride'?");
  CHECK(check(R"({"strid":2})", "/layers/1") == "k.json: /layers/1/strid: unknown key; did you mean 'stride'?");
  CHECK(check(R"({"a/b":2})", "") == "k.json: /a~1b: unknown key (known: weight, stride)");
}

TEST_CASE("blocks of numbers: ragged and empty lists are refused with a pointer below the given one") {
  const auto check = [](const char* text) {
    const nlohmann::json value = nlohmann::json::parse(text);
    return error_text(ErrorKind::kernel, [&] { read_numbers(value, "/weight", ErrorKind::kernel, "k.json"); });
  };
  CHECK(check("[[1,2],[3,4]]") == "none");
  CHECK(check("[[1,2],[3]]") ==
        "k.json: /weight/1: ragged: a list of 1 (expected 2, the length of the first list at this level)");
  CHECK(check("[[]]") == "k.json: /weight/0: an empty list (expected at least one number)");
  CHECK(check("[[1],2]") == "k.json: /weight/1: expected a list of 1, like its neighbours; got the number 2");
  CHECK(check("[[1],[null]]") == "k.json: /weight/1/0: expected a number, got null");
  CHECK(check("[3.5e38]") == "k.json: /weight/0: a number beyond float32 (3.5e+38, at most 3.4028235e38)");
}

}  // namespace
}  // namespace convtool
