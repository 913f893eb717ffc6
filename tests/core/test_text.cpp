#include <doctest/doctest.h>

#include <cstdio>
#include <limits>

#include "core/text.h"

namespace convtool {

TEST_CASE("numbers as their shortest text") {
  CHECK(to_text(19.0F) == "19");
  CHECK(to_text(0.1F) == "0.1");
  CHECK(to_text(0.1) == "0.1");
  CHECK(to_text(-1e-45F) == "-1e-45");
  CHECK(to_text(1.0F / 3) == "0.33333334");
}

TEST_CASE("numbers with a given precision, as printf writes them") {
  CHECK(short_text(0.12345) == "0.1235");
  CHECK(short_text(1234567890) == "1.235e+09");
  CHECK(short_text(12) == "12");
  CHECK(short_text(1.0 / 3, 6) == "0.333333");
  CHECK(fixed_text(29.75, 1) == "29.8");
  CHECK(fixed_text(0.125, 3) == "0.125");
  CHECK(fixed_text(29.5, 0) == "30");
  CHECK(fixed_text(-std::numeric_limits<double>::max(), 64).size() == 375);
  const double numbers[] = {0,
                            -0.0,
                            1,
                            -2.5,
                            0.1,
                            1e-5,
                            123456.5,
                            999999.5,
                            1e300,
                            5e-324,
                            std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()};
  for (const double number : numbers) {
    for (const int digits : {0, 1, 3, 6, 10, 17}) {
      CAPTURE(number);
      CAPTURE(digits);
      char expected[400];
      std::snprintf(expected, sizeof expected, "%.*g", digits, number);
      CHECK(short_text(number, digits) == expected);
      std::snprintf(expected, sizeof expected, "%.*f", digits, number);
      CHECK(fixed_text(number, digits) == expected);
    }
  }
}

TEST_CASE("a number must be the whole text") {
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
