// The kinds of picture files that are read, recognised by their signatures.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace convtool {

/// PNM is P1 to P6, PFM is PF and Pf, TIFF includes BigTIFF.
enum class PictureType { png, jpeg, tiff, bmp, webp, pnm, pfm, exr };

/// The name in messages: "PNG", "JPEG", ...
std::string_view to_string(PictureType type);

/// The type whose signature `bytes` begin with; nothing when there is none.
std::optional<PictureType> sniff_picture_type(std::span<const std::byte> bytes);

}  // namespace convtool
