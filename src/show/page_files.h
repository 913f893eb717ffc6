// The files of src/show/pages, embedded at build time.
#pragma once

#include <span>
#include <string_view>

namespace convtool {

struct PageFile {
  std::string_view name;  ///< "base.css"
  std::string_view text;
};

std::span<const PageFile> page_files();

}  // namespace convtool
