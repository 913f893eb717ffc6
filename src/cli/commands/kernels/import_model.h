// The part of `convtool kernels import` that imports ONNX models.
#pragma once

#include <optional>
#include <string>

#include "cli/options/scaling_options.h"

namespace convtool {

struct ModelImport {
  std::string file;
  std::optional<std::string> output, out_dir;  ///< at most one of them
  std::optional<std::string> until;
  bool no_clobber = false;
  ScalingOptions scaling;  ///< in place of that of the model
};

/// Writes a kernel file for the first layers of a model, and a safetensors file with their weights beside it. Prints
/// the layers, and a note where the import ends before the model does. Returns the exit code. Throws as import_onnx()
/// does, Error(kernel) if there is nothing to import, and Error(usage) or Error(output) if a file cannot be written.
int import_model(const ModelImport& options);

}  // namespace convtool
