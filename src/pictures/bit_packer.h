// Internal to pictures/: writing of bits, as in Deflate.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "files/byte_reader.h"

namespace convtool {

/// Writes bits to memory, lowest first.
class BitPacker {
 public:
  /// `to` has room for what is written and 8 bytes more.
  explicit BitPacker(std::byte* to) : to_(to) {}

  /// Adds the lowest `count` bits of `bits`, at most 56. The others are 0.
  void put(std::uint64_t bits, int count) {
    pending_ |= bits << count_;
    count_ += count;
    store_number(to_, pending_, std::endian::little);
    to_ += count_ / 8;
    pending_ >>= count_ / 8 * 8;
    count_ %= 8;
  }

  /// Fills up the last byte with zeros.
  void align() {
    if (count_ > 0) put(0, 8 - count_);
  }

  /// Adds whole bytes, after align().
  void put_bytes(std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
  }

  /// Behind the last byte, after align().
  std::byte* end() const { return to_; }

 private:
  std::byte* to_;
  std::uint64_t pending_ = 0;
  int count_ = 0;  // of pending_, less than 8 between calls
};

}  // namespace convtool
