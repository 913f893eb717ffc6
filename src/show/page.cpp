#include "show/page.h"

#include <algorithm>

#include "core/error.h"
#include "core/printable.h"
#include "show/page_files.h"

namespace convtool {
namespace {

std::string file(const std::string& name) {
  const auto files = page_files();
  const auto found = std::find_if(files.begin(), files.end(), [&](const PageFile& f) { return f.name == name; });
  require(found != files.end(), "a page without its files");
  return std::string(found->text);
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

/// What {{key}} stands for. Text that is put in is not searched again: a title may contain "{{data}}".
std::string filled(std::string_view key, std::string_view name, std::string_view title, std::string_view json) {
  const std::string stem(name);
  if (key == "title") return html_text(title);
  if (key == "styles") return file("base.css") + file(stem + ".css");
  if (key == "script") return file("base.js") + file(stem + ".js");
  require(key == "data", "an unknown {{name}} in a page");
  return json_in_html(json);
}

}  // namespace

std::string make_page(std::string_view name, std::string_view title, std::string_view json) {
  const std::string page = file(std::string(name) + ".html");
  std::string result;
  result.reserve(page.size() + json.size() + (1 << 16));
  std::size_t at = 0;
  for (std::size_t open; (open = page.find("{{", at)) != std::string::npos;) {
    const std::size_t close = page.find("}}", open);
    require(close != std::string::npos, "an open {{ in a page");
    result.append(page, at, open - at);
    result += filled(std::string_view(page).substr(open + 2, close - open - 2), name, title, json);
    at = close + 2;
  }
  return result.append(page, at);
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
