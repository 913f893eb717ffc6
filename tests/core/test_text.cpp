#include <doctest/doctest.h>

#include "core/text.h"

namespace convtool {

TEST_CASE("printable text has no control characters, and keeps UTF-8") {
  CHECK(printable("a b") == "a b");
  CHECK(printable("two\nlines\tand\r\x1b[31m\x7f") == "two\\nlines\\tand\\x0d\\x1b[31m\\x7f");
  CHECK(printable("größe") == "größe");
}

TEST_CASE("numbers in their shortest text") {
  CHECK(to_text(19.0F) == "19");
  CHECK(to_text(0.1F) == "0.1");
  CHECK(to_text(0.1) == "0.1");
  CHECK(to_text(-1e-45F) == "-1e-45");
  CHECK(to_text(1.0F / 3) == "0.33333334");
}

TEST_CASE("a number is the whole of its text") {
  CHECK(parse_number<std::int64_t>("-12") == -12);
  CHECK(parse_number<float>("1e3") == 1000.0F);
  for (const char* text : {"", " 1", "1 ", "1x", "0x10", "--1", "99999999999999999999"}) {
    CAPTURE(std::string(text));
    CHECK(!parse_number<std::int64_t>(text));
  }
  CHECK(!parse_number<float>("1e99"));
}

TEST_CASE("sizes are joined by x") {
  CHECK(join_sizes({3, 480, 640}) == "3x480x640");
  CHECK(join_sizes({}) == "");
}

}  // namespace convtool
