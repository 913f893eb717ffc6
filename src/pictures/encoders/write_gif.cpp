#include "pictures/encoders/write_gif.h"

#include <gif_lib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "pictures/encoders/gif_codes.h"

namespace convtool {
namespace {

using Rgb = std::array<std::uint8_t, 3>;

constexpr std::size_t kColours = 256, kMostColours = kColours - 1;
constexpr std::uint8_t kUnchanged = 255;  // the last index: transparent

[[noreturn]] void fail(int code) {
  const char* const text = GifErrorString(code);
  throw Error(ErrorKind::output, "",
              std::string("the GIF cannot be written (") + (text ? text : "unknown error") + ")");
}

Rgb pixel(const TensorView<const std::uint8_t>& view, std::int64_t y, std::int64_t x) {
  return {view.at(0, 0, y, x), view.at(0, 1, y, x), view.at(0, 2, y, x)};
}

std::uint32_t key_of(const Rgb& colour) {
  return (static_cast<std::uint32_t>(colour[0]) << 16) | (static_cast<std::uint32_t>(colour[1]) << 8) | colour[2];
}

/// A colour and the number of its pixels.
using Counted = std::pair<Rgb, std::int64_t>;

/// Colours that are replaced by one.
struct Box {
  using Iterator = std::vector<Counted>::iterator;

  Iterator begin, end;
  std::size_t channel = 0;  ///< in which the pixels differ most
  double mean = 0;          ///< of the pixels in this channel
  double spread = 0;        ///< the sum of the pixels' squared distances from it

  Box(Iterator first, Iterator last) : begin(first), end(last) {
    for (std::size_t c = 0; c < 3; ++c) {
      double pixels = 0, sum = 0, squares = 0;
      for (auto it = begin; it != end; ++it) {
        const auto count = static_cast<double>(it->second), value = static_cast<double>(it->first[c]);
        pixels += count;
        sum += count * value;
        squares += count * value * value;
      }
      const double distances = squares - sum * sum / pixels;
      if (c == 0 || distances > spread) {
        channel = c;
        mean = sum / pixels;
        spread = distances;
      }
    }
  }

  /// The most frequent one: so the main colours of a drawing stay as they are.
  Rgb representative() const {
    return std::max_element(begin, end, [](const Counted& a, const Counted& b) { return a.second < b.second; })->first;
  }
};

/// The box of the largest spread is cut at its mean until there are enough. So colours of large areas are kept apart,
/// however near they are.
std::vector<Rgb> representatives(std::vector<Counted> colours) {
  std::vector<Box> boxes = {{colours.begin(), colours.end()}};
  while (boxes.size() < std::min(kMostColours, colours.size())) {
    Box& box =
        *std::max_element(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.spread < b.spread; });
    const auto middle = std::partition(box.begin, box.end, [&](const Counted& colour) {
      return static_cast<double>(colour.first[box.channel]) <= box.mean;
    });
    const Box upper(middle, box.end);
    box = Box(box.begin, middle);
    boxes.push_back(upper);
  }
  std::vector<Rgb> palette;
  palette.reserve(boxes.size());
  for (const Box& box : boxes) palette.push_back(box.representative());
  return palette;
}

std::vector<Counted> colours_of(const TensorView<const std::uint8_t>& view) {
  std::map<Rgb, std::int64_t> colours;
  for (std::int64_t y = 0; y < view.shape.h; ++y)
    for (std::int64_t x = 0; x < view.shape.w; ++x) ++colours[pixel(view, y, x)];
  return {colours.begin(), colours.end()};
}

TensorView<const std::uint8_t> view_of(const Image& image) {
  require(image.dtype() == DType::u8 && image.format() == PixelFormat::rgb, "a GIF of other pixels than u8 RGB");
  return ConstTensorRef(image.all()).view<std::uint8_t>();
}

/// The bytes of a row, three for each pixel, in whatever order.
const std::uint8_t* row_of(const TensorView<const std::uint8_t>& view, std::int64_t y) {
  return std::min(&view.at(0, 0, y, 0), &view.at(0, 2, y, 0));
}

/// How many pixels from here on are the same in two rows, up to `count`.
std::int64_t same_pixels(const std::uint8_t* a, const std::uint8_t* b, std::int64_t count) {
  constexpr std::int64_t kWord = 16;
  const std::int64_t bytes = 3 * count;
  std::int64_t i = 0;
  while (i + kWord <= bytes && std::memcmp(a + i, b + i, kWord) == 0) i += kWord;
  while (i < bytes && a[i] == b[i]) ++i;
  return i / 3;
}

int append(GifFileType* file, const GifByteType* bytes, int count) {
  auto& all = *static_cast<Bytes*>(file->UserData);
  const auto* const first = reinterpret_cast<const std::byte*>(bytes);
  all.insert(all.end(), first, first + count);
  return count;
}

void check(int result, const GifFileType* file) {
  if (result == GIF_ERROR) fail(file->Error);
}

}  // namespace

/// The smallest area with all differences of two frames; one pixel where there are none.
GifWriter::Area GifWriter::changed_area(const TensorView<const std::uint8_t>& frame,
                                        const TensorView<const std::uint8_t>& before) {
  const std::int64_t width = frame.shape.w;
  Area area{.top = frame.shape.h, .left = width, .bottom = 0, .right = 0};
  for (std::int64_t y = 0; y < frame.shape.h; ++y) {
    const std::uint8_t *const a = row_of(frame, y), *const b = row_of(before, y);
    if (std::memcmp(a, b, static_cast<std::size_t>(3 * width)) == 0) continue;
    const std::int64_t same = same_pixels(a, b, width);
    std::int64_t right = width;
    while (right > area.right && std::equal(a + 3 * (right - 1), a + 3 * right, b + 3 * (right - 1))) --right;
    area = {.top = std::min(area.top, y), .left = std::min(area.left, same), .bottom = y + 1, .right = right};
  }
  return area.bottom == 0 ? Area{.top = 0, .left = 0, .bottom = 1, .right = 1} : area;
}

GifWriter::GifWriter(const Image& sample) : height_(sample.all().shape.h), width_(sample.all().shape.w) {
  require(height_ <= kLargestGifSide && width_ <= kLargestGifSide, "a GIF that is too large");
  palette_ = representatives(colours_of(view_of(sample)));
  for (std::size_t i = 0; i < palette_.size(); ++i) indices_.emplace(key_of(palette_[i]), static_cast<std::uint8_t>(i));

  std::vector<GifColorType> colours(kColours);
  for (std::size_t i = 0; i < palette_.size(); ++i) colours[i] = {palette_[i][0], palette_[i][1], palette_[i][2]};
  const std::unique_ptr<ColorMapObject, decltype(&GifFreeMapObject)> map(GifMakeMapObject(kColours, colours.data()),
                                                                         GifFreeMapObject);
  int error = 0;
  if (map) file_ = EGifOpen(&bytes_, append, &error);
  if (file_ == nullptr) throw std::bad_alloc();
  EGifSetGifVersion(file_, true);
  constexpr int kBits = 8;
  check(EGifPutScreenDesc(file_, static_cast<int>(width_), static_cast<int>(height_), kBits, 0, map.get()), file_);
  // Netscape's extension: a sub-block 1 with the number of repetitions, 0 for no end.
  constexpr GifByteType kForever[] = {1, 0, 0};
  check(EGifPutExtensionLeader(file_, APPLICATION_EXT_FUNC_CODE), file_);
  check(EGifPutExtensionBlock(file_, 11, "NETSCAPE2.0"), file_);
  check(EGifPutExtensionBlock(file_, sizeof kForever, kForever), file_);
  check(EGifPutExtensionTrailer(file_), file_);
}

GifWriter::~GifWriter() {
  int ignored = 0;
  if (file_ != nullptr) EGifCloseFile(file_, &ignored);
}

std::uint8_t GifWriter::index_of(const Rgb& colour) {
  const auto [found, is_new] = indices_.try_emplace(key_of(colour), std::uint8_t{0});  // emplace() allocates first
  if (!is_new) return found->second;
  int nearest = 3 * 256 * 256;
  for (std::size_t i = 0; i < palette_.size(); ++i) {
    int distance = 0;
    for (std::size_t c = 0; c < 3; ++c) distance += (palette_[i][c] - colour[c]) * (palette_[i][c] - colour[c]);
    if (distance >= nearest) continue;
    nearest = distance;
    found->second = static_cast<std::uint8_t>(i);
  }
  return found->second;
}

void GifWriter::add(Image frame, double seconds) {
  const TensorView<const std::uint8_t> view = view_of(frame);
  require(file_ != nullptr && view.shape.h == height_ && view.shape.w == width_, "a frame of another size");
  const Area changed = shown_ ? changed_area(view, view_of(*shown_)) : Area{0, 0, height_, width_};
  GraphicsControlBlock control{};
  control.DisposalMode = DISPOSE_DO_NOT;
  control.UserInputFlag = false;
  control.DelayTime = static_cast<int>(std::clamp(std::lround(seconds * 100), 1L, 65535L));
  control.TransparentColor = shown_ ? kUnchanged : NO_TRANSPARENT_COLOR;
  GifByteType block[4];
  EGifGCBToExtension(&control, block);
  check(EGifPutExtension(file_, GRAPHICS_EXT_FUNC_CODE, sizeof block, block), file_);
  check(EGifPutImageDesc(file_, static_cast<int>(changed.left), static_cast<int>(changed.top),
                         static_cast<int>(changed.right - changed.left), static_cast<int>(changed.bottom - changed.top),
                         false, nullptr),
        file_);
  put_codes(code_area(view, changed));
  shown_ = std::move(frame);
}

std::vector<std::uint8_t> GifWriter::code_area(const TensorView<const std::uint8_t>& view, const Area& area) {
  GifCodes codes(kUnchanged);
  for (std::int64_t y = area.top; y < area.bottom; ++y) {
    const std::uint8_t* const row = row_of(view, y);
    const std::uint8_t* const before = shown_ ? row_of(view_of(*shown_), y) : nullptr;
    for (std::int64_t x = area.left; x < area.right; ++x) {
      const std::int64_t same = before == nullptr ? 0 : same_pixels(row + 3 * x, before + 3 * x, area.right - x);
      if (same > 0) codes.put(kUnchanged, same);
      x += same;
      if (x < area.right) codes.put(index_of(pixel(view, y, x)), 1);
    }
  }
  return codes.finish();
}

/// The codes go to the file in sub-blocks of up to 255 bytes, each after its length.
void GifWriter::put_codes(std::span<const std::uint8_t> codes) {
  constexpr std::size_t kMost = 255;
  std::array<GifByteType, 1 + kMost> block;
  for (; !codes.empty(); codes = codes.subspan(block[0])) {
    block[0] = static_cast<GifByteType>(std::min(codes.size(), kMost));
    std::copy_n(codes.begin(), block[0], block.begin() + 1);
    check(EGifPutCodeNext(file_, block.data()), file_);
  }
  check(EGifPutCodeNext(file_, nullptr), file_);
}

Bytes GifWriter::finish() {
  int error = 0;
  const int result = EGifCloseFile(std::exchange(file_, nullptr), &error);
  if (result == GIF_ERROR) fail(error);
  return std::move(bytes_);
}

}  // namespace convtool
