// The files that a run reads, and must not overwrite.
#pragma once

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace convtool {

/// Files are compared by device and inode, so that other names of the same file are recognised.
class ReadFiles {
 public:
  /// The files need not exist, and may be followed by the name of an array (tensors/npz.h). "-" is the file that
  /// standard input is redirected from, if any.
  explicit ReadFiles(const std::vector<std::string>& paths) { add(paths); }
  void add(const std::vector<std::string>& paths);

  /// The name by which the file `path` is read; "" if it is not read. `settled` is its settled_path().
  std::string find(const std::string& path, const std::string& settled) const;

  /// Throws Error(usage) if `path` is one of the files.
  void refuse_overwriting(const std::string& path) const;
  void refuse_overwriting(const std::string& path, const std::string& settled) const;

 private:
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
  std::set<std::string> paths_;  ///< settled_path() of each
};

}  // namespace convtool
