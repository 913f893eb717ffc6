#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "core/printable.h"

namespace convtool {

TEST_CASE("printable text has no control characters, and keeps UTF-8") {
  CHECK(printable("a b") == "a b");
  CHECK(printable("two\nlines\tand\r\x1b[31m\x7f") == "two\\nlines\\tand\\x0d\\x1b[31m\\x7f");
  CHECK(printable("größe") == "größe");
  CHECK(printable("日本 \U0001f600 \u00a0\ufffd") == "日本 \U0001f600 \u00a0\ufffd");
  CHECK(printable({"\0a\0", 3}) == "\\x00a\\x00");
}

TEST_CASE("printable text does not steer a terminal, and shows bytes that are not UTF-8") {
  CHECK(printable("\u009b31m\u0080\u009f") == "\\xc2\\x9b31m\\xc2\\x80\\xc2\\x9f");  // C1: CSI
  CHECK(printable("a\u2028b\u202ec\u2066d\u200fe\u061c") ==
        "a\\xe2\\x80\\xa8b\\xe2\\x80\\xaec\\xe2\\x81\\xa6d\\xe2\\x80\\x8fe\\xd8\\x9c");
  CHECK(printable("\xff.png") == "\\xff.png");
  CHECK(printable("\x9b\xc3") == "\\x9b\\xc3");                      // a lone continuation, and a start without one
  CHECK(printable("\xc0\x9b \xc1\xbf") == "\\xc0\\x9b \\xc1\\xbf");  // longer than need be: they stand for controls
  CHECK(printable("\xe0\x82\x9b") == "\\xe0\\x82\\x9b");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(printable("\xef\xbf\xbe \xef\xbf\xbf \xef\xbf\xbd") == "\\xef\\xbf\\xbe \\xef\\xbf\\xbf \xef\xbf\xbd");  // XML
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("\xe2\x80") == "\\xe2\\x80");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(printable(printable(all)) == printable(all));
  CHECK(printable(all).find_first_not_of("\\ntx0123456789abcdef" + all.substr(0x20, 0x5f)) == std::string::npos);
}

TEST_CASE("a character takes the place of each that is not printable") {
  CHECK(replace_unsafe("größe.png", '-') == "größe.png");
  CHECK(replace_unsafe("\u200fa\tb\u2028\xff", '-') == "-a-b--");
  CHECK(replace_unsafe("", '-').empty());
}

TEST_CASE("printable JSON has \\u escapes in the same places") {
  CHECK(printable_json("{\"a\":\"größe\",\n\"b\":\"\\u0000\"}\n") == "{\"a\":\"größe\",\n\"b\":\"\\u0000\"}\n");
  CHECK(printable_json("[\"\u009b\x7f\u202e\"]") == "[\"\\u009b\\u007f\\u202e\"]");
}

TEST_CASE("the text of an error is one line, whole, whatever it quotes") {
  const Error error(ErrorKind::input, std::string("a\0\n", 3), std::string("\0is \x1b[2Jbad", 11));
  CHECK(std::string(error.what()) == "a\\x00\\n: \\x00is \\x1b[2Jbad");
  CHECK(error.where() == std::string("a\0\n", 3));
  CHECK(std::string(Error(error.kind(), "b", error.what()).what()) == std::string("b: ") + error.what());
}

TEST_CASE("the start of a long text ends in dots, and characters stay whole") {
  CHECK(printable_start("sobel", 5) == "sobel");
  CHECK(printable_start("sobel-x", 6) == "sob...");
  CHECK(printable_start("größe und maß", 7) == "größ...");
  CHECK(printable_start("größe", 5) == "größe");
  CHECK(printable_start("a\nbcdef", 6) == "a\\n...");
  CHECK(printable_start("", 3).empty());
}

}  // namespace convtool
