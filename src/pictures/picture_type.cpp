#include "pictures/picture_type.h"

#include <algorithm>

namespace convtool {

std::string_view to_string(PictureType type) {
  constexpr std::string_view kNames[] = {"PNG", "JPEG", "TIFF", "BMP", "WebP", "PNM", "PFM", "OpenEXR"};
  return kNames[static_cast<int>(type)];
}

std::optional<PictureType> sniff_picture_type(std::span<const std::byte> bytes) {
  using namespace std::string_view_literals;
  constexpr std::size_t kLongestSignature = 12;
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kLongestSignature));
  if (start.starts_with("\x89PNG\r\n\x1a\n")) return PictureType::png;
  if (start.starts_with("\xff\xd8\xff")) return PictureType::jpeg;
  for (const std::string_view signature : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (start.starts_with(signature)) return PictureType::tiff;
  if (start.starts_with("BM")) return PictureType::bmp;
  if (start.starts_with("RIFF") && start.ends_with("WEBP") && start.size() == kLongestSignature)
    return PictureType::webp;
  if (start.starts_with("\x76\x2f\x31\x01")) return PictureType::exr;
  const auto ends_with_any = [&](std::string_view characters) {
    return start.size() >= 3 && characters.find(start[2]) != std::string_view::npos;
  };
  if ((start.starts_with("PF") || start.starts_with("Pf")) && ends_with_any(" \t\n\v\f\r")) return PictureType::pfm;
  if (ends_with_any(" \t\n\v\f\r#") && start[0] == 'P' && start[1] >= '1' && start[1] <= '6') return PictureType::pnm;
  return std::nullopt;
}

}  // namespace convtool
