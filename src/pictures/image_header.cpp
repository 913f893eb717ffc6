#include "pictures/image_header.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "pictures/headers/formats.h"
#include "pictures/headers/netpbm_text.h"
#include "pictures/metadata/directory.h"
#include "pictures/stream/picture_end.h"
#include "pictures/tiff/directory.h"

namespace convtool {
namespace {

// The decoder's own limits (modules/imgcodecs/src/loadsave.cpp: CV_IO_MAX_IMAGE_PIXELS, _WIDTH, _HEIGHT).
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 30;
constexpr std::int64_t kLongestSide = std::int64_t{1} << 20;

std::string size_text(const PictureHeader& header) {  // as users write it
  return std::to_string(header.width) + "x" + std::to_string(header.height);
}

/// `most_ever` is the limit that no option raises.
void check_pixels(const PictureHeader& header, std::int64_t max_pixels, std::uint64_t most_ever) {
  if (header.width == 0 || header.height == 0)
    throw Error(ErrorKind::input, "", "a picture without pixels (" + size_text(header) + ")");
  const std::uint64_t pixels = static_cast<std::uint64_t>(header.width) * static_cast<std::uint64_t>(header.height);
  const std::uint64_t most = std::min(most_ever, static_cast<std::uint64_t>(std::max<std::int64_t>(0, max_pixels)));
  if (pixels <= most) return;
  const std::string advice = pixels <= most_ever ? "; raise --max-pixels" : "; crop or shrink it first";
  throw Error(
      ErrorKind::input, "",
      size_text(header) + " is " + std::to_string(pixels) + " pixels (at most " + std::to_string(most) + ")" + advice);
}

/// The header of the first picture in `bytes`.
PictureHeader read_header(std::span<const std::byte> bytes, PictureType type, std::uint64_t page_at = 0) {
  switch (type) {
    case PictureType::png: return read_png_header(bytes);
    case PictureType::jpeg: return read_jpeg_header(bytes);
    case PictureType::tiff: return read_tiff_header(bytes, page_at);
    case PictureType::bmp: return read_bmp_header(bytes);
    case PictureType::webp: return read_webp_header(bytes);
    case PictureType::pnm: return read_pnm_header(bytes);
    case PictureType::pfm: return read_pfm_header(bytes);
    case PictureType::exr: return read_exr_header(bytes);
  }
  require(false, "a picture type without a reader");
  return {};
}

/// Whether a picture begins here, rather than a few bytes that look like a signature.
bool has_header(std::span<const std::byte> bytes) {
  const std::optional<PictureType> type = sniff_picture_type(bytes);
  if (!type) return false;
  try {
    read_header(bytes, *type);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

PictureHeader read_picture_header(std::span<const std::byte> bytes, std::uint64_t page_at) {
  if (bytes.empty()) throw Error(ErrorKind::input, "", "the file is empty");
  const std::optional<PictureType> type = sniff_picture_type(bytes);
  if (!type)
    throw Error(ErrorKind::input, "", "not a picture that can be read (PNG, JPEG, TIFF, BMP, WebP, PNM, PFM, OpenEXR)");
  PictureHeader header = read_header(bytes, *type, page_at);
  const bool is_first = page_at == 0 || page_at == TiffStructure(bytes).first();
  if (is_first) header.pictures = count_pictures(bytes);
  return header;
}

std::int64_t count_pictures(std::span<const std::byte> bytes) {
  constexpr std::int64_t kMost = 65536;
  std::int64_t count = 1;
  for (; count < kMost; ++count) {
    const std::optional<std::size_t> end = find_picture_end(bytes);
    if (!end || *end == bytes.size()) break;
    const bool is_text = sniff_picture_type(bytes) == PictureType::pnm && bytes[1] <= std::byte{'3'};
    bytes = bytes.subspan(*end);
    if (is_text) bytes = bytes.subspan(count_spaces(bytes));
    if (!has_header(bytes)) break;
  }
  return count;
}

std::vector<std::uint64_t> find_pages(std::span<const std::byte> tiff) { return TiffDirectory(tiff).chain(); }

PictureHeader read_small_header(std::span<const std::byte> bytes, std::int64_t max_pixels, std::uint64_t page_at) {
  const PictureHeader header = read_picture_header(bytes, page_at);
  check_pixels(header, max_pixels, kMostPixels);
  if (std::max(header.width, header.height) > kLongestSide)
    throw Error(ErrorKind::input, "",
                size_text(header) + " has a side of more than " + std::to_string(kLongestSide) +
                    " pixels; crop or shrink it first");
  return header;
}

void check_pixels(const PictureHeader& header, std::int64_t max_pixels) {
  check_pixels(header, max_pixels, std::numeric_limits<std::uint64_t>::max());
}

std::vector<Remark> remarks_on_others(const PictureHeader& header) {
  std::vector<Remark> remarks;
  const auto add = [&](std::int64_t count, const char* noun) {
    if (count > 1) remarks.push_back({"only the first of its " + std::to_string(count) + noun + " is read"});
  };
  const bool is_jpeg = header.type == PictureType::jpeg;
  if (!is_jpeg)
    add(header.pages, header.type == PictureType::exr   ? " parts"
                      : header.type == PictureType::png ? " frames"
                                                        : " pages");
  add(is_jpeg ? std::max(header.pages, header.pictures) : header.pictures, " pictures");
  return remarks;
}

std::vector<Remark> remarks_on(const PictureHeader& header) {
  std::vector<Remark> remarks = remarks_on_others(header);
  if (header.has_profile)
    remarks.push_back({"its ICC profile is ignored: values are taken as sRGB, and the output has no profile", true});
  if (header.has_gamma)
    remarks.push_back({"its gamma is ignored: values are taken as sRGB, and the output has no gamma", true});
  return remarks;
}

}  // namespace convtool
