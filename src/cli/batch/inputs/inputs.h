// The inputs of a run: files by name, from lists and from folders.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/batch/read_files.h"
#include "cli/job/output_name.h"

namespace convtool {

struct InputOptions {
  std::vector<std::string> named;
  std::optional<std::string> files_from;  ///< a file of names, or "-"
  bool nul_separated = false;             ///< names are NUL-terminated instead of one per line
  bool recursive = false;                 ///< folders stand for the files below them
  std::vector<std::string> include;       ///< globs; files in folders must match one of them
};

/// All inputs, in the order given. A folder with --recursive stands for the files below it, sorted by path: those whose
/// extension is a format's, or that match a glob, except hidden files, files in `out_dir`, and `others`, the kernels
/// and manifest of the run. A name need not exist and may be a folder: that is reported when its turn comes. One input
/// may be a tensor as text (is_inline_tensor()). Throws Error(usage) if there are no inputs, standard input is given
/// twice, an option has no effect, or a list or folder cannot be read.
std::vector<Input> find_inputs(const InputOptions& options, const std::optional<std::string>& out_dir,
                               const ReadFiles& others);

/// The folders that `options` list recursively, as the next run will find them.
class ListedFolders {
 public:
  ListedFolders(const InputOptions& options, const std::optional<std::string>& out_dir);

  /// Throws Error(usage) if `output`, other than "-", would be an input of the next run: it lies in one of the folders,
  /// not in `out_dir`, and find_inputs() would find its name. `settled` is its settled_path().
  void refuse_output(const std::string& output, const std::string& settled) const;

 private:
  const InputOptions& options_;
  std::map<std::string, std::string> folders_;  ///< as given, by settled_path()
  std::string out_dir_;                         ///< settled_path(), or ""
};

}  // namespace convtool
