// What a run is to filter: files by name, from lists and from folders.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace convtool {

struct Input {
  std::string path;    ///< "-" is standard input
  std::string folder;  ///< where it goes below --out-dir: its place in the folder or list that it was found in; or ""
};

struct InputOptions {
  std::vector<std::string> named;
  std::optional<std::string> files_from;  ///< a file of names, or "-"
  bool nul_separated = false;             ///< the names end with NUL instead of a line's end
  bool recursive = false;                 ///< folders stand for the files in them
  std::vector<std::string> include;       ///< globs of which a file's name in a folder has to match one
};

class ReadFiles;

/// All inputs, in the order named; the files of a folder sorted by path, without hidden ones, what lies in `out_dir`,
/// and `others`, which the run reads or keeps besides: kernels, a manifest. Without globs those whose extension is a
/// format's. A name need not exist, or may be a folder: that is found when its turn comes. Throws Error(usage) when
/// there are none, for standard input twice, options that mean nothing, and a list or folder that cannot be read.
std::vector<Input> find_inputs(const InputOptions& options, const std::optional<std::string>& out_dir,
                               const ReadFiles& others);

/// The folders that `options` list recursively, as a later run will find them.
class ListedFolders {
 public:
  ListedFolders(const InputOptions& options, const std::optional<std::string>& out_dir);

  /// Throws Error(usage) when `output`, other than "-", would be an input of the next run: lies in one of them, not in
  /// `out_dir`, under a name that is wanted there. `settled` is its settled_path().
  void refuse_output(const std::string& output, const std::string& settled) const;

 private:
  const InputOptions& options_;
  std::map<std::string, std::string> folders_;  ///< settled, and as named
  std::string out_dir_;                         ///< settled; or ""
};

}  // namespace convtool
