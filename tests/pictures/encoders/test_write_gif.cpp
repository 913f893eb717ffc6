// Animations are read back with giflib's decoder.
#include <doctest/doctest.h>
#include <gif_lib.h>

#include <cstring>
#include <memory>
#include <set>
#include <vector>

#include "pictures/encoders/write_gif.h"
#include "support/random.h"

namespace convtool {
namespace {

struct Reader {
  const Bytes& bytes;
  std::size_t at = 0;
};

int read_more(GifFileType* file, GifByteType* to, int count) {
  auto& reader = *static_cast<Reader*>(file->UserData);
  const std::size_t left = std::min(static_cast<std::size_t>(count), reader.bytes.size() - reader.at);
  std::memcpy(to, reader.bytes.data() + reader.at, left);
  reader.at += left;
  return static_cast<int>(left);
}

/// A frame as it is shown: R, G, B of each pixel.
struct Frame {
  std::vector<std::uint8_t> pixels;
  int delay = 0;  // hundredths of seconds
};

struct Animation {
  int width = 0, height = 0;
  bool repeats = false;
  std::vector<Frame> frames;
};

Animation decode(const Bytes& bytes) {
  Reader reader{bytes};
  int error = 0;
  GifFileType* const file = DGifOpen(&reader, read_more, &error);
  REQUIRE(file != nullptr);
  REQUIRE(DGifSlurp(file) == GIF_OK);
  CHECK(reader.at == bytes.size());
  Animation animation{.width = file->SWidth, .height = file->SHeight};
  std::vector<std::uint8_t> shown(static_cast<std::size_t>(3 * file->SWidth * file->SHeight));
  for (int i = 0; i < file->ImageCount; ++i) {
    const SavedImage& image = file->SavedImages[i];
    GraphicsControlBlock control{};
    REQUIRE(DGifSavedExtensionToGCB(file, i, &control) == GIF_OK);
    for (int e = 0; e < image.ExtensionBlockCount; ++e)
      if (image.ExtensionBlocks[e].Function == APPLICATION_EXT_FUNC_CODE)
        animation.repeats = std::memcmp(image.ExtensionBlocks[e].Bytes, "NETSCAPE2.0", 11) == 0;
    const GifImageDesc& place = image.ImageDesc;
    for (int y = 0; y < place.Height; ++y)
      for (int x = 0; x < place.Width; ++x) {
        const int index = image.RasterBits[y * place.Width + x];
        if (index == control.TransparentColor) continue;
        const GifColorType& colour = file->SColorMap->Colors[index];
        std::uint8_t* const pixel = shown.data() + 3 * ((place.Top + y) * file->SWidth + place.Left + x);
        pixel[0] = colour.Red;
        pixel[1] = colour.Green;
        pixel[2] = colour.Blue;
      }
    animation.frames.push_back({shown, control.DelayTime});
  }
  DGifCloseFile(file, &error);
  return animation;
}

template <class Colour>
Image picture(std::int64_t h, std::int64_t w, const Colour& colour) {
  Image image(DType::u8, PixelFormat::rgb, h, w);
  const auto view = image.all().view<std::uint8_t>();
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x)
      for (std::int64_t c = 0; c < 3; ++c) view.at(0, c, y, x) = static_cast<std::uint8_t>(colour(y, x, c));
  return image;
}

std::vector<std::uint8_t> pixels_of(const Image& image) {
  std::vector<std::uint8_t> pixels;
  const auto view = image.all().view<std::uint8_t>();
  for (std::int64_t y = 0; y < view.shape.h; ++y)
    for (std::int64_t x = 0; x < view.shape.w; ++x)
      for (std::int64_t c = 0; c < 3; ++c) pixels.push_back(view.at(0, c, y, x));
  return pixels;
}

}  // namespace

TEST_CASE("frames of a GIF keep their pixels and times, and are repeated") {
  Random random(3);
  // 255 colours in all; every frame shows some of them.
  const auto colour_of = [](std::int64_t i, std::int64_t c) { return i * (c + 1) % 256; };
  const Image sample =
      picture(15, 17, [&](std::int64_t y, std::int64_t x, std::int64_t c) { return colour_of(y * 17 + x, c); });
  GifWriter writer(sample);
  std::vector<Image> frames;
  for (int i = 0; i < 8; ++i) {
    if (i == 5) {
      frames.push_back(frames.back());  // nothing changes
    } else {
      const std::int64_t first = random.between(0, 100), rows = i == 0 ? 15 : random.between(1, 15);
      frames.push_back(picture(15, 17, [&](std::int64_t y, std::int64_t x, std::int64_t c) {
        return colour_of(y < rows ? (first + x * y) % 255 : 7, c);
      }));
    }
    writer.add(frames.back(), 0.25 * (i + 1));
  }
  const Animation animation = decode(writer.finish());
  CHECK(animation.width == 17);
  CHECK(animation.height == 15);
  CHECK(animation.repeats);
  REQUIRE(animation.frames.size() == frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    CAPTURE(i);
    CHECK(animation.frames[i].pixels == pixels_of(frames[i]));
    CHECK(animation.frames[i].delay == 25 * static_cast<int>(i + 1));
  }
}

TEST_CASE("the most frequent colours stay as they are") {
  const Image image = picture(64, 64, [](std::int64_t y, std::int64_t x, std::int64_t c) {
    return y < 32 ? 255 : c == 0 ? 8 * (y - 32) : c == 1 ? 4 * x : 128 + y;  // white, and 2048 other colours
  });
  GifWriter writer(image);
  writer.add(image, 1);
  const Animation animation = decode(writer.finish());
  const std::vector<std::uint8_t>& shown = animation.frames.at(0).pixels;
  CHECK(std::all_of(shown.begin(), shown.begin() + 32 * 64 * 3, [](std::uint8_t value) { return value == 255; }));
}

TEST_CASE("colours of large areas stay as they are, however near they are to each other") {
  // Ten light tints, 3 apart and one in each row of 200 pixels, beside 800 colours of one pixel.
  const Image image = picture(14, 200, [](std::int64_t y, std::int64_t x, std::int64_t c) {
    return y < 10 ? 255 - 3 * c * y / 2 : c == 0 ? x : c == 1 ? 20 * y : 255 - x;
  });
  GifWriter writer(image);
  writer.add(image, 1);
  const Animation animation = decode(writer.finish());
  const std::vector<std::uint8_t>& shown = animation.frames.at(0).pixels;
  const std::vector<std::uint8_t> expected = pixels_of(image);
  CHECK(std::equal(shown.begin(), shown.begin() + 10 * 200 * 3, expected.begin()));
}

// Codes have 9 to 12 bits, and begin anew when there are 4096 of them.
TEST_CASE("large frames of noise and of long runs keep their pixels") {
  Random random(5);
  const auto grey = [](std::int64_t value) { return [value](auto...) { return value; }; };
  const std::int64_t h = 300, w = 400;
  const Image ramp = picture(h, w, [](std::int64_t, std::int64_t x, std::int64_t) { return x % 255; });
  std::vector<Image> frames = {ramp, picture(h, w, grey(7))};
  for (const int share : {1, 4, 50, 3000}) {  // one pixel in `share` changes
    const Image& before = frames.back();
    const auto old = before.all().view<std::uint8_t>();
    std::vector<std::int64_t> values(static_cast<std::size_t>(h * w));
    for (std::int64_t i = 0; i < h * w; ++i)
      values[static_cast<std::size_t>(i)] =
          random.between(1, share) == 1 ? random.between(0, 254) : old.at(0, 0, i / w, i % w);
    frames.push_back(picture(h, w, [&](std::int64_t y, std::int64_t x, std::int64_t) {
      return values[static_cast<std::size_t>(y * w + x)];
    }));
  }
  GifWriter writer(ramp);
  for (const Image& frame : frames) writer.add(frame, 1);
  const Animation animation = decode(writer.finish());
  REQUIRE(animation.frames.size() == frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    CAPTURE(i);
    CHECK(animation.frames[i].pixels == pixels_of(frames[i]));
  }
}

TEST_CASE("a picture of more colours than a GIF has is shown in 255 near ones") {
  const Image image = picture(64, 64, [](std::int64_t y, std::int64_t x, std::int64_t c) {
    return c == 0 ? 4 * y : c == 1 ? 4 * x : 128;
  });
  GifWriter writer(image);
  writer.add(image, 0.001);  // rounded up to a hundredth
  const Animation animation = decode(writer.finish());
  REQUIRE(animation.frames.size() == 1);
  CHECK(animation.frames[0].delay == 1);
  const std::vector<std::uint8_t> expected = pixels_of(image), &shown = animation.frames[0].pixels;
  std::set<std::vector<std::uint8_t>> colours;
  int largest = 0;
  for (std::size_t i = 0; i < shown.size(); i += 3) {
    colours.insert({shown[i], shown[i + 1], shown[i + 2]});
    for (std::size_t c = 0; c < 3; ++c) largest = std::max(largest, std::abs(shown[i + c] - expected[i + c]));
  }
  CHECK(colours.size() <= 255);
  // 64 x 64 colours, 4 apart, are halved along the wider side 254 times. That leaves boxes of 4 x 4 colours and one of
  // 4 x 8, so that each colour is within 4 * 7 of any in its box.
  CHECK(largest <= 28);
  CHECK(shown[2] == 128);
}

}  // namespace convtool
