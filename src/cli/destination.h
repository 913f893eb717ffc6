// Where results go: one destination for each input, settled and checked before any work.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/file_format.h"

namespace convtool {

struct Destination {
  std::string path;                  ///< "-" is standard output
  std::optional<FileFormat> format;  ///< none: standard output, in the format of the input
  bool derived = false;              ///< the name was made from the input's; the extension may yet follow its content
  bool make_folder = false;          ///< the folder may be missing, and is made before writing
};

struct DestinationOptions {
  std::optional<std::string> output, out_dir, format;
};

/// One destination for each of `inputs`: --output as given; else STEM.KERNEL.EXT in --out-dir or beside the input, EXT
/// being --format's, or the input's own for tensors and float pictures, or png; standard output for standard input.
/// Throws Error(usage) for an unknown format or extension, one output for several inputs, an output that is a folder,
/// an input, or another input's output, and a folder that is missing or not writable (--out-dir itself may be missing).
std::vector<Destination> plan_destinations(const std::vector<std::string>& inputs,
                                           const std::vector<std::string>& sources, const DestinationOptions& options,
                                           const std::string& kernel_name);

/// The same name with the extension of `format`.
Destination with_format(const Destination& destination, const FileFormat& format);

/// Throws Error(usage) when `path` is one of the files `sources`, by whatever name: an output never overwrites what the
/// run reads.
void refuse_overwriting(const std::string& path, const std::vector<std::string>& sources);

}  // namespace convtool
