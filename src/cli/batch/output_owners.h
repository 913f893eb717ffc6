// Which input each output file belongs to.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/batch/folders.h"
#include "cli/job/output_name.h"

namespace convtool {

/// Names are planned before any work, but a derived name may take another extension once its input is read. Therefore
/// each file belongs to one input: two inputs never write the same file, whichever comes first.
class OutputOwners {
 public:
  /// Refers to `inputs` and their `destinations`. Throws Error(usage) if two files of them are the same, or
  /// one would be a folder of another.
  OutputOwners(const std::vector<Input>& inputs, const std::vector<Destination>& destinations, Folders& folders);

  /// Throws Error(output) if `path`, which `input` is to be written to instead of the planned name, may belong to
  /// another input.
  void refuse_others(const std::string& path, const std::string& input) const;

  /// Notes that `path`, a numbered name, which is not known before the work, is an output of `input`. Throws
  /// Error(output) if another output of this run may be the same file. May be called by several threads.
  void claim_numbered(const std::string& path, const std::string& input);

 private:
  const std::vector<Input>& inputs_;
  const std::vector<Destination>& destinations_;
  std::map<std::string, std::size_t> planned_;               ///< index of the input, by settled_path()
  std::map<std::string, std::vector<std::size_t>> derived_;  ///< the same without extension, in order
  std::mutex mutex_;
  std::unordered_map<std::string, std::string> numbered_;  ///< the input, by settled_path(), where there are several
};

}  // namespace convtool
