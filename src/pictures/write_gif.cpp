#include "pictures/write_gif.h"

#include <gif_lib.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

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

auto by_channel(std::size_t c) {
  return [c](const Counted& a, const Counted& b) { return a.first[c] < b.first[c]; };
}

/// Colours that are replaced by one.
struct Box {
  std::vector<Counted>::iterator begin, end;

  /// The channel in which they differ most, and by how much.
  std::pair<std::size_t, int> widest() const {
    std::pair<std::size_t, int> best = {0, -1};
    for (std::size_t c = 0; c < 3; ++c) {
      const auto [low, high] = std::minmax_element(begin, end, by_channel(c));
      const int range = high->first[c] - low->first[c];
      if (range > best.second) best = {c, range};
    }
    return best;
  }

  /// The most frequent one: so the main colours of a drawing stay as they are.
  Rgb representative() const {
    return std::max_element(begin, end, [](const Counted& a, const Counted& b) { return a.second < b.second; })->first;
  }
};

/// Median cut: the box of the widest range is halved until there are enough.
std::vector<Rgb> representatives(std::vector<Counted> colours) {
  std::vector<Box> boxes = {{colours.begin(), colours.end()}};
  while (boxes.size() < std::min(kMostColours, colours.size())) {
    const auto box = std::max_element(boxes.begin(), boxes.end(),
                                      [](const Box& a, const Box& b) { return a.widest().second < b.widest().second; });
    const std::size_t c = box->widest().first;
    const auto middle = box->begin + (box->end - box->begin) / 2;
    std::nth_element(box->begin, middle, box->end, by_channel(c));
    const Box upper{middle, box->end};
    box->end = middle;
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

void GifWriter::add(const Image& frame, double seconds) {
  const TensorView<const std::uint8_t> view = view_of(frame);
  require(file_ != nullptr && view.shape.h == height_ && view.shape.w == width_, "a frame of another size");
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height_ * width_));
  for (std::int64_t y = 0; y < height_; ++y)
    for (std::int64_t x = 0; x < width_; ++x)
      pixels[static_cast<std::size_t>(y * width_ + x)] = index_of(pixel(view, y, x));

  // The rectangle around all differences; one pixel where there are none.
  std::int64_t top = 0, bottom = height_ - 1, left = 0, right = width_ - 1;
  if (!shown_.empty()) {
    top = left = std::max(height_, width_);
    bottom = right = -1;
    for (std::int64_t i = 0; i < height_ * width_; ++i) {
      if (pixels[static_cast<std::size_t>(i)] == shown_[static_cast<std::size_t>(i)]) continue;
      top = std::min(top, i / width_);
      bottom = std::max(bottom, i / width_);
      left = std::min(left, i % width_);
      right = std::max(right, i % width_);
    }
    if (bottom < 0) top = bottom = left = right = 0;
  }
  GraphicsControlBlock control{};
  control.DisposalMode = DISPOSE_DO_NOT;
  control.UserInputFlag = false;
  control.DelayTime = static_cast<int>(std::clamp(std::lround(seconds * 100), 1L, 65535L));
  control.TransparentColor = shown_.empty() ? NO_TRANSPARENT_COLOR : kUnchanged;
  GifByteType block[4];
  EGifGCBToExtension(&control, block);
  check(EGifPutExtension(file_, GRAPHICS_EXT_FUNC_CODE, sizeof block, block), file_);
  const auto width = static_cast<int>(right - left + 1), height = static_cast<int>(bottom - top + 1);
  check(EGifPutImageDesc(file_, static_cast<int>(left), static_cast<int>(top), width, height, false, nullptr), file_);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(width));
  for (std::int64_t y = top; y <= bottom; ++y) {
    for (std::int64_t x = left; x <= right; ++x) {
      const auto i = static_cast<std::size_t>(y * width_ + x);
      const bool is_unchanged = !shown_.empty() && pixels[i] == shown_[i];  // long runs of one value compress best
      row[static_cast<std::size_t>(x - left)] = is_unchanged ? kUnchanged : pixels[i];
    }
    check(EGifPutLine(file_, row.data(), width), file_);
  }
  shown_ = std::move(pixels);
}

Bytes GifWriter::finish() {
  int error = 0;
  const int result = EGifCloseFile(std::exchange(file_, nullptr), &error);
  if (result == GIF_ERROR) fail(error);
  return std::move(bytes_);
}

}  // namespace convtool
