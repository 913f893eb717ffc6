// A vector whose memory starts on a cache line.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace convtool {

/// An allocator of blocks on 64-byte boundaries: one cache line, one AVX-512 vector.
template <class T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}

  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kAlignment)); }
  void deallocate(T* block, std::size_t) { ::operator delete(block, kAlignment); }

  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) { return true; }
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace convtool
