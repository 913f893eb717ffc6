#include "core/tensor.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace convtool {

void FreePixels::operator()(void* bytes) const { std::free(bytes); }

std::unique_ptr<void, FreePixels> allocate_pixels(std::size_t size) {
  constexpr std::size_t kLine = 64, kLargePage = std::size_t{2} << 20;
  const bool is_large = size >= 2 * kLargePage;
  const std::size_t alignment = is_large ? kLargePage : kLine;
  if (size > SIZE_MAX - alignment) throw std::bad_alloc();
  const std::size_t whole = std::max((size + alignment - 1) / alignment, std::size_t{1}) * alignment;
  std::unique_ptr<void, FreePixels> bytes(std::aligned_alloc(alignment, whole));
  if (bytes == nullptr) throw std::bad_alloc();
  if (is_large) madvise(bytes.get(), whole, MADV_HUGEPAGE);  // a hint; failure does no harm
  return bytes;
}

}  // namespace convtool
