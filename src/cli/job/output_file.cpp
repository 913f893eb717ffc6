#include "cli/job/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "core/error.h"
#include "files/file.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

bool is_terminal(const std::string& path) {
  if (path == "-") return ::isatty(STDOUT_FILENO) == 1;
  std::error_code ignored;
  if (!fs::is_character_file(path, ignored)) return false;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  const bool is_one = descriptor >= 0 && ::isatty(descriptor) == 1;
  if (descriptor >= 0) ::close(descriptor);
  return is_one;
}

}  // namespace

bool exists(const std::string& path) {
  std::error_code ignored;
  return !is_stream(path) && fs::exists(fs::symlink_status(path, ignored));
}

void create_folder_of(const std::string& path) {
  std::error_code failed;
  const fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) return;
  fs::create_directories(folder, failed);
  if (failed)
    throw Error(ErrorKind::output, folder.string(), "the folder cannot be created (" + failed.message() + ")");
}

void refuse_terminal(const std::string& path, std::string_view format) {
  if (is_terminal(path))
    throw Error(ErrorKind::output, "",
                std::string(format) + " bytes are not written to a terminal; redirect them, or use -o FILE");
}

}  // namespace convtool
