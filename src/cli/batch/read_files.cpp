#include "cli/batch/read_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cli/batch/folders.h"
#include "core/error.h"
#include "tensors/npz.h"

namespace convtool {

void ReadFiles::add(const std::vector<std::string>& paths) {
  Folders folders;
  for (const std::string& name : paths) {
    const std::string path = split_array_path(name).file;
    struct stat status;
    const bool is_stdin = path == "-";
    if (is_stdin && (::fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))) continue;
    if (!is_stdin) paths_.insert(folders.settle(path));
    if (is_stdin || ::stat(path.c_str(), &status) == 0)
      names_.emplace(std::pair(status.st_dev, status.st_ino), is_stdin ? "standard input" : path);
  }
}

std::string ReadFiles::find(const std::string& path, const std::string& settled) const {
  if (path == "-") return "";
  if (paths_.contains(settled)) return settled;
  struct stat status;
  if (::stat(settled.c_str(), &status) != 0) return "";
  const auto found = names_.find({status.st_dev, status.st_ino});
  return found == names_.end() ? "" : found->second;
}

void ReadFiles::refuse_overwriting(const std::string& path) const { refuse_overwriting(path, settled_path(path)); }

void ReadFiles::refuse_overwriting(const std::string& path, const std::string& settled) const {
  const std::string name = find(path, settled);
  if (!name.empty()) refuse_usage(path, "the output is '" + name + "', which this run reads; write to another file");
}

}  // namespace convtool
