// The argument of `--kernel`: a file, a shipped name, a generated kernel, or a kernel as text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "kernels/files/kernel_format.h"
#include "network/layer.h"

namespace convtool {

/// Loads the kernel that `argument` names. In this order, it is
///   inline JSON, called "inline"        text that begins with [ or {, or a printout, where no file has that name
///   a file                              a path that contains / or ends in .json, .npy, .npz, .npz#ARRAY or .mat
///   a shipped kernel                    a name of kernels/shipped.h
///   a generated kernel                  NAME or NAME:param=value,... of kernels/generated.h
///   a file                              in the current folder, with any other name
///   a kernel of another program         its text, such as ImageMagick's "3x3: 0,-1,0 -1,4,-1 0,-1,0"
/// A file is in any of the formats of kernels/files/kernel_format.h, which its content shows, a printout, or an
/// array of an .npz file (tensors/npz.h). Throws Error(kernel); for an unknown name it suggests the nearest.
Network load_kernel(const std::string& argument);

/// The same for the value of another option, which errors name in place of --kernel.
Network load_kernel_of(const std::string& option, const std::string& argument);

/// Loads the kernel in the file `path`, in `format`, by default the one that its content shows. Throws Error(kernel).
Network load_kernel_file(const std::string& path, std::optional<KernelFormat> format = std::nullopt);

/// Bytes; a larger kernel file is refused.
inline constexpr std::size_t kLargestKernelFile = std::size_t{64} << 20;

}  // namespace convtool
