// Where results go: one destination for each input, settled and checked before any work.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/batch/inputs.h"
#include "network/layer.h"
#include "tensors/file_format.h"

namespace convtool {

class Folders;
class ReadFiles;

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

/// One destination for each of `inputs`: --output as given, or with {dir}, {stem}, {name}, {kernel} and {ext} in it
/// filled in for each; else STEM.KERNEL.EXT beside the input, or in --out-dir and there in the input's own folder, EXT
/// being --format's, or the input's own for tensors and float pictures, or png; standard output for standard input.
/// With --dump-layers each layer of `network` goes to STEM.01-LAYER.npy and so on in that folder, and there in the
/// input's own folder.
/// Throws Error(usage) for an unknown format, extension or {word}, one output for several inputs, an output that is a
/// folder or one of `read`, and a folder that is missing or not writable (of --out-dir and of names with {} it may be
/// missing).
std::vector<Destination> plan_destinations(const std::vector<Input>& inputs, const ReadFiles& read,
                                           const DestinationOptions& options, const Network& network, Folders& folders);

/// A kernel's name as part of a file's: what shells, paths or other systems may trip over becomes '-'.
std::string file_name_part(const std::string& kernel_name);

/// Whether there is a file; standard output, a device or a pipe is none.
bool exists(const std::string& path);

/// Makes the folder that `path` lies in where it is missing. Throws Error(output).
void make_folder_of(const std::string& path);

/// What the extension of a derived name may become once the input is decoded: floats that its format cannot hold, or
/// content that is not what the input's name says.
inline constexpr const char* kFormatsOfDerivedNames[] = {"tiff", "npy", "json"};

/// The same name with the extension of `format`.
Destination with_format(const Destination& destination, const FileFormat& format);

}  // namespace convtool
