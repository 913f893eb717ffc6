// Numbers drawn from the bytes of an input, for targets that build a structure from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

namespace convtool::fuzz {

/// Reads from the front. Where the bytes end, every number is the lowest of its range, so that a prefix of an input is
/// an input. Small changes of the bytes are small changes of the structure.
class Choices {
 public:
  explicit Choices(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// A whole number in [low, high]. Takes as many bytes as the range needs.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto range = static_cast<std::uint64_t>(high - low);
    std::uint64_t value = 0;
    for (std::uint64_t rest = range; rest > 0; rest >>= 8) value = value << 8 | byte();
    if (range != UINT64_MAX) value %= range + 1;
    return low + static_cast<std::int64_t>(value);
  }

  bool coin() { return between(0, 1) == 1; }
  bool one_in(std::int64_t n) { return between(1, n) == n; }

  template <class List>
  auto pick(const List& list) {
    return *(std::begin(list) + between(0, static_cast<std::int64_t>(std::size(list)) - 1));
  }

  /// All bytes that are left.
  std::span<const std::byte> rest() { return bytes_; }

 private:
  std::uint64_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<std::uint64_t>(bytes_.front());
    bytes_ = bytes_.subspan(1);
    return value;
  }

  std::span<const std::byte> bytes_;
};

}  // namespace convtool::fuzz
