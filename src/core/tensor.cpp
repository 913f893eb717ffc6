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
  if (size > SIZE_MAX - kLine) throw std::bad_alloc();
  const std::size_t whole = std::max((size + kLine - 1) / kLine, std::size_t{1}) * kLine;
  void* bytes = nullptr;
  if (posix_memalign(&bytes, is_large ? kLargePage : kLine, whole) != 0) throw std::bad_alloc();
  // Only whole pages, so that the last one takes no more memory than is asked for. A hint; failure does no harm.
  if (is_large) madvise(bytes, whole / kLargePage * kLargePage, MADV_HUGEPAGE);
  return std::unique_ptr<void, FreePixels>(bytes);
}

}  // namespace convtool
