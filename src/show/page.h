// Web pages that are one file: no network, no library to load.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// The page `name`: NAME.html of src/show/pages, where {{FILE}} stands for another file of that folder, {{colours}} for
/// the style of the colours of signs, {{title}} for the title and {{data}} for the data. The script reads the data from
/// the element with the id "data". `title` is any text, `json` a JSON text in UTF-8; neither can end the element that
/// it is in.
std::string make_page(std::string_view name, std::string_view title, std::string_view json);

/// `text` as HTML text or as an attribute in quotes: on one line, with & < > " ' escaped.
std::string html_text(std::string_view text);

}  // namespace convtool
