// What may be written to: no file that the run reads, no file twice, no folder that is not there.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/batch/inputs.h"
#include "cli/job/destination.h"

namespace convtool {

/// Where writing to `path` ends up: absolute, links followed even where they lead to nothing yet, and `..` taken back
/// even through folders that are yet to be made.
std::string settled_path(const std::string& path);

/// Folders that many files lie in, each looked at once. For checks before any work, while nothing changes.
class Folders {
 public:
  /// settled_path() of a file.
  std::string settle(const std::string& path);

  /// Throws Error(usage) where `destination`, not standard output, cannot be written to: it is a folder; its folder is
  /// missing and not to be made, is none, or may not be written to.
  void check(const Destination& destination);

 private:
  enum class State { missing, no_folder, read_only, writable };
  State state_of(const std::string& folder);

  std::map<std::string, std::string> settled_;
  std::map<std::string, State> states_;
  std::set<std::string> can_be_made_;
};

/// The files that a run reads, known by device and inode: no output may be one of them, by whatever name.
class ReadFiles {
 public:
  /// They need not exist. "-" is the file that standard input comes from, if it does.
  explicit ReadFiles(const std::vector<std::string>& paths) { add(paths); }
  void add(const std::vector<std::string>& paths);

  /// The file that is `path`, by the name that it is read by; "" when there is none. `settled` is its settled_path().
  std::string find(const std::string& path, const std::string& settled) const;

  /// Throws Error(usage) when `path` is one of them.
  void refuse_overwriting(const std::string& path) const { refuse_overwriting(path, settled_path(path)); }
  void refuse_overwriting(const std::string& path, const std::string& settled) const;

 private:
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
  std::set<std::string> paths_;  ///< settled_path() of each
};

/// Which input's result every file is to hold. Names are settled before any work, but derived ones may take another
/// extension once their inputs are decoded; so that no two take the same, each belongs to one input, whichever comes
/// first to write.
class OutputOwners {
 public:
  /// `destinations` of `inputs`, to which it refers. Throws Error(usage) where two are planned to be one file.
  OutputOwners(const std::vector<Input>& inputs, const std::vector<Destination>& destinations, Folders& folders);

  /// Throws Error(output) when `path`, the name that the result of `input` has taken instead of the planned one, may be
  /// that of another input's.
  void refuse_others(const std::string& path, const std::string& input) const;

 private:
  const std::vector<Input>& inputs_;
  const std::vector<Destination>& destinations_;
  std::map<std::string, std::size_t> planned_;               ///< indices, by settled_path()
  std::map<std::string, std::vector<std::size_t>> derived_;  ///< the same without extension, in order
};

/// Throws Error(usage) where `destination`, not standard output, cannot be written to, as Folders does, or is one of
/// `read`.
void check_writable(const Destination& destination, const ReadFiles& read);

/// Throws Error(usage) unless `path` can be written to, its folder being made where it is missing.
void check_output(const std::string& path, const ReadFiles& read);

}  // namespace convtool
