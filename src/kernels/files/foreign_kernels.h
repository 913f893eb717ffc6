// Internal to kernels/: a reader and a writer for each format of kernel_format.h but convtool's own, implemented in the
// file of the format's name. They throw as parse_kernel() and format_kernel() do.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "files/file.h"
#include "network/layer.h"

namespace convtool {

Network parse_npy_kernel(std::span<const std::byte> bytes, const std::string& source, const std::string& name);
Bytes format_npy_kernel(const Network& network);

Network parse_vips_matrix(std::string_view text, const std::string& source, const std::string& name);
std::string format_vips_matrix(const Network& network);

/// Whether `text` begins like a kernel string with a size: "3x3:", "5x3+2+1:".
bool looks_like_magick_kernel(std::string_view text);
Network parse_magick_kernel(std::string_view text, const std::string& source, const std::string& name);
std::string format_magick_kernel(const Network& network);

Network parse_sharp_kernel(std::string_view text, const std::string& source, const std::string& name);
std::string format_sharp_kernel(const Network& network);

Network parse_openeo_kernel(std::string_view text, const std::string& source, const std::string& name);
std::string format_openeo_kernel(const Network& network);

}  // namespace convtool
