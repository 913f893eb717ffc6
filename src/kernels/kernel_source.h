// The argument of `--kernel`: a file, a shipped name, a generated kernel, or inline JSON.
#pragma once

#include <cstddef>
#include <string>

#include "network/layer.h"

namespace convtool {

/// Loads the kernel that `argument` names. In this order, it is
///   inline JSON, called "inline"        text that begins with [ or {
///   a file                              a path that contains / or ends in .json or .npy
///   a shipped kernel                    a name of kernels/shipped.h
///   a generated kernel                  NAME or NAME:param=value,... of kernels/generated.h
/// Throws Error(kernel); for an unknown name it suggests the nearest.
Network load_kernel(const std::string& argument);

/// The same for the value of another option, which errors name in place of --kernel.
Network load_kernel_of(const std::string& option, const std::string& argument);

/// Bytes; a larger kernel file is refused.
inline constexpr std::size_t kLargestKernelFile = std::size_t{64} << 20;

}  // namespace convtool
