#include "tensors/protobuf.h"

#include <bit>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "files/byte_reader.h"

namespace convtool {
namespace {

[[noreturn]] void refuse_type(const ProtobufField& field) {
  refuse_kernel("", "field " + std::to_string(field.number) + " has wire type " +
                        std::to_string(static_cast<int>(field.type)) + ", which it cannot have");
}

}  // namespace

std::int64_t ProtobufField::integer() const {
  if (type != Type::varint) refuse_type(*this);
  return static_cast<std::int64_t>(value);
}

float ProtobufField::real() const {
  if (type != Type::fixed32) refuse_type(*this);
  return std::bit_cast<float>(static_cast<std::uint32_t>(value));
}

std::span<const std::byte> ProtobufField::message() const {
  if (type != Type::bytes) refuse_type(*this);
  return bytes;
}

std::string_view ProtobufField::text() const {
  const auto characters = message();
  return {reinterpret_cast<const char*>(characters.data()), characters.size()};
}

void ProtobufField::append_to(std::vector<std::int64_t>& integers) const {
  if (type != Type::bytes) return integers.push_back(integer());
  for (ProtobufReader packed(bytes); !packed.at_end();) integers.push_back(static_cast<std::int64_t>(packed.varint()));
}

void ProtobufField::append_to(std::vector<float>& reals) const {
  if (type != Type::bytes) return reals.push_back(real());
  if (bytes.size() % sizeof(float) != 0)
    refuse_kernel("", "a list of floats has " + counted(std::ssize(bytes), "byte"));
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(float))
    reals.push_back(load_number<float>(bytes.data() + i, std::endian::little));
}

bool ProtobufReader::next(ProtobufField& field) {
  if (rest_.empty()) return false;
  const std::uint64_t key = varint();
  field = {.number = key >> 3, .type = static_cast<ProtobufField::Type>(key & 7)};
  if (field.number == 0) refuse_kernel("", "a field has the number 0");
  switch (field.type) {
    case ProtobufField::Type::varint: field.value = varint(); return true;
    case ProtobufField::Type::fixed64:
      field.value = load_number<std::uint64_t>(take(8).data(), std::endian::little);
      return true;
    case ProtobufField::Type::fixed32:
      field.value = load_number<std::uint32_t>(take(4).data(), std::endian::little);
      return true;
    case ProtobufField::Type::bytes: field.bytes = take(varint()); return true;
  }
  refuse_kernel("", "a field has wire type " + std::to_string(key & 7));
}

std::uint64_t ProtobufReader::varint() {
  std::uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<std::uint64_t>(take(1).front());
    number |= (byte & 0x7F) << shift;
    if (byte < 0x80) return number;
  }
  refuse_kernel("", "an integer has more than 10 bytes");
}

std::span<const std::byte> ProtobufReader::take(std::uint64_t count) {
  if (count > rest_.size())
    refuse_kernel("", "a field of more bytes (" + std::to_string(count) + ") than are left (" +
                          std::to_string(rest_.size()) + ")");
  const auto taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

}  // namespace convtool
