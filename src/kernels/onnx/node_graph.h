// Internal to kernels/onnx/: the graph of a model, by the names of its values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/onnx/constant_folding.h"
#include "kernels/onnx/node.h"
#include "tensors/onnx_file.h"

namespace convtool {

/// Which nodes write and read each value. Refers to the file, which must outlive it.
class NodeGraph {
 public:
  explicit NodeGraph(const OnnxFile& file);

  const OnnxFile& file() const { return file_; }

  /// The node that writes this value, or null.
  const OnnxNode* writer(std::string_view value) const;

  /// The nodes that read this value, each once, in the order of the file. After keep_only_before(), only those kept.
  std::vector<const OnnxNode*> readers(std::string_view value) const;

  /// Whether the value is one of those that keep_only_before() got last: at first, the outputs of the model.
  bool is_result(std::string_view value) const;

  /// Forgets all nodes that none of these values depends on, and those that only measure shapes.
  void keep_only_before(const std::vector<std::string_view>& values);

  /// The stored tensor of this value, if it is one: an initializer or the tensor of a Constant node, also through
  /// Identity and casts to floats.
  const OnnxTensor* stored(std::string_view value) const;

  /// Whether a node that is not a Constant writes the value, or what it is a copy of.
  bool is_computed(std::string_view value) const;

  /// Whether nodes compute the value from the shape of another one.
  bool depends_on_size(std::string_view value) const;

  /// Remembers the shape of a value that depends on the input.
  void set_shape(std::string_view value, std::vector<std::int64_t> dims) { shapes_[value] = std::move(dims); }

  /// The numbers of a value that is stored, given by the other attributes of a Constant node, or computed from such
  /// ones (kernels/onnx/constant_folding.h) and from shapes that are known. Throws as OnnxFile::read() does.
  std::optional<Constant> constant(std::string_view value, std::int64_t most) const;

 private:
  /// The name by which the value is stored or computed, before Identity and casts.
  std::string_view origin(std::string_view value) const;

  /// constant() of a value that nodes compute, at most `steps` of them.
  std::optional<Constant> folded(std::string_view value, std::int64_t most, int& steps) const;

  const OnnxFile& file_;
  std::vector<std::string_view> results_;
  std::map<std::string_view, const OnnxNode*> writers_;
  std::map<std::string_view, std::vector<const OnnxNode*>> readers_;
  std::map<std::string_view, const OnnxTensor*> initializers_;
  std::map<std::string_view, std::vector<std::int64_t>> shapes_;
};

}  // namespace convtool
