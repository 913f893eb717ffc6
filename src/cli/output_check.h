// What may be written to: no file that the run reads, no file twice, no folder that is not there.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/destination.h"
#include "cli/inputs.h"

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
};

/// The files that a run reads, known by device and inode: no output may be one of them, by whatever name.
class ReadFiles {
 public:
  explicit ReadFiles(const std::vector<std::string>& paths);  // they need not exist

  /// The file that is `path`, by the name that it is read by; "" when there is none. `settled` is its settled_path().
  std::string find(const std::string& path, const std::string& settled) const;

  /// Throws Error(usage) when `path` is one of them.
  void refuse_overwriting(const std::string& path) const { refuse_overwriting(path, settled_path(path)); }
  void refuse_overwriting(const std::string& path, const std::string& settled) const;

 private:
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
  std::set<std::string> paths_;  ///< settled_path() of each
};

/// Which input's result every file is to hold.
class OutputOwners {
 public:
  /// `destinations` of `inputs`. `may_be_floats` tells of an input's name whether its result may be floats, in which
  /// case a derived name may yet take the extension of a format for them. Throws Error(usage) where two inputs would
  /// write one file.
  OutputOwners(const std::vector<Input>& inputs, const std::vector<Destination>& destinations,
               const std::function<bool(const std::string&)>& may_be_floats, Folders& folders);

  /// Throws Error(output) when `path` belongs to another input than `input`: its content is not what its name says, and
  /// so the name of its result became another one than planned.
  void refuse_others(const std::string& path, const std::string& input) const;

 private:
  std::map<std::string, const Input*> owners_;  ///< by settled_path(); of the constructor's `inputs`
};

/// Throws Error(usage) where `destination`, not standard output, cannot be written to, as Folders does, or is one of
/// `read`.
void check_writable(const Destination& destination, const ReadFiles& read);

/// Throws Error(usage) unless `path` can be written to, its folder being made where it is missing.
void check_output(const std::string& path, const ReadFiles& read);

}  // namespace convtool
