#include "show/page.h"

#include <algorithm>

#include "core/error.h"
#include "core/printable.h"
#include "show/page_files.h"
#include "show/sign_colours.h"

namespace convtool {
namespace {

std::string_view file(std::string_view name) {
  const auto files = page_files();
  const auto found = std::find_if(files.begin(), files.end(), [&](const PageFile& f) { return f.name == name; });
  require(found != files.end(), "a page without its files");
  return found->text;
}

/// JSON in an HTML script element, which "</script" would end and "<!--" would change. In JSON, < is only in strings.
std::string json_in_html(std::string_view json) {
  std::string text;
  for (const char c : json) {
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  }
  return text;
}

std::string css(Colour colour) {
  return "rgb(" + std::to_string(colour.r) + " " + std::to_string(colour.g) + " " + std::to_string(colour.b) + ")";
}

std::string sign_style() {
  return ":root { --positive: " + css(kPositiveTint) + "; --negative: " + css(kNegativeTint) + "; }\n";
}

}  // namespace

std::string make_page(std::string_view name, std::string_view title, std::string_view json) {
  const std::string_view page = file(std::string(name) + ".html");
  std::string result;
  std::size_t at = 0;
  for (std::size_t open; (open = page.find("{{", at)) != std::string_view::npos;) {
    const std::size_t close = page.find("}}", open);
    require(close != std::string_view::npos, "an open {{ in a page");
    result += page.substr(at, open - at);
    // Text that is put in is not searched again: a title may contain "{{data}}".
    const std::string_view key = page.substr(open + 2, close - open - 2);
    if (key == "title")
      result += html_text(title);
    else if (key == "data")
      result += json_in_html(json);
    else if (key == "colours")
      result += sign_style();
    else
      result += file(key);
    at = close + 2;
  }
  return result += page.substr(at);
}

std::string html_text(std::string_view text) {
  std::string escaped;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace convtool
