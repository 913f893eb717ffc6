// Headers and metadata of picture files: nothing impossible is read from them.
#include <string_view>
#include <vector>

#include "cli/job/source.h"
#include "fuzz/picture_seeds.h"
#include "fuzz/target.h"
#include "pictures/encode_image.h"
#include "pictures/headers/exif.h"
#include "pictures/image_header.h"
#include "pictures/metadata/metadata.h"
#include "pictures/pixel_values.h"

namespace convtool::fuzz {
namespace header {

constexpr std::int64_t kMostPixels = 1 << 20;

bool is_orientation(Orientation orientation) {
  return orientation >= Orientation::top_left && orientation <= Orientation::left_bottom;
}

void check_header(const PictureHeader& header) {
  constexpr std::int64_t kLargestSide = std::int64_t{1} << 32;
  check(header.width >= 0 && header.height >= 0 && header.width <= kLargestSide && header.height <= kLargestSide,
        "an impossible size");
  check(header.channels >= 1 && header.channels <= 4, "an impossible number of channels");
  check(header.pages >= 1, "no pages");
  check(header.working_memory >= 0, "negative memory");
  check(is_orientation(header.orientation), "an impossible orientation");
  if (header.transparent_grey)
    check(*header.transparent_grey >= 0 && *header.transparent_grey <= 65535, "an impossible grey");
  for (const Remark& remark : remarks_on(header)) check(!remark.text.empty(), "an empty remark");
}

/// What is read is sound, and comes through every format that keeps it.
void check_metadata(std::span<const std::byte> input, const PictureHeader& header) {
  const PictureMetadata read = read_metadata(input, header);
  constexpr const char* kNames[] = {"png", "jpeg", "webp", "tiff"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (!is_due(i, std::size(kNames), input)) continue;
    const std::string_view name = kNames[i];
    PictureMetadata kept = read;
    std::vector<Remark> remarks;
    fit_metadata(kept, name, PixelFormat::rgb, remarks);
    Image pixel(DType::u8, PixelFormat::rgb, 1, 1);
    testing::set_values<std::uint8_t>(pixel.all(), [](std::int64_t) { return std::uint8_t{7}; });
    const Bytes file = encode_image(std::move(pixel), *find_picture_format(name), {}, kept);
    const PictureHeader of_file = read_picture_header(file);
    check(of_file.orientation == Orientation::top_left, "EXIF that is not upright");
    const PictureMetadata again = read_metadata(file, of_file);
    check(again.remarks.empty(), "a kept part is damaged");
    check(again.profile == kept.profile && again.xmp == kept.xmp, "a kept part is changed");
    if (name != "tiff") check(again.exif == kept.exif, "kept EXIF is changed");
    check(!kept.resolution || again.resolution, "a kept resolution is lost");
  }
}

bool run(std::span<const std::byte> input) {
  const bool is_readable = accepts({ErrorKind::input}, [&] { check_header(read_picture_header(input)); });
  if (is_readable) check_metadata(input, read_picture_header(input));
  const bool is_small = accepts({ErrorKind::input}, [&] {
    const PictureHeader header = read_small_header(input, kMostPixels);
    check(header.width >= 1 && header.height >= 1 && header.width <= kMostPixels / header.height,
          "a small header of a large picture");
  });
  check(is_readable || !is_small, "a damaged header that is small");
  for (const auto& limit : {std::optional(kMostPixels), std::optional<std::int64_t>()}) {
    accepts({ErrorKind::input}, [&] {
      const SourceHeader header = read_source_header(input, "picture.png", limit);
      if (header.picture) check(is_readable, "a damaged header that is a source");
    });
  }
  check(is_orientation(read_exif_orientation(input)), "an impossible orientation");
  return is_readable;
}

}  // namespace header

Target header_target() { return {"header", header::run, picture_seeds()}; }

}  // namespace convtool::fuzz
