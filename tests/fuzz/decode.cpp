// Whole pictures of one type: the pixels are what the header announces, and survive being written and read again. Of a
// PNG they are those of libpng, also when the checksums of the input are made right.
#include <cstring>

#include "fuzz/picture_seeds.h"
#include "fuzz/target.h"
#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/image_header.h"
#include "support/png_comparison.h"

namespace convtool::fuzz {
namespace {

constexpr std::int64_t kMostPixels = 1 << 14;
constexpr std::int64_t kMostMemory = 64 << 20;  // larger tiles take long and show nothing new

bool same_pixels(const Image& a, const Image& b) {
  return visit_dtype(a.dtype(), [&]<class T>(T) {
    const auto x = a.all().view<T>(), y = b.all().view<T>();
    for (std::int64_t row = 0; row < x.shape.h; ++row)
      for (std::int64_t column = 0; column < x.shape.w; ++column)
        for (std::int64_t channel = 0; channel < x.shape.c; ++channel)
          if (std::memcmp(&x.at(0, channel, row, column), &y.at(0, channel, row, column), sizeof(T)) != 0) return false;
    return true;
  });
}

/// The exceptions that PictureFormat states, and JPEG, which is not lossless.
bool changes_pixels(const PictureFormat& format, PixelFormat pixels) {
  return format.name == "jpeg" || (format.name == "exr" && pixels == PixelFormat::grey_alpha) ||
         (format.name == "webp" && pixels == PixelFormat::grey);
}

void check_round_trips(const Image& image) {
  for (const PictureFormat& format : picture_formats()) {
    if (!holds(format, image.dtype(), image.format())) continue;
    const std::string name(format.name);
    Bytes file;
    if (!accepts({ErrorKind::output}, [&] { file = encode_image(image, format); })) continue;
    std::optional<Image> back;
    if (!accepts({ErrorKind::input}, [&] { back = decode_image(file, kMostPixels); })) fail(name + " cannot be read");
    check(back->dtype() == image.dtype() && back->all().shape.h == image.all().shape.h &&
              back->all().shape.w == image.all().shape.w,
          name + ": another size or type");
    if (changes_pixels(format, image.format())) continue;
    check(back->format() == image.format(), name + ": other channels");
    check(same_pixels(image, *back), name + ": other pixels");
  }
}

void check_picture(std::span<const std::byte> input) {
  const PictureHeader header = read_small_header(input, kMostPixels);
  if (header.working_memory > kMostMemory) return;
  const Image image = decode_image(input, kMostPixels);
  const Shape& shape = image.all().shape;
  const std::int64_t width = header.is_transposed() ? header.height : header.width;
  const std::int64_t height = header.is_transposed() ? header.width : header.height;
  check(shape.w == width && shape.h == height, "another size than in the header");
  check(shape.c == header.channels,
        std::to_string(shape.c) + " channels, in the header " + std::to_string(header.channels));
  check(image.dtype() == header.dtype,
        "type " + std::string(to_string(image.dtype())) + ", in the header " + std::string(to_string(header.dtype)));
  check_round_trips(image);
}

void check_against_libpng(std::span<const std::byte> input) {
  const std::string difference = testing::compare_png(input, read_small_header(input, kMostPixels)).difference;
  check(difference.empty(), difference);
}

void check_png(std::span<const std::byte> input) {
  accepts({ErrorKind::input}, [&] { check_against_libpng(testing::with_right_checksums(input)); });
  check_against_libpng(input);
  check_picture(input);
}

template <PictureType type>
bool run(std::span<const std::byte> input) {
  return sniff_picture_type(input) == type &&
         accepts({ErrorKind::input}, [&] { type == PictureType::png ? check_png(input) : check_picture(input); });
}

template <PictureType type>
Target target(const std::string& name) {
  std::vector<Bytes> seeds = picture_seeds();
  std::erase_if(seeds, [](const Bytes& seed) { return sniff_picture_type(seed) != type; });
  return {name, run<type>, seeds};
}

}  // namespace

std::vector<Target> decode_targets() {
  return {target<PictureType::png>("decode_png"),   target<PictureType::jpeg>("decode_jpeg"),
          target<PictureType::tiff>("decode_tiff"), target<PictureType::bmp>("decode_bmp"),
          target<PictureType::webp>("decode_webp"), target<PictureType::pnm>("decode_pnm"),
          target<PictureType::pfm>("decode_pfm"),   target<PictureType::exr>("decode_exr")};
}

}  // namespace convtool::fuzz
