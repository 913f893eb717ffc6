#include "pictures/metadata/metadata.h"

#include <algorithm>
#include <string>

#include "pictures/metadata/exif_block.h"
#include "pictures/metadata/profile.h"
#include "pictures/metadata/readers.h"

namespace convtool {
namespace {

constexpr std::string_view kProfilePart = "ICC profile", kExifPart = "EXIF", kXmpPart = "XMP",
                           kResolutionPart = "resolution";

StoredMetadata read_stored(std::span<const std::byte> bytes, const PictureHeader& header) {
  switch (header.type) {
    case PictureType::png: return read_png_metadata(bytes);
    case PictureType::jpeg: return read_jpeg_metadata(bytes);
    case PictureType::webp: return read_webp_metadata(bytes);
    case PictureType::tiff: return read_tiff_metadata(bytes, header.page_at);
    case PictureType::bmp:
    case PictureType::exr:
    case PictureType::pfm:
    case PictureType::pnm: break;
  }
  return {};
}

/// Replaces the orientation in XMP, "tiff:Orientation" as an attribute or an element, by 1.
void set_upright(Bytes& xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
  for (std::size_t at = text.find(kName); at != std::string_view::npos; at = text.find(kName, at)) {
    at = text.find_first_not_of("=>\"' \t\r\n", at + kName.size());
    if (at == std::string_view::npos) return;
    if (text[at] >= '1' && text[at] <= '8') xmp[at] = std::byte{'1'};
  }
}

/// Where a part can be stored.
struct Home {
  std::string_view format;
  bool has_resolution;
  std::size_t most_exif, most_xmp;
};

constexpr std::size_t kAny = kMostMetadata;
/// A segment of a JPEG has at most 65533 bytes, the name of the part among them.
constexpr Home kHomes[] = {{"png", true, kAny, kAny},
                           {"jpeg", true, 65533 - 6, 65533 - 29},
                           {"tiff", true, kAny, kAny},
                           {"webp", false, kAny, kAny}};

const Home* find_home(std::string_view format) {
  const auto* const found =
      std::find_if(std::begin(kHomes), std::end(kHomes), [&](const Home& home) { return home.format == format; });
  return found == std::end(kHomes) ? nullptr : found;
}

bool can_store(std::string_view format, const Resolution& resolution) {
  if (format == "png") return png_density(resolution).has_value();
  return format != "jpeg" || jpeg_density(resolution).has_value();
}

bool has_zero(const Bytes& text) { return std::find(text.begin(), text.end(), std::byte{0}) != text.end(); }

Remark left_out(std::string_view part, const std::string& cause) {
  return {"its " + std::string(part) + " is left out: " + cause, true};
}

}  // namespace

Bytes copy_part(std::span<const std::byte> part) {
  return part.size() > kMostMetadata ? Bytes() : Bytes(part.begin(), part.end());
}

PictureMetadata read_metadata(std::span<const std::byte> bytes, const PictureHeader& header) {
  PictureMetadata result;
  const auto complain = [&](std::string_view part) {
    result.remarks.push_back({"its " + std::string(part) + " is left out: it is damaged, or larger than 8 MiB"});
  };
  StoredMetadata stored = read_stored(bytes, header);
  if (stored.profile) {
    if (const std::optional<std::size_t> size = size_of_profile(*stored.profile)) {
      result.profile = std::move(*stored.profile);
      result.profile.resize(*size);
    } else {
      complain(kProfilePart);
    }
  }
  if (stored.exif) {
    try {
      result.exif = clean_exif(*stored.exif, header.is_transposed());
    } catch (const Error&) {
      complain(kExifPart);
    }
  }
  if (stored.xmp) {
    Bytes& xmp = *stored.xmp;
    while (!xmp.empty() && xmp.back() == std::byte{0}) xmp.pop_back();
    if (xmp.empty()) complain(kXmpPart);
    if (header.orientation != Orientation::top_left) set_upright(xmp);
    result.xmp = std::move(xmp);
  }
  if (stored.resolution && header.is_transposed()) std::swap(stored.resolution->x, stored.resolution->y);
  result.resolution = stored.resolution ? stored.resolution : resolution_in(result.exif);
  return result;
}

void fit_metadata(PictureMetadata& metadata, std::string_view name, std::optional<PixelFormat> pixels,
                  std::vector<Remark>& remarks) {
  remarks.insert(remarks.end(), metadata.remarks.begin(), metadata.remarks.end());
  const Home* const home = pixels ? find_home(name) : nullptr;
  const auto refuse = [&](std::string_view part) {
    const std::string format(name);
    remarks.push_back(left_out(part, format + " cannot store it"));
  };
  const auto fit_size = [&](std::string_view part, Bytes& bytes, std::size_t most) {
    if (bytes.size() <= most) return;
    if (most == 0)
      refuse(part);
    else
      remarks.push_back(left_out(part, "it has " + std::to_string(bytes.size()) + " bytes, and " + std::string(name) +
                                           " stores at most " + std::to_string(most) +
                                           "; write a .png, .webp or .tif"));
    bytes.clear();
  };
  if (!metadata.profile.empty() && home == nullptr) {
    refuse(kProfilePart);
    metadata.profile.clear();
  }
  if (!metadata.profile.empty()) {
    const std::string_view own = colours_of_profile(metadata.profile),
                           needed = name == "webp" ? "RGB" : profile_colours(*pixels);
    if (own != needed) {
      remarks.push_back(left_out(
          kProfilePart, "it is for " + std::string(own) + ", and the output is " + (needed == "RGB" ? "RGB" : "grey")));
      metadata.profile.clear();
    }
  }
  // A resolution that EXIF repeats is kept or lost with it.
  const std::optional<Resolution> in_exif = resolution_in(metadata.exif);
  const bool is_repeated = metadata.resolution && in_exif && is_about(*metadata.resolution, *in_exif);
  fit_size(kExifPart, metadata.exif, home == nullptr ? 0 : home->most_exif);
  fit_size(kXmpPart, metadata.xmp, home == nullptr ? 0 : home->most_xmp);
  if (name == "png" && has_zero(metadata.xmp)) {
    refuse(kXmpPart);
    metadata.xmp.clear();
  }
  if (metadata.resolution && (home == nullptr || !home->has_resolution || !can_store(name, *metadata.resolution))) {
    if (!is_repeated) refuse(kResolutionPart);
    metadata.resolution.reset();
  }
}

}  // namespace convtool
