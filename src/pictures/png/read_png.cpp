// libpng inflates with zlib, in a row's portions, and unfilters in between. Here ISA-L inflates, in half of the time,
// and a second thread unfilters meanwhile. What a damaged file is worth, libpng decides: the caller has it read such
// files again.
#include "pictures/png/read_png.h"

#include <algorithm>
#include <array>
#include <bit>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "files/byte_reader.h"
#include "pictures/headers/chunks.h"
#include "pictures/inflate.h"
#include "pictures/opencv/opencv_support.h"
#include "pictures/png/unfilter.h"

namespace convtool {
namespace {

using u8 = std::uint8_t;

/// Pictures with fewer bytes are read on one thread: waking another takes as long.
constexpr std::size_t kSmall = std::size_t{1} << 19;

/// Scanlines that are handed over at a time, in bytes: they stay in the caches.
constexpr std::size_t kStripBytes = std::size_t{1} << 17;
constexpr std::size_t kStrips = 4;  // in memory at a time, with two threads

/// Rows that unfiltering takes at a time. A strip has a multiple of them, unless it would be twice as large.
constexpr std::size_t kGroup = 16;

struct Layout {
  std::size_t width, height;
  int channels, bytes;  ///< `bytes` of a sample

  int pixel() const { return channels * bytes; }
  std::size_t line() const { return 1 + width * static_cast<std::size_t>(pixel()); }
  std::size_t all_lines() const { return height * line(); }
  PixelOrder order(ColourOrder colours) const {
    const bool is_swapped = bytes == 2 && std::endian::native == std::endian::little;
    if (channels == 3 && colours == ColourOrder::bgr) return PixelOrder::reversed;
    return is_swapped ? PixelOrder::swapped : PixelOrder::same;
  }
};

/// The layout in an IHDR chunk (11.2.2), unless it has to be left to libpng.
std::optional<Layout> usual_layout(const Chunk& chunk, const PictureHeader& header) {
  constexpr std::int64_t kLongestSide = 1000000;  // of libpng
  constexpr std::array<int, 7> kChannels = {1, 0, 3, 0, 2, 0, 4};
  if (chunk.type != "IHDR" || chunk.data.size() != 13 || !chunk.is_sound()) return std::nullopt;
  ByteReader data("PNG", chunk.data, ByteReader::Order::big);
  const std::int64_t width = data.u32(), height = data.u32();
  const std::uint32_t depth = data.u8(), colour_type = data.u8(), compression = data.u8(), filter = data.u8(),
                      interlacing = data.u8();
  if (width != header.width || height != header.height || std::max(width, height) > kLongestSide) return std::nullopt;
  if ((depth != 8 && depth != 16) || colour_type >= kChannels.size() || kChannels[colour_type] == 0)
    return std::nullopt;
  if (compression != 0 || filter != 0 || interlacing != 0) return std::nullopt;
  // B, G, R with the bytes of samples as in the file is not an order that pixels can be unfiltered in.
  if (std::endian::native == std::endian::big && depth == 16 && colour_type == 2) return std::nullopt;
  return Layout{.width = static_cast<std::size_t>(width),
                .height = static_cast<std::size_t>(height),
                .channels = kChannels[colour_type],
                .bytes = static_cast<int>(depth / 8)};
}

/// Whether a chunk that is not critical (5.4) changes neither the pixels nor what libpng and OpenCV make of the file.
/// Newer versions of libpng refuse a type whose third letter, which is reserved, is small.
bool is_harmless(const Chunk& chunk) {
  constexpr std::size_t kMost = std::size_t{1} << 20;  // libpng refuses chunks of more than 8 MB
  constexpr char kSmallLetter = 0x20;
  constexpr std::string_view kOthers[] = {"tRNS", "acTL", "fcTL", "fdAT"};
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return std::all_of(chunk.type.begin(), chunk.type.end(), is_letter) && (chunk.type[0] & kSmallLetter) != 0 &&
         (chunk.type[2] & kSmallLetter) == 0 &&
         std::find(std::begin(kOthers), std::end(kOthers), chunk.type) == std::end(kOthers) &&
         chunk.data.size() <= kMost && chunk.is_sound();
}

/// The first IDAT chunk of a file in which nothing but pixels has to be looked at any more, and the chunks after it.
struct Pixels {
  Layout layout;
  Chunk first;
  ChunkReader others;
};

std::optional<Pixels> find_pixels(std::span<const std::byte> bytes, const PictureHeader& header) {
  ChunkReader chunks(ChunkReader::Kind::png, bytes);
  std::optional<Chunk> chunk = chunks.next();
  const std::optional<Layout> layout = chunk ? usual_layout(*chunk, header) : std::nullopt;
  if (!layout) return std::nullopt;
  do {
    chunk = chunks.next();
  } while (chunk && is_harmless(*chunk));
  if (!chunk || chunk->type != "IDAT") return std::nullopt;
  Pixels found{.layout = *layout, .first = *chunk, .others = chunks};

  const std::size_t longest = std::max(std::size_t{8000000}, layout->all_lines());  // libpng refuses longer ones
  while (chunk && chunk->type == "IDAT" && chunk->data.size() <= longest) chunk = chunks.next();
  while (chunk && is_harmless(*chunk)) chunk = chunks.next();
  if (!chunk || chunk->type != "IEND" || !chunk->data.empty() || !chunk->is_sound()) return std::nullopt;
  return found;
}

/// The data of IDAT chunks, one chunk after another, as far as their checksums are right.
class PixelStream {
 public:
  explicit PixelStream(const Pixels& pixels) : chunk_(pixels.first), others_(pixels.others) {}

  std::span<const std::byte> next() {
    while (chunk_ && chunk_->type == "IDAT" && chunk_->is_sound()) {
      const std::span<const std::byte> data = chunk_->data;
      chunk_ = others_.next();
      if (!data.empty()) return data;
    }
    chunk_.reset();
    return {};
  }

 private:
  std::optional<Chunk> chunk_;
  ChunkReader others_;
};

/// Cuts the text of a zlib stream into pieces of any size.
class Text {
 public:
  explicit Text(PixelStream stream) : inflater_([stream]() mutable { return stream.next(); }) {}

  /// Returns false if the stream has no `size` bytes more.
  bool read(u8* to, std::size_t size) {
    while (size > 0) {
      if (piece_.empty()) piece_ = inflater_.next().value_or(std::span<const std::byte>());
      if (piece_.empty()) return false;
      const std::size_t part = std::min(size, piece_.size());
      std::memcpy(to, piece_.data(), part);
      piece_ = piece_.subspan(part);
      to += part;
      size -= part;
    }
    return true;
  }

  /// Whether the stream ends here, and the chunks with it.
  bool is_over() {
    if (!piece_.empty()) return false;
    const auto rest = inflater_.next();
    return rest && rest->empty() && !inflater_.has_rest();
  }

 private:
  Inflater inflater_;
  std::span<const std::byte> piece_;
};

bool have_known_filters(const u8* lines, std::size_t count, std::size_t line) {
  for (std::size_t i = 0; i < count; ++i)
    if (!has_known_filter(lines + i * line)) return false;
  return true;
}

/// The scanlines to decompress at a time.
std::size_t lines_of_strip(const Layout& layout) {
  const std::size_t lines = kStripBytes / layout.line();
  return std::clamp<std::size_t>(lines < kGroup / 2 ? lines : (lines + kGroup / 2) / kGroup * kGroup, 1, layout.height);
}

/// Strips of scanlines on their way from the thread that decompresses them to the one that unfilters them. One of the
/// two may be missing: the first then unfilters, whenever all strips are full.
class Passage {
 public:
  Passage(const Pixels& pixels, std::size_t strips, cv::Mat& image)
      : layout_(pixels.layout),
        lines_(lines_of_strip(layout_)),
        count_((layout_.height + lines_ - 1) / lines_),
        places_(std::min(strips, count_)),
        text_(PixelStream(pixels)),
        scanlines_(std::make_unique_for_overwrite<u8[]>(places_ * lines_ * layout_.line())),
        zeros_(layout_.line() - 1),
        unfilter_rows_(find_unfilter(layout_.pixel(), layout_.order(ColourOrder::bgr))),
        image_(image) {}

  /// On each of at most two threads.
  void run() {
    std::unique_lock lock(mutex_);
    if (std::exchange(is_begun_, true)) return unfilter_others(lock);
    lock.unlock();
    bool is_sound = true;
    for (std::size_t strip = 0; strip < count_ && is_sound; ++strip) {
      is_sound = text_.read(place(strip), lines_of(strip) * layout_.line());
      lock.lock();
      if (is_sound) ++full_;
      is_sound = is_sound && !has_failed_;
      changed_.notify_one();
      if (is_sound) make_room(lock, strip + 1 < count_ ? places_ - 1 : 0);
      lock.unlock();
    }
    is_sound = is_sound && text_.is_over();
    lock.lock();
    has_failed_ = has_failed_ || !is_sound;
    is_over_ = true;
    changed_.notify_one();
  }

  /// When run() has returned on all threads.
  bool is_sound() const { return !has_failed_; }

 private:
  u8* place(std::size_t strip) const { return scanlines_.get() + strip % places_ * lines_ * layout_.line(); }
  std::size_t lines_of(std::size_t strip) const { return std::min(lines_, layout_.height - strip * lines_); }

  /// Returns when at most `most` strips are full.
  void make_room(std::unique_lock<std::mutex>& lock, std::size_t most) {
    while (full_ - empty_ > most) {
      if (is_unfiltering_)
        changed_.wait(lock);
      else
        unfilter_next(lock);
    }
  }

  void unfilter_others(std::unique_lock<std::mutex>& lock) {
    while (!is_over_) {
      if (full_ > empty_ && !is_unfiltering_)
        unfilter_next(lock);
      else
        changed_.wait(lock);
    }
  }

  void unfilter_next(std::unique_lock<std::mutex>& lock) {
    const std::size_t strip = empty_;
    is_unfiltering_ = true;
    lock.unlock();
    const bool is_sound = unfilter(strip);
    lock.lock();
    is_unfiltering_ = false;
    has_failed_ = has_failed_ || !is_sound;
    ++empty_;
    changed_.notify_one();
  }

  bool unfilter(std::size_t strip) const {
    const u8* const lines = place(strip);
    if (!have_known_filters(lines, lines_of(strip), layout_.line())) return false;
    const auto y = static_cast<int>(strip * lines_);
    unfilter_rows_(lines, y == 0 ? zeros_.data() : image_.ptr(y - 1), layout_.width, lines_of(strip), image_.ptr(y));
    return true;
  }

  const Layout layout_;
  const std::size_t lines_, count_, places_;  // lines of a strip, strips, strips in memory
  Text text_;
  const std::unique_ptr<u8[]> scanlines_;
  const std::vector<u8> zeros_;  // above the first row
  const UnfilterRows unfilter_rows_;
  cv::Mat& image_;

  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::size_t full_ = 0, empty_ = 0;  // strips that were filled and emptied so far
  bool is_begun_ = false, is_unfiltering_ = false, has_failed_ = false, is_over_ = false;
};

/// Decompresses and unfilters a strip at a time.
class UsualPngRows : public PictureRows {
 public:
  UsualPngRows(const Pixels& pixels, ColourOrder order)
      : layout_(pixels.layout),
        lines_(lines_of_strip(layout_)),
        text_(PixelStream(pixels)),
        scanlines_(std::make_unique_for_overwrite<u8[]>(lines_ * layout_.line())),
        above_(layout_.line() - 1),
        unfilter_rows_(find_unfilter(layout_.pixel(), layout_.order(order))) {}

  bool read(const TensorRef& rows) override {
    const std::size_t size = above_.size(), count = static_cast<std::size_t>(rows.shape.h);
    u8* const first = static_cast<u8*>(rows.data);
    const u8* above = above_.data();
    for (std::size_t y = 0; y < count;) {
      const std::size_t lines = std::min(lines_, count - y);
      if (!text_.read(scanlines_.get(), lines * layout_.line())) return false;
      if (!have_known_filters(scanlines_.get(), lines, layout_.line())) return false;
      unfilter_rows_(scanlines_.get(), above, layout_.width, lines, first + y * size);
      y += lines;
      above = first + (y - 1) * size;
    }
    std::memcpy(above_.data(), above, size);
    return true;
  }

  bool is_sound() override { return text_.is_over(); }

 private:
  const Layout layout_;
  const std::size_t lines_;
  Text text_;
  const std::unique_ptr<u8[]> scanlines_;
  std::vector<u8> above_;  // the row before the next one
  const UnfilterRows unfilter_rows_;
};

}  // namespace

std::unique_ptr<PictureRows> usual_png_rows(std::span<const std::byte> bytes, const PictureHeader& header,
                                            ColourOrder order) {
  const std::optional<Pixels> pixels = find_pixels(bytes, header);
  const bool is_as_header = pixels && pixels->layout.channels == header.channels &&
                            pixels->layout.bytes == size_of(header.dtype) && is_integer(header.dtype);
  return is_as_header ? std::make_unique<UsualPngRows>(*pixels, order) : nullptr;
}

cv::Mat read_usual_png(std::span<const std::byte> bytes, const PictureHeader& header, int threads) {
  const std::optional<Pixels> pixels = find_pixels(bytes, header);
  if (!pixels) return {};
  const Layout& layout = pixels->layout;
  cv::Mat image = call_opencv([&] {
    return cv::Mat(static_cast<int>(layout.height), static_cast<int>(layout.width),
                   CV_MAKETYPE(layout.bytes == 1 ? CV_8U : CV_16U, layout.channels));
  });
  const bool is_alone = threads == 1 || layout.all_lines() < kSmall;
  Passage passage(*pixels, is_alone ? 1 : kStrips, image);
  // A pool that has no other thread to give runs the passage here, as a whole.
  if (is_alone)
    passage.run();
  else
    parallel_for(2, 2, [&](std::int64_t, std::int64_t) { passage.run(); });
  return passage.is_sound() ? image : cv::Mat();
}

}  // namespace convtool
