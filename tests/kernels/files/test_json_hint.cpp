// Suggestions for kernels that are almost valid JSON.
#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/files/json_hint.h"
#include "kernels/files/kernel_json.h"

namespace convtool {
namespace {

TEST_CASE("syntax that other languages allow and JSON does not") {
  CHECK(json_hint("[[1,.5]]") == "write 0.5 instead of .5");
  CHECK(json_hint("[[-.25]]") == "write 0.25 instead of .25");
  CHECK(json_hint("[[1,1/9]]").starts_with("fractions are not JSON; write the numerator and \"divisor\": 9"));
  CHECK(json_hint("{'weight': [[1]]}").starts_with("JSON needs double quotes"));
  CHECK(json_hint("{weight: [[1]]}").starts_with("keys need double quotes"));
  CHECK(json_hint("{\"name\": \"x\", weight : [[1]]}").starts_with("keys need double quotes"));
}

TEST_CASE("nothing is suggested for JSON, for text in strings, or for other mistakes") {
  CHECK(json_hint("[[0.5, 1e-3, -12.25]]") == "");
  CHECK(json_hint(R"({"weight": [[1]], "description": "it's 1/9 of .5, {a: b} and \" more"})") == "");
  CHECK(json_hint("[[1,2,]]") == "");
  CHECK(json_hint("[[1.]]") == "");
  CHECK(json_hint("[[true, null]]") == "");
  CHECK(json_hint("\"unfinished") == "");
  CHECK(json_hint("\"unfinished\\") == "");
  CHECK(json_hint("") == "");
  CHECK(json_hint("[[" + std::string(4'000'000, '9') + "]]") == "");  // at once: each digit is read once
}

TEST_CASE("the message gives the place of the error and ends with the hint") {
  const auto refusal = [](const std::string& text) -> std::string {
    try {
      parse_kernel_json(text, "k.json", "k");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kernel);
      return error.what();
    }
    return "";
  };
  const std::string message = refusal("[[1,\n .5]]");
  CHECK(message.starts_with("k.json: line 2, column 2: "));
  CHECK(message.ends_with("; write 0.5 instead of .5"));
  // The mistake is of another kind, and the text that resembles a known mistake is inside a string.
  CHECK(refusal(R"([[1, 2], ["it's"])").find("double quotes") == std::string::npos);
}

TEST_CASE("brackets that do not close") {
  CHECK(ends_inside_brackets("[[1,"));
  CHECK(ends_inside_brackets("{\"weight\":"));
  CHECK(!ends_inside_brackets("[[1]]"));
  CHECK(!ends_inside_brackets("[[1]]]"));
  CHECK(!ends_inside_brackets("\"[[\""));
}

}  // namespace
}  // namespace convtool
