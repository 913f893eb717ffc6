#include "kernels/shipped.h"

#include <algorithm>

// shipped_kernels() itself is in shipped_kernels.cpp, which embed.cmake writes from kernels/*.json.

namespace convtool {

const ShippedKernel* find_shipped_kernel(std::string_view name) {
  const std::span<const ShippedKernel> all = shipped_kernels();
  const auto found = std::find_if(all.begin(), all.end(), [name](const ShippedKernel& k) { return k.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace convtool
