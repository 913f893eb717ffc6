// Numbers and text read from bytes in memory, with a check against their end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"

namespace convtool {

/// Throws Error(input): "damaged or truncated PNG (DETAIL)".
[[noreturn]] inline void throw_damaged(std::string_view format, const std::string& detail = "") {
  throw Error(ErrorKind::input, "",
              "damaged or truncated " + std::string(format) + (detail.empty() ? "" : " (" + detail + ")"));
}

/// The number with its bytes in reverse, where `order` is not that of this processor. GCC vectorises loops over it.
template <class Number>
Number to_order(Number number, std::endian order) {
  if (sizeof(Number) == 1 || order == std::endian::native) return number;
  if constexpr (sizeof(Number) == 2)
    number = std::bit_cast<Number>(__builtin_bswap16(std::bit_cast<std::uint16_t>(number)));
  if constexpr (sizeof(Number) == 4)
    number = std::bit_cast<Number>(__builtin_bswap32(std::bit_cast<std::uint32_t>(number)));
  if constexpr (sizeof(Number) == 8)
    number = std::bit_cast<Number>(__builtin_bswap64(std::bit_cast<std::uint64_t>(number)));
  return number;
}

/// The number stored at `from` in this byte order.
template <class Number>
Number load_number(const std::byte* from, std::endian order) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  return to_order(number, order);
}

/// Stores a number in this byte order.
template <class Number>
void store_number(std::byte* to, Number number, std::endian order) {
  number = to_order(number, order);
  std::memcpy(to, &number, sizeof number);
}

/// A read position in bytes, which it does not own. Reading past the end throws Error(input) with the format.
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

  /// The next `size` bytes, 1 to 8, as an unsigned number.
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

  /// The next `count` bytes as characters; a view of the bytes themselves.
  std::string_view text(std::uint64_t count) {
    const std::uint64_t first = position_;
    skip(count);
    return {reinterpret_cast<const char*>(bytes_.data()) + first, count};
  }

  /// All bytes from the position to the end as characters. Does not move the position.
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
