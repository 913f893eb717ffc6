// Internal to kernels/: the formats of kernel_format.h that are other programs', each in the file of its name. Functions
// throw as parse_kernel() and format_kernel() do.
#pragma once

#include <string>
#include <string_view>

#include "network/layer.h"

namespace convtool {

Network parse_vips_matrix(std::string_view text, const std::string& source, const std::string& name);
std::string format_vips_matrix(const Network& network);

/// Whether `text` begins as a kernel string with sizes does: "3x3:", "5x3+2+1:".
bool looks_like_magick_kernel(std::string_view text);
Network parse_magick_kernel(std::string_view text, const std::string& source, const std::string& name);
std::string format_magick_kernel(const Network& network);

Network parse_sharp_kernel(std::string_view text, const std::string& source, const std::string& name);
std::string format_sharp_kernel(const Network& network);

Network parse_openeo_kernel(std::string_view text, const std::string& source, const std::string& name);
std::string format_openeo_kernel(const Network& network);

}  // namespace convtool
