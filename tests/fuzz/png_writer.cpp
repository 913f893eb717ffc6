// The PNG writer, with pixels of any kind, levels and strategies: libpng and decode_image() read the same pixels, and
// the bytes are the same for any number of threads.
#include <png.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "fuzz/choices.h"
#include "fuzz/target.h"
#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/image_header.h"

namespace convtool::fuzz {
namespace png_writer {

struct PngInput {
  Image image;
  int level;
  std::optional<PngStrategy> strategy;
};

PngInput read_input(Choices choices) {
  const DType dtype = choices.coin() ? DType::u8 : DType::u16;
  const auto format = static_cast<PixelFormat>(choices.between(0, 3));
  const int level = static_cast<int>(choices.between(0, 9));
  std::optional<PngStrategy> strategy;
  if (const std::int64_t which = choices.between(0, 5); which > 0) strategy = static_cast<PngStrategy>(which - 1);
  constexpr std::int64_t kMostPixels = 100'000;  // two strips of the widest pixels; more take long and show nothing new
  const std::int64_t width = choices.between(1, choices.one_in(16) ? 1500 : 40);
  const std::int64_t most_rows = std::min<std::int64_t>(600, kMostPixels / width);
  const std::int64_t height = choices.between(1, choices.one_in(32) ? most_rows : 12);
  enum { plain, ramp, noise };
  const auto kind = choices.between(plain, noise);

  // The other bytes are the samples, repeated as needed.
  const std::span<const std::byte> bytes = choices.rest();
  const Image image(dtype, format, height, width);
  visit_dtype(dtype, [&]<class T>(T) {
    const auto view = image.all().view<T>();
    std::size_t at = 0;
    std::uint32_t random = 1;
    const auto next = [&] { return bytes.empty() ? 0U : static_cast<std::uint32_t>(bytes[at++ % bytes.size()]); };
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        for (std::int64_t c = 0; c < view.shape.c; ++c) {
          std::uint32_t sample = next();
          if (sizeof(T) == 2) sample = sample << 8 | next();
          random = random * 1664525U + 1013904223U;  // Numerical Recipes' generator
          if (kind == ramp) sample += static_cast<std::uint32_t>(x * 3 + y * 5);
          if (kind == noise) sample ^= random >> 16;
          view.at(0, c, y, x) = static_cast<T>(sample);
        }
  });
  return {image, level, strategy};
}

/// A PNG as libpng's row reader gives it: samples of 16 bits are big-endian.
struct PngSamples {
  std::int64_t width, height, channels, bits;
  std::vector<std::uint8_t> bytes;
};

[[noreturn]] void fail_in_libpng(png_structp, const char* message) { fail(std::string("libpng: ") + message); }

/// Reads a whole file. libpng's warnings are failures too.
PngSamples read_with_libpng(std::span<const std::byte> file) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, fail_in_libpng, fail_in_libpng);
  png_infop info = png_create_info_struct(png);
  png_set_read_fn(png, &file, [](png_structp from, png_bytep to, std::size_t count) {
    auto& rest = *static_cast<std::span<const std::byte>*>(png_get_io_ptr(from));
    check(rest.size() >= count, "libpng reads past the end");
    std::memcpy(to, rest.data(), count);
    rest = rest.subspan(count);
  });
  png_read_info(png, info);
  PngSamples samples = {.width = png_get_image_width(png, info),
                        .height = png_get_image_height(png, info),
                        .channels = png_get_channels(png, info),
                        .bits = png_get_bit_depth(png, info),
                        .bytes = {}};
  const std::size_t row = png_get_rowbytes(png, info);
  samples.bytes.resize(row * static_cast<std::size_t>(samples.height));
  for (std::int64_t y = 0; y < samples.height; ++y)
    png_read_row(png, samples.bytes.data() + row * static_cast<std::size_t>(y), nullptr);
  png_read_end(png, info);
  png_destroy_read_struct(&png, &info, nullptr);
  check(file.empty(), "bytes after IEND");
  return samples;
}

void check_samples(const Image& image, const PngSamples& samples) {
  const Shape& shape = image.all().shape;
  check(samples.width == shape.w && samples.height == shape.h && samples.channels == shape.c &&
            samples.bits == 8 * size_of(image.dtype()),
        "libpng reads another kind of picture");
  visit_dtype(image.dtype(), [&]<class T>(T) {
    const auto view = image.all().view<T>();
    auto at = samples.bytes.begin();
    for (std::int64_t y = 0; y < shape.h; ++y)
      for (std::int64_t x = 0; x < shape.w; ++x)
        for (std::int64_t c = 0; c < shape.c; ++c) {
          std::uint32_t sample = *at++;
          if (sizeof(T) == 2) sample = sample << 8 | *at++;
          check(view.at(0, c, y, x) == static_cast<T>(sample), "libpng reads another sample");
        }
  });
}

void check_decoded(const Image& image, const Image& back) {
  const Shape& shape = image.all().shape;
  check(back.dtype() == image.dtype() && back.format() == image.format() && back.all().shape == shape,
        "decode_image() gives another kind of picture");
  visit_dtype(image.dtype(), [&]<class T>(T) {
    const auto before = image.all().view<T>(), after = back.all().view<T>();
    for (std::int64_t y = 0; y < shape.h; ++y)
      for (std::int64_t x = 0; x < shape.w; ++x)
        for (std::int64_t c = 0; c < shape.c; ++c)
          check(before.at(0, c, y, x) == after.at(0, c, y, x), "decode_image() gives another sample");
  });
}

bool run(std::span<const std::byte> input) {
  const PngInput png = read_input(Choices(input));
  EncodeOptions options = {.quality = {}, .png_level = png.level, .png_strategy = png.strategy, .tiff_compression = {}};
  const Bytes file = encode_image(png.image, *find_picture_format("png"), options);
  check_samples(png.image, read_with_libpng(file));
  options.threads = 3;
  check(encode_image(png.image, *find_picture_format("png"), options) == file, "three threads write another file");
  const PictureHeader header = read_small_header(file, 1 << 20);
  for (const int threads : {1, 3}) check_decoded(png.image, decode_image(file, header, threads));
  return true;
}

}  // namespace png_writer

Target png_writer_target() {
  Target target = {"png_writer", png_writer::run, {}};
  for (int format = 0; format < 4; ++format)
    for (const int type : {0, 1})
      for (int level = 0; level < 10; ++level) {
        const int strategy = level % 6, kind = level % 3;
        Bytes seed;
        for (const int byte : {type, format, level, strategy, 1, 12, 6, kind, 200, 3, 0, 17, 255})
          seed.push_back(static_cast<std::byte>(byte));
        target.seeds.push_back(seed);
      }
  return target;
}

}  // namespace convtool::fuzz
