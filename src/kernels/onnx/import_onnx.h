// Imports the first layers of an ONNX model as a network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "network/layer.h"
#include "tensors/onnx_file.h"

namespace convtool {

/// What an import gives.
struct OnnxImport {
  /// Without a name; no banks if nothing was imported. The description of a layer is "Conv + Relu, to 'VALUE'": the
  /// operators that it stands for, and the value that the last of them writes.
  Network network;
  std::string input;                ///< the name of the input, for messages
  std::optional<std::string> stop;  ///< why it ends before the model does: "node 'fc' (Gemm): REASON"
};

/// Follows the graph of a model from its input, and makes layers of its operators, as far as it can. Batch
/// normalisation and constant scales become a part of the convolution before them where nothing is in between. With
/// `until`, which is the name of a node or of a value, it follows the path to there, and ends after it. Throws
/// Error(usage) if there is no such node, with the nearest name, and Error(kernel, path) if the input is not a picture.
/// Throws what OnnxFile::read() throws, too.
OnnxImport import_onnx(const OnnxFile& file, const std::optional<std::string>& until);

}  // namespace convtool
