// Whole pictures of one type: the pixels are what the header announces, and survive being written and read again. Of a
// PNG they are those of libpng, also when the checksums of the input are made right.
#include <cstring>
#include <utility>

#include "fuzz/memory_file.h"
#include "fuzz/picture_seeds.h"
#include "fuzz/target.h"
#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/image_header.h"
#include "pictures/raw_pictures.h"
#include "support/png_comparison.h"
#include "support/row_comparison.h"

namespace convtool::fuzz {
namespace decode {

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
         (format.name == "webp" && (pixels == PixelFormat::grey || pixels == PixelFormat::grey_alpha));
}

/// Whether `back` is `image` from WebP, where libwebp stores no alpha that is opaque throughout.
bool lacks_opaque_alpha(const Image& image, const Image& back, const PictureFormat& format) {
  if (format.name != "webp" || image.format() != PixelFormat::rgba || back.format() != PixelFormat::rgb) return false;
  const auto view = image.all().view<std::uint8_t>();
  for (std::int64_t row = 0; row < view.shape.h; ++row)
    for (std::int64_t column = 0; column < view.shape.w; ++column)
      if (view.at(0, 3, row, column) != 255) return false;
  return true;
}

void check_round_trips(std::span<const std::byte> input, const Image& image) {
  std::vector<PictureFormat> formats;
  for (const PictureFormat& format : picture_formats())
    if (holds(format, image.dtype(), image.format())) formats.push_back(format);
  for (std::size_t i = 0; i < formats.size(); ++i) {
    if (!is_due(i, formats.size(), input)) continue;
    const PictureFormat& format = formats[i];
    const std::string name(format.name);
    Bytes file;
    if (!accepts({ErrorKind::output}, [&] { file = encode_image(image, format); })) continue;
    std::optional<Image> back;
    if (!accepts({ErrorKind::input}, [&] { back = decode_image(file, kMostPixels); })) fail(name + " cannot be read");
    check(back->dtype() == image.dtype() && back->all().shape.h == image.all().shape.h &&
              back->all().shape.w == image.all().shape.w,
          name + ": another size or type");
    if (changes_pixels(format, image.format())) continue;
    check(back->format() == image.format() || lacks_opaque_alpha(image, *back, format), name + ": other channels");
    check(same_pixels(*back, image), name + ": other pixels");
  }
}

/// Binary PNM and PFM have the same pixels when they are read in bands.
void check_bands(std::span<const std::byte> input, const Image& image) {
  const MemoryFile memory(input);
  RandomAccessFile file(memory.path(), ErrorKind::input);
  const std::optional<RawPicture> raw = read_raw_picture(file);
  const bool is_text = input[1] >= std::byte{'1'} && input[1] <= std::byte{'3'};
  check(raw.has_value() != is_text, "a picture with and without text");
  if (is_text) return;
  const Shape& shape = image.all().shape;
  check(raw->layout.shape == shape && raw->layout.dtype == image.dtype(), "bands of another size or type");
  const Image bands(image.dtype(), image.format(), shape.h, shape.w);
  const RasterReader reader(std::move(file), raw->layout);
  for (std::int64_t y = 0; y < shape.h; ++y) reader.read({.row = y}, bands.all().rows(y, 1));
  check(same_pixels(image, bands), "bands with other pixels");
}

void check_picture(std::span<const std::byte> input) {
  const PictureHeader header = read_small_header(input, kMostPixels);
  if (header.working_memory > kMostMemory) return;
  const auto check_rows = [&](const std::optional<Image>& whole) {
    const std::string difference = testing::compare_rows(input, header, whole, 1 + header.height / 3);
    check(difference.empty(), difference);
  };
  std::optional<Image> decoded;
  try {
    decoded.emplace(decode_image(input, kMostPixels));
  } catch (const Error&) {
    check_rows(std::nullopt);
    throw;
  }
  check_rows(decoded);
  const Image& image = *decoded;
  const Shape& shape = image.all().shape;
  const std::int64_t width = header.is_transposed() ? header.height : header.width;
  const std::int64_t height = header.is_transposed() ? header.width : header.height;
  check(shape.w == width && shape.h == height, "another size than in the header");
  check(shape.c == header.channels,
        std::to_string(shape.c) + " channels, in the header " + std::to_string(header.channels));
  check(image.dtype() == header.dtype,
        "type " + std::string(to_string(image.dtype())) + ", in the header " + std::string(to_string(header.dtype)));
  if (header.type == PictureType::pnm || header.type == PictureType::pfm) check_bands(input, image);
  check_round_trips(input, image);
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

}  // namespace decode

std::vector<Target> decode_targets() {
  return {decode::target<PictureType::png>("decode_png"),   decode::target<PictureType::jpeg>("decode_jpeg"),
          decode::target<PictureType::tiff>("decode_tiff"), decode::target<PictureType::bmp>("decode_bmp"),
          decode::target<PictureType::webp>("decode_webp"), decode::target<PictureType::pnm>("decode_pnm"),
          decode::target<PictureType::pfm>("decode_pfm"),   decode::target<PictureType::exr>("decode_exr")};
}

}  // namespace convtool::fuzz
