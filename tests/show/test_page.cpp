#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "show/page.h"

using namespace convtool;

namespace {

int count_of(const std::string& text, const std::string& word) {
  int count = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += word.size()) ++count;
  return count;
}

}  // namespace

TEST_CASE("a page is one file with its styles, script and data") {
  const std::string page = make_page("explain", "x.json", R"({"a": 1})");
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(count_of(page, "<title>x.json</title>") == 1);
  CHECK(count_of(page, "--paper: light-dark(") == 1);
  CHECK(count_of(page, ":root { --positive: rgb(255 128 0); --negative: rgb(0 128 255); }") == 1);
  CHECK(count_of(page, "function svgElement(") == 1);
  CHECK(count_of(page, R"(id="data">{"a": 1}</script>)") == 1);
  CHECK(count_of(page, "{{") == 0);
  CHECK_THROWS_AS(make_page("no such page", "", "{}"), Error);
}

TEST_CASE("a page loads nothing") {
  const std::string page = make_page("explain", "x.json", "{}");
  CHECK(count_of(page, "Content-Security-Policy\" content=\"default-src 'none'") == 1);
  for (const char* const word : {" src=", "@import", "url(", "<link", "fetch(", "XMLHttpRequest"})
    CHECK_MESSAGE(count_of(page, word) == 0, word);
}

TEST_CASE("titles and data cannot break out of their elements") {
  const std::string page =
      make_page("explain", "</title><script>alert(1)</script>{{data}}\n", R"({"name": "</script><!--<script>"})");
  CHECK(count_of(page, "alert(1)") == 2);  // in the title and the heading
  CHECK(count_of(page, "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{data}}\\n") == 2);
  CHECK(count_of(page, R"({"name": "\u003c/script>\u003c!--\u003cscript>"})") == 1);
  CHECK(html_text("a\"b'&") == "a&quot;b&#39;&amp;");
}
