// The bytes of an ONNX model, valid or not, message by message (onnx.proto).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/safetensors.h"

namespace onnx {

inline std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}

/// A string, a message or packed numbers.
inline std::string field(std::uint64_t number, const std::string& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}
inline std::string field(std::uint64_t number, std::int64_t integer) {
  return varint(number << 3) + varint(static_cast<std::uint64_t>(integer));
}
inline std::string field(std::uint64_t number, float real) {
  return varint(number << 3 | 5) + raw_bytes(std::vector<float>{real});
}

using Sizes = std::vector<std::int64_t>;

enum Type : std::int64_t { kFloat = 1, kInt64 = 7, kFloat16 = 10, kDouble = 11, kBFloat16 = 16 };

/// A TensorProto without elements.
inline std::string tensor_of(const std::string& name, std::int64_t type, const Sizes& dims) {
  std::string bytes = field(8, name) + field(2, type);
  for (const std::int64_t size : dims) bytes += field(1, size);
  return bytes;
}

/// A TensorProto of floats.
inline std::string tensor(const std::string& name, const Sizes& dims, const std::vector<float>& values) {
  return tensor_of(name, kFloat, dims) + field(9, raw_bytes(values));
}
inline std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
  return tensor_of(name, kInt64, {std::ssize(values)}) + field(9, raw_bytes(values));
}

// AttributeProto.
inline std::string attribute(const std::string& name, std::int64_t value) { return field(1, name) + field(3, value); }
inline std::string attribute(const std::string& name, float value) { return field(1, name) + field(2, value); }
inline std::string attribute(const std::string& name, const std::string& text) {
  return field(1, name) + field(4, text);
}
inline std::string attribute(const std::string& name, const Sizes& values) {
  std::string bytes = field(1, name);
  for (const std::int64_t value : values) bytes += field(8, value);
  return bytes;
}

/// A NodeProto called as its output, with AttributeProtos.
inline std::string node(const std::string& type, const std::vector<std::string>& inputs, const std::string& output,
                        const std::vector<std::string>& attributes = {}, const std::string& domain = "") {
  std::string bytes = field(2, output) + field(3, output) + field(4, type);
  for (const std::string& input : inputs) bytes += field(1, input);
  for (const std::string& each : attributes) bytes += field(5, each);
  return domain.empty() ? bytes : bytes + field(7, domain);
}

/// A ValueInfoProto of floats; a size of -1 is a word.
inline std::string value(const std::string& name, const Sizes& dims) {
  std::string shape;
  for (const std::int64_t size : dims) shape += field(1, size < 0 ? field(2, std::string("size")) : field(1, size));
  return field(1, name) + field(2, field(1, field(1, std::int64_t{1}) + field(2, shape)));
}

/// A ModelProto with the input "x" of `dims` and the output "y".
inline std::string model(const std::vector<std::string>& nodes, const std::vector<std::string>& tensors = {},
                         const Sizes& dims = {-1, 3, -1, -1}) {
  std::string graph;
  for (const std::string& each : nodes) graph += field(1, each);
  for (const std::string& each : tensors) graph += field(5, each);
  graph += field(11, value("x", dims)) + field(12, value("y", {-1, -1, -1, -1}));
  return field(1, std::int64_t{7}) + field(8, field(2, std::int64_t{13})) + field(7, graph);
}

}  // namespace onnx
