// The kernels of kernels/*.json, built into the program, which therefore needs no files at run time.
#pragma once

#include <span>
#include <string_view>

namespace convtool {

struct ShippedKernel {
  std::string_view name;  ///< the file's stem
  std::string_view json;  ///< the file's text
};

/// All of them, sorted by name.
std::span<const ShippedKernel> shipped_kernels();

/// The kernel called `name`, or null.
const ShippedKernel* find_shipped_kernel(std::string_view name);

}  // namespace convtool
