#include "conv/allocation_hook.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local convtool::testing::AllocationHook* hook = nullptr;

void* allocate(std::size_t size, std::size_t alignment) {
  if (hook != nullptr) hook->before_allocation();
  void* block = nullptr;
  if (posix_memalign(&block, alignment, size == 0 ? 1 : size) != 0) throw std::bad_alloc();
  return block;
}

}  // namespace

namespace convtool::testing {

AllocationHook::AllocationHook() { hook = this; }
AllocationHook::~AllocationHook() { hook = nullptr; }

}  // namespace convtool::testing

// The array forms of the C++ library call these. So do its forms with std::nothrow, but those of AddressSanitizer do
// not.
void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return allocate(size, alignof(std::max_align_t));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  try {
    return allocate(size, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
