// The bytes of a file in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"

namespace convtool {

using Bytes = std::vector<std::byte>;

/// Owns bytes that are not filled with zeros first, which takes as long as reading a file into them; or a vector.
class Buffer {
 public:
  Buffer() = default;
  /// Not initialised. Throws std::bad_alloc.
  explicit Buffer(std::size_t size) : memory_(allocate_pixels(size)), size_(size) {}
  /// Takes over the vector.
  Buffer(Bytes bytes) : vector_(std::move(bytes)), size_(vector_.size()) {}

  std::byte* data() { return memory_ ? static_cast<std::byte*>(memory_.get()) : vector_.data(); }
  const std::byte* data() const { return memory_ ? static_cast<const std::byte*>(memory_.get()) : vector_.data(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::byte* begin() { return data(); }
  std::byte* end() { return data() + size_; }
  const std::byte* begin() const { return data(); }
  const std::byte* end() const { return data() + size_; }

  /// Gives up the bytes from `size` on; their memory is kept.
  void shorten(std::size_t size) {
    require(size <= size_, "a buffer shortened to more bytes than it has");
    size_ = size;
  }

  friend bool operator==(const Buffer& a, const Buffer& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::unique_ptr<void, FreePixels> memory_;
  Bytes vector_;  // used if there is no `memory_`
  std::size_t size_ = 0;
};

}  // namespace convtool
