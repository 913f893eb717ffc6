// The part of `convtool kernels import` that imports the arrays of safetensors files.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace convtool {

struct ArrayImport {
  std::string file;
  std::vector<std::string> names;  ///< of arrays, or without ".weight"
  std::optional<std::string> out_dir;
  bool all = false, no_clobber = false;

  /// Whether no array is asked for.
  bool lists() const { return names.empty() && !all; }
};

/// Lists the arrays of a safetensors file, or writes a kernel file for each that is asked for. Prints a note if the
/// file has batch normalisation. Returns the exit code. Throws as SafetensorsFile does, and Error(usage) or
/// Error(output) if an array cannot be a kernel or a file cannot be written.
int import_arrays(const ArrayImport& options);

}  // namespace convtool
