// What `--kernel` takes: a file, a shipped name, a generated kernel, or inline JSON.
#pragma once

#include <cstddef>
#include <string>

#include "network/layer.h"

namespace convtool {

/// Loads the kernel that `argument` names:
///   text that begins with [ or {        inline JSON, called "inline"
///   a path that contains / or ends in .json or .npy
///   a shipped name                      kernels/shipped.h
///   NAME or NAME:param=value,...        kernels/generated.h
/// Throws Error(kernel) or Error(input); an unknown name suggests the nearest.
Network load_kernel(const std::string& argument);

/// Whether `text` is a shipped kernel's name, or a generator's with or without parameters.
bool is_kernel_name(const std::string& text);

/// Bytes; no larger kernel file is read.
inline constexpr std::size_t kLargestKernelFile = std::size_t{64} << 20;

}  // namespace convtool
