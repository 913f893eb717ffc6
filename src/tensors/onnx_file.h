// Reading ONNX models: the graph of operators, and the tensors stored with it. Nothing of a model is executed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/buffer.h"
#include "tensors/protobuf.h"

namespace convtool {

/// A stored tensor (onnx.proto, TensorProto). Its name and numbers are views of the file.
struct OnnxTensor {
  std::string_view name;
  std::vector<std::int64_t> dims;
  std::int64_t type = 0;                          ///< TensorProto.DataType
  std::optional<std::span<const std::byte>> raw;  ///< the elements, little-endian
  std::vector<ProtobufField> typed;               ///< or fields of numbers
  bool is_external = false;                       ///< the elements are in another file
  std::string_view location, offset, length;      ///< of an external tensor
  bool is_segment = false;                        ///< a part of a tensor

  bool has_integers() const;
};

struct OnnxAttribute {
  std::string_view name;
  std::optional<std::int64_t> integer;
  std::optional<float> real;
  std::optional<std::string_view> text;
  std::vector<std::int64_t> integers;
  std::vector<float> reals;
  std::optional<OnnxTensor> tensor;
};

/// An operator and the names of the values that it reads and writes; "" for one that is left out.
struct OnnxNode {
  std::string_view name, type, domain;
  std::vector<std::string_view> inputs, outputs;
  std::vector<OnnxAttribute> attributes;
};

/// An input or output of the graph. `dims` is empty if the file does not give a shape; -1 stands for a size that it
/// leaves open, such as that of the batch.
struct OnnxValue {
  std::string_view name;
  std::optional<std::vector<std::int64_t>> dims;
};

/// The graph, as the file lists it.
struct OnnxGraph {
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxValue> inputs, outputs;
};

/// An ONNX model (onnx.proto, ModelProto).
class OnnxFile {
 public:
  /// Throws Error(kernel, path) if the file is missing or not regular, is larger than 2 GiB, which is the limit of the
  /// format, is damaged, has no graph, or has more than 2^20 nodes, names, attributes and tensors.
  explicit OnnxFile(const std::string& path);

  const std::string& path() const { return path_; }
  const OnnxGraph& graph() const { return graph_; }

  /// The elements of a tensor of this file, row-major. Reads another file where the tensor is external: one in the
  /// folder of the model or below. Throws Error(kernel, path) unless the dimensions are possible, at most `most`
  /// elements are asked for and as many are there, of a type of floats, integers or truth values; and for segments.
  std::vector<double> read(const OnnxTensor& tensor, std::int64_t most) const;

  /// The paths of all other files that tensors refer to.
  std::vector<std::string> external_files() const;

 private:
  std::string external_path(const OnnxTensor& tensor) const;
  Buffer external_bytes(const OnnxTensor& tensor, std::uint64_t size) const;

  std::string path_;
  Buffer bytes_;
  OnnxGraph graph_;
};

}  // namespace convtool
