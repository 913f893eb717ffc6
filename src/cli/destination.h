// Where results go: one destination for each input, settled and checked before any work.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/inputs.h"
#include "io/file_format.h"
#include "network/layer.h"

namespace convtool {

struct Destination {
  std::string path;                   ///< "-" is standard output
  std::optional<FileFormat> format;   ///< none: standard output, in the format of the input
  bool derived = false;               ///< the name was made from the input's; the extension may yet follow its content
  bool make_folder = false;           ///< the folder may be missing, and is made before writing
  std::vector<std::string> layers{};  ///< where what each layer makes is written to; the folder may be missing
};

struct DestinationOptions {
  std::optional<std::string> output, out_dir, format;
  std::optional<std::string> dump_layers;  ///< a folder for what each layer makes
};

/// Where writing to `path` ends up: absolute, links followed even where they lead to nothing yet, and `..` taken back
/// even through folders that are yet to be made.
std::string settled_path(const std::string& path);

/// The files that a run reads, known by device and inode: no output may be one of them, by whatever name.
class ReadFiles {
 public:
  explicit ReadFiles(const std::vector<std::string>& paths);  // they need not exist

  /// Throws Error(usage) when `path` is one of them.
  void refuse_overwriting(const std::string& path) const;

 private:
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
  std::set<std::string> paths_;  ///< settled_path() of each
};

/// One destination for each of `inputs`: --output as given, or with {dir}, {stem}, {name}, {kernel} and {ext} in it
/// filled in for each; else STEM.KERNEL.EXT beside the input, or in --out-dir and there in the input's own folder, EXT
/// being --format's, or the input's own for tensors and float pictures, or png; standard output for standard input.
/// With --dump-layers each layer of `network` goes to STEM.01-LAYER.npy and so on in that folder, and there in the
/// input's own folder.
/// Throws Error(usage) for an unknown format, extension or {word}, one output for several inputs, an output that is a
/// folder, one of `read`, or another input's output, and a folder that is missing or not writable (of --out-dir and of
/// names with {} it may be missing).
/// `may_be_floats` tells of an input's name whether its result may be floats, in which case a derived name may yet take
/// the extension of a format for them.
std::vector<Destination> plan_destinations(const std::vector<Input>& inputs, const ReadFiles& read,
                                           const DestinationOptions& options, const Network& network,
                                           const std::function<bool(const std::string&)>& may_be_floats);

/// Throws Error(usage) where `destination`, not standard output, cannot be written to: it is a folder, or one of
/// `read`; its folder is missing and not to be made, is none, or may not be written to.
void check_writable(const Destination& destination, const ReadFiles& read);

/// A kernel's name as part of a file's: what shells, paths or other systems may trip over becomes '-'.
std::string file_name_part(const std::string& kernel_name);

/// Throws Error(usage) unless `path` can be written to, its folder being made where it is missing: it is a folder, or
/// one of `read`, or the folder is not writable.
void check_output(const std::string& path, const ReadFiles& read);

/// Whether there is a file; standard output is none.
bool exists(const std::string& path);

/// Makes the folder that `path` lies in where it is missing. Throws Error(output).
void make_folder_of(const std::string& path);

/// The same name with the extension of `format`.
Destination with_format(const Destination& destination, const FileFormat& format);

}  // namespace convtool
