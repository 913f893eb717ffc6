#include "pictures/encoders/write_webp.h"

#include <webp/encode.h>

#include <memory>

namespace convtool {
namespace {

int append_webp(const std::uint8_t* data, std::size_t size, const WebPPicture* picture) {
  auto& file = *static_cast<Bytes*>(picture->custom_ptr);
  const auto* const first = reinterpret_cast<const std::byte*>(data);
  try {
    file.insert(file.end(), first, first + size);
  } catch (const std::bad_alloc&) {
    return 0;  // libwebp is C
  }
  return 1;
}

void fill(const TensorView<std::uint8_t>& pixels, WebPPicture& picture) {
  const std::int64_t channels = pixels.shape.c;
  const std::int64_t green = channels > 2 ? 1 : 0, blue = channels > 2 ? 2 : 0;
  const auto value = [&](std::int64_t c, std::int64_t y, std::int64_t x) {
    return static_cast<std::uint32_t>(pixels.at(0, c, y, x));
  };
  for (std::int64_t y = 0; y < pixels.shape.h; ++y) {
    std::uint32_t* const row = picture.argb + y * picture.argb_stride;
    for (std::int64_t x = 0; x < pixels.shape.w; ++x) {
      const std::uint32_t alpha = channels % 2 == 0 ? value(channels - 1, y, x) : 255;
      row[x] = alpha << 24 | value(0, y, x) << 16 | value(green, y, x) << 8 | value(blue, y, x);
    }
  }
}

}  // namespace

Bytes write_webp(const TensorView<std::uint8_t>& pixels, std::optional<int> quality) {
  constexpr float kEffort = 70;  // of the lossless search, libwebp's default
  WebPConfig config;
  WebPPicture picture;
  if (WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, quality ? static_cast<float>(*quality) : kEffort) == 0 ||
      WebPPictureInit(&picture) == 0)
    return {};
  config.lossless = config.exact = quality ? 0 : 1;
  picture.use_argb = 1;
  picture.width = static_cast<int>(pixels.shape.w);
  picture.height = static_cast<int>(pixels.shape.h);
  const std::unique_ptr<WebPPicture, decltype(&WebPPictureFree)> owner(&picture, WebPPictureFree);
  Bytes file;
  picture.writer = append_webp;
  picture.custom_ptr = &file;
  if (WebPPictureAlloc(&picture) == 0) throw std::bad_alloc();
  fill(pixels, picture);
  if (WebPEncode(&config, &picture) != 0) return file;
  if (picture.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY) throw std::bad_alloc();
  return {};
}

}  // namespace convtool
