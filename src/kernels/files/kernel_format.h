// Kernel files in convtool's own format and those of other programs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "files/file.h"
#include "network/layer.h"

namespace convtool {

enum class KernelFormat {
  convtool,  ///< kernels/kernel.schema.json
  npy,       ///< weights alone
  vips,      ///< libvips' matrix text: a header "width height scale offset", then rows
  magick,    ///< ImageMagick's kernel string, "3x3+1+1: 1,2,1 2,4,2 1,2,1", as -morphology Correlate takes it
  sharp,     ///< the argument of sharp's convolve(), as JSON: width, height, kernel, scale, offset
  openeo,    ///< the arguments of openEO's apply_kernel: kernel, factor, border, replace_invalid
};
inline constexpr std::string_view kKernelFormats[] = {"convtool", "npy", "vips", "magick", "sharp", "openeo"};

/// Whether the format is JSON: convtool's, sharp's and openEO's are.
bool is_json(KernelFormat format);

/// The format of a file name that ends in .json (convtool), .npy or .mat (vips); nothing for other names.
std::optional<KernelFormat> kernel_format_of_name(std::string_view path);

/// The format of `bytes`, the content of the file `path`: from the content if that is enough, else from the extension.
/// Nothing if neither shows it.
std::optional<KernelFormat> guess_kernel_format(std::span<const std::byte> bytes, std::string_view path);

/// Reads a kernel. Errors name `source`, the file; the kernel is called `name` where the format stores no name. Throws
/// Error(kernel) for a damaged file, and for what the format can express but a convtool kernel cannot.
Network parse_kernel(KernelFormat format, std::span<const std::byte> bytes, const std::string& source,
                     const std::string& name);

/// Writes `network` as a file. Its weights read back as the same floats; where the format has no divisor, they are the
/// quotients rounded to double (.npy: to float). Throws Error(kernel, network.name) for what the format cannot express.
/// Only the padding may be left out, as border_remark() reports.
Bytes format_kernel(KernelFormat format, const Network& network);

/// How the border of a picture will differ where `format` does not store the padding of `network`; "" where it does.
std::string border_remark(KernelFormat format, const Network& network);

}  // namespace convtool
