// The data of a page (show/page.h), as its script reads them.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

inline nlohmann::json page_data(const std::string& html) {
  const std::string begin = R"(<script type="application/json" id="data">)";
  const std::size_t at = html.find(begin);
  REQUIRE(at != std::string::npos);
  const std::size_t first = at + begin.size();
  return nlohmann::json::parse(html.substr(first, html.find("</script>", first) - first));
}
