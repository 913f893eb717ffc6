// Kernels in the formats of other programs. convtool's own is in kernel_json.h and kernel_writer.h.
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
  vips,      ///< libvips' matrix text: a head "width height scale offset", then rows
  magick,    ///< ImageMagick's kernel string, "3x3+1+1: 1,2,1 2,4,2 1,2,1", as -morphology Correlate takes it
  sharp,     ///< what sharp's convolve() takes, as JSON: width, height, kernel, scale, offset
  openeo,    ///< the arguments of openEO's apply_kernel: kernel, factor, border, replace_invalid
};
inline constexpr std::string_view kKernelFormats[] = {"convtool", "npy", "vips", "magick", "sharp", "openeo"};

/// convtool's, sharp's and openEO's.
bool is_json(KernelFormat format);

/// By extension: .json, .npy, .mat; nothing for others.
std::optional<KernelFormat> kernel_format_of_name(std::string_view path);

/// The format of `bytes`, the content of the file `path`: by content where it says so, else by extension. Nothing when
/// neither does.
std::optional<KernelFormat> guess_kernel_format(std::span<const std::byte> bytes, std::string_view path);

/// Reads a kernel. `source` is the file named in errors, `name` the kernel's where the format has none. Throws
/// Error(kernel) for what is damaged, and for what the format can say but a kernel of ours cannot.
Network parse_kernel(KernelFormat format, std::span<const std::byte> bytes, const std::string& source,
                     const std::string& name);

/// The file that stands for `network`. Weights read back as the same floats, unless the format has no divisor, where
/// they are the quotients rounded to double (.npy: to float). Throws Error(kernel, network.name) for what the format
/// cannot say, each with its own sentence. Padding alone may be left out, as border_remark() tells.
Bytes format_kernel(KernelFormat format, const Network& network);

/// What becomes of the border where `format` does not hold what `network` says of it; "" where it does.
std::string border_remark(KernelFormat format, const Network& network);

}  // namespace convtool
