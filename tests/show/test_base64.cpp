#include <doctest/doctest.h>

#include <span>
#include <string_view>

#include "show/base64.h"

using namespace convtool;

namespace {

std::string base64_of(std::string_view text) { return base64(std::as_bytes(std::span(text))); }

}  // namespace

/// The examples of RFC 4648, section 10.
TEST_CASE("Base64 of the examples in its standard") {
  CHECK(base64_of("").empty());
  CHECK(base64_of("f") == "Zg==");
  CHECK(base64_of("fo") == "Zm8=");
  CHECK(base64_of("foo") == "Zm9v");
  CHECK(base64_of("foob") == "Zm9vYg==");
  CHECK(base64_of("fooba") == "Zm9vYmE=");
  CHECK(base64_of("foobar") == "Zm9vYmFy");
  CHECK(base64_of("\xfb\xff\xfe") == "+//+");
}
