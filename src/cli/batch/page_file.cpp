#include "cli/batch/page_file.h"

#include <filesystem>
#include <span>

#include "cli/batch/destinations.h"
#include "cli/batch/folders.h"
#include "cli/job/output_file.h"
#include "files/file.h"
#include "files/file_writer.h"

namespace convtool {

namespace {

/// Throws Error(output) where the folder exists and takes no file, whatever its permissions say: it may be full, or of
/// a system that is read-only or has no files of its own.
void try_to_write(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (is_stream(path) || (!folder.empty() && !std::filesystem::exists(folder, ignored))) return;
  const FileWriter removed_again(path);
}

}  // namespace

void check_page(const PageOptions& page, const ReadFiles& read) {
  try {
    check_output(page.path, true, read);
    try_to_write(page.path);
  } catch (const Error& error) {
    refuse_usage("--report", error.what());
  }
}

void refuse_as_page(const PageOptions& page, const std::string& output, const std::string& settled) {
  const std::string& own = page.settled;
  if (settled == own)
    refuse_usage("--report", "'" + page.path + "' is also an output ('" + output + "'); choose another file");
  if (settled.starts_with(own + "/") || own.starts_with(settled + "/"))
    refuse_usage("--report", "'" + page.path + "' and the output '" + output +
                                 "' cannot both exist: one would be a folder of the other; choose another file");
}

void write_page(const PageOptions& page, const std::string& html) {
  create_folder_of(page.path);
  write_file(page.path, std::as_bytes(std::span(html.data(), html.size())));
}

std::string link_on_page(const PageOptions& page, const std::string& file) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(page.settled).parent_path();
  const std::string path = fs::path(settled_path(file)).lexically_relative(folder).string();
  // "./" keeps a colon in the first name from ending a scheme (RFC 3986, section 4.2).
  std::string url = "./";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') || c == '/' || c == '.' || c == '-' || c == '_' || c == '~';
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (is_plain)
      url += c;
    else
      url += {'%', kDigits[byte / 16], kDigits[byte % 16]};
  }
  return url;
}

}  // namespace convtool
