// Internal to tensors/: the wire format of protocol buffers (protobuf.dev, "Encoding"), field by field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace convtool {

/// One field of a message. The bytes belong to the message.
struct ProtobufField {
  enum class Type { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  std::uint64_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;           ///< of a varint; the bits of a fixed64 or fixed32
  std::span<const std::byte> bytes;  ///< a string, a message or packed numbers

  // Each throws Error(kernel) for a field of another type.
  std::int64_t integer() const;
  float real() const;
  std::span<const std::byte> message() const;
  std::string_view text() const;

  /// Appends the numbers of a repeated field: one, or many where they are packed.
  void append_to(std::vector<std::int64_t>& integers) const;
  void append_to(std::vector<float>& reals) const;
};

/// Reads the fields of a message in their order. Lengths are checked against the message. Groups, which proto3 and ONNX
/// do not have, count as damage.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::span<const std::byte> message) : rest_(message) {}

  /// Whether there is another field, which is then in `field`. Throws Error(kernel), without a file.
  bool next(ProtobufField& field);

  bool at_end() const { return rest_.empty(); }

  /// An integer of 1 to 10 bytes, seven bits in each, the lowest first. Throws Error(kernel).
  std::uint64_t varint();

 private:
  std::span<const std::byte> take(std::uint64_t count);

  std::span<const std::byte> rest_;
};

}  // namespace convtool
