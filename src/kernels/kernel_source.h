// The argument of `--kernel`: a file, a shipped name, a generated kernel, or a kernel as text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "kernels/files/kernel_format.h"
#include "kernels/files/kernel_json.h"
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
/// Where `weights` are optional, layers in JSON may be without.
Network load_kernel(const std::string& argument, Weights weights = Weights::required);

/// The same for the value of another option, which errors name in place of --kernel.
Network load_kernel_of(const std::string& option, const std::string& argument, Weights weights = Weights::required);

/// Loads the kernel in the file `path`, in `format`, by default the one that its content shows. Throws Error(kernel).
Network load_kernel_file(const std::string& path, std::optional<KernelFormat> format = std::nullopt,
                         Weights weights = Weights::required);

/// Loads the argument of `--layers`, layers that may be without weights:
///   inline JSON, called "inline"    text that begins with [ or {, where no file has that name
///   a file                          of JSON or layer text; a name without spaces that contains / or a dot, or exists
///   layer text, called "inline"     kernels/files/layer_text.h
/// Throws Error(kernel).
Network load_layers(const std::string& argument);

/// Bytes; a larger kernel file is refused.
inline constexpr std::size_t kLargestKernelFile = std::size_t{64} << 20;

}  // namespace convtool
