// Folders that outputs are written to.
#pragma once

#include <map>
#include <set>
#include <string>

#include "cli/job/output_name.h"

namespace convtool {

/// The file that writing to `path` creates or replaces, as an absolute path: symbolic links are followed even if they
/// point to nothing yet, and `..` is resolved even through folders that do not exist yet.
std::string settled_path(const std::string& path);

/// Folders that contain the files of a run, each examined only once. For checks before any work, while nothing changes.
class Folders {
 public:
  /// settled_path() of a file.
  std::string settle(const std::string& path);

  /// Throws Error(usage) unless `destination`, not standard output, can be written to: it must not be a folder, and its
  /// folder must be writable, or missing and allowed to be created.
  void check(const Destination& destination);

 private:
  enum class State { missing, no_folder, read_only, writable };
  State state_of(const std::string& folder);

  std::map<std::string, std::string> settled_;
  std::map<std::string, State> states_;
  std::set<std::string> can_be_created_;
};

}  // namespace convtool
