// The file of a report page (--report).
#pragma once

#include <string>

#include "cli/batch/read_files.h"
#include "show/report_page.h"

namespace convtool {

/// A page as the command line asks for it.
struct PageOptions {
  std::string path;
  std::string settled;  ///< settled_path() of it
  PageHead head;
};

/// Throws Error(usage) if the page cannot be written, or would replace a file in `read`. A missing folder is created
/// when the page is written.
void check_page(const PageOptions& page, const ReadFiles& read);

/// Throws Error(usage) if `output`, a file that the run writes, whose settled_path() is `settled`, is the page, or one
/// of the two is used as a folder of the other.
void refuse_as_page(const PageOptions& page, const std::string& output, const std::string& settled);

/// Writes the page, all or nothing. Throws Error(output).
void write_page(const PageOptions& page, const std::string& html);

/// The URL of `file` on `page`, relative to it, so that both may be moved together.
std::string link_on_page(const PageOptions& page, const std::string& file);

}  // namespace convtool
