// Bytes as text, for files inside pages and drawings.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace convtool {

/// `bytes` in Base64, padded (RFC 4648, section 4).
std::string base64(std::span<const std::byte> bytes);

}  // namespace convtool
