// Numbers out of a file's bytes, never from beyond their end.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"

namespace convtool {

/// Error(input): "damaged or truncated PNG", with what was found wrong, if anything can be said.
[[noreturn]] inline void throw_damaged(std::string_view format, const std::string& detail = "") {
  throw Error(ErrorKind::input, "",
              "damaged or truncated " + std::string(format) + (detail.empty() ? "" : " (" + detail + ")"));
}

/// The number whose bytes, in this order, stand at `from`.
template <class Number>
Number load_number(const std::byte* from, std::endian order) {
  std::array<std::byte, sizeof(Number)> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  if (order != std::endian::native) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<Number>(bytes);
}

/// A position in bytes that do not belong to it. Reading past the end throws Error(input), naming the format.
class ByteReader {
 public:
  enum class Order { little, big };

  ByteReader(std::string_view format, std::span<const std::byte> bytes, Order order, std::uint64_t position = 0)
      : format_(format), bytes_(bytes), order_(order) {
    seek(position);
  }

  std::uint64_t position() const { return position_; }
  std::uint64_t size() const { return bytes_.size(); }
  bool at_end() const { return position_ == bytes_.size(); }

  void seek(std::uint64_t position) {
    if (position > bytes_.size()) throw_damaged(format_, "it ends too early");
    position_ = position;
  }
  void skip(std::uint64_t count) {
    if (count > bytes_.size() - position_) throw_damaged(format_, "it ends too early");
    position_ += count;
  }

  /// An unsigned number of 1 to 8 bytes.
  std::uint64_t number(int size) {
    const std::uint64_t first = position_;
    skip(static_cast<std::uint64_t>(size));
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) {
      const int at = order_ == Order::big ? i : size - 1 - i;
      value = value << 8 | static_cast<std::uint64_t>(bytes_[first + static_cast<std::uint64_t>(at)]);
    }
    return value;
  }
  std::uint32_t u8() { return static_cast<std::uint32_t>(number(1)); }
  std::uint32_t u16() { return static_cast<std::uint32_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }

  /// The next `count` bytes as characters, where they lie.
  std::string_view text(std::uint64_t count) {
    const std::uint64_t first = position_;
    skip(count);
    return {reinterpret_cast<const char*>(bytes_.data()) + first, count};
  }

  /// Everything from here to the end as characters; the position stays.
  std::string_view rest() const {
    return {reinterpret_cast<const char*>(bytes_.data()) + position_, bytes_.size() - position_};
  }

 private:
  std::string_view format_;
  std::span<const std::byte> bytes_;
  Order order_;
  std::uint64_t position_ = 0;
};

}  // namespace convtool
