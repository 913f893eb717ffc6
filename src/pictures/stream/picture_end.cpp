#include "pictures/stream/picture_end.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/headers/multi_picture.h"
#include "pictures/headers/netpbm_text.h"
#include "pictures/stream/lone_picture.h"

namespace convtool {
namespace {

/// A picture whose end is looked for. Positions count from its first byte.
class Search {
 public:
  Search(StreamReader& stream, const SizeLimits& limits) : stream_(&stream), limits_(limits) {}
  explicit Search(std::span<const std::byte> bytes) : whole_(bytes), limits_{.bytes = bytes.size()} {}

  /// Throws Error(input) for a picture that is larger than its limit.
  void check(std::size_t end) const {
    if (end > most()) refuse_size("", limits_, is_endless());
  }

  /// Whether the stream has the bytes up to `end`, which then are in bytes().
  bool reaches(std::size_t end) {
    if (stream_ == nullptr) return whole_.size() >= end;
    check(end);
    return stream_->look(end).size() >= end;
  }

  std::span<const std::byte> bytes() const { return stream_ != nullptr ? stream_->ahead() : whole_; }
  /// The bytes that the picture may have.
  std::size_t most() const { return limits_.of(is_endless()); }

 private:
  bool is_endless() const { return stream_ != nullptr && !stream_->has_end(); }

  StreamReader* const stream_ = nullptr;  ///< null: of bytes in memory
  const std::span<const std::byte> whole_;
  const SizeLimits limits_;
};

std::uint64_t big_endian(std::span<const std::byte> bytes, std::size_t at, int size) {
  return ByteReader("", bytes, ByteReader::Order::big, at).number(size);
}

std::optional<std::size_t> find_png_end(Search& search) {
  constexpr std::size_t kSignature = 8, kHead = 8, kChecksum = 4;
  constexpr std::uint64_t kLongest = 0x7fffffff;
  std::size_t at = kSignature;
  while (search.reaches(at + kHead)) {
    const std::uint64_t length = big_endian(search.bytes(), at, 4);
    const std::string_view type(reinterpret_cast<const char*>(search.bytes().data()) + at + 4, 4);
    const bool is_name =
        std::all_of(type.begin(), type.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
    if (length > kLongest || !is_name) throw_damaged("PNG", "something other than a chunk before its end");
    const bool is_end = type == "IEND";
    at += kHead + length + kChecksum;
    if (is_end) return search.reaches(at) ? std::optional(at) : std::nullopt;
  }
  return std::nullopt;
}

/// The position after the next marker at `at` or later that has data or ends the picture, and the marker.
std::optional<std::pair<std::size_t, std::uint32_t>> next_marker(Search& search, std::size_t at) {
  constexpr std::uint32_t kTemporary = 0x01, kFirstRestart = 0xd0, kLastRestart = 0xd7;
  while (search.reaches(at + 1)) {
    const std::span<const std::byte> bytes = search.bytes();
    const auto found = std::find(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), std::byte{0xff});
    at = static_cast<std::size_t>(found - bytes.begin());
    if (found == bytes.end()) continue;
    std::uint32_t marker = 0xff;
    while (marker == 0xff) {  // any number of fill bytes may precede a marker
      if (!search.reaches(++at + 1)) return std::nullopt;
      marker = static_cast<std::uint32_t>(search.bytes()[at]);
    }
    ++at;
    const bool belongs_to_scan = marker == 0 || (marker >= kFirstRestart && marker <= kLastRestart);
    if (!belongs_to_scan && marker != kTemporary) return std::pair(at, marker);
  }
  return std::nullopt;
}

/// The end of a JPEG whose own end is `end` and whose index lists `pictures`. An index that does not fit the stream
/// counts as none: programs that edit a picture may leave an old one.
std::size_t end_with_listed(Search& search, std::size_t end, const std::vector<ListedPicture>& pictures) {
  std::size_t last = end;
  for (const ListedPicture& picture : pictures) {
    constexpr std::size_t kStartOfImage = 2;
    if (picture.begin < end || picture.end < picture.begin + kStartOfImage || picture.end > search.most()) return end;
    if (!search.reaches(picture.begin + kStartOfImage) || big_endian(search.bytes(), picture.begin, 2) != 0xffd8)
      return end;
    if (!search.reaches(picture.end)) return end;
    last = std::max<std::size_t>(last, picture.end);
  }
  return last;
}

std::optional<std::size_t> find_jpeg_end(Search& search) {
  constexpr std::uint32_t kStartOfImage = 0xd8, kEndOfImage = 0xd9, kFirstWithData = 0xc0, kIndex = 0xe2;
  std::size_t at = 2;
  std::vector<ListedPicture> listed;
  while (const auto found = next_marker(search, at)) {
    const auto [after, marker] = *found;
    if (marker == kEndOfImage) return end_with_listed(search, after, listed);
    if (marker == kStartOfImage) throw_damaged("JPEG", "another picture begins before its end");
    if (marker < kFirstWithData) throw_damaged("JPEG", "an unknown marker, number " + std::to_string(marker));
    if (!search.reaches(after + 2)) return std::nullopt;
    const std::uint64_t length = big_endian(search.bytes(), after, 2);
    if (length < 2) throw_damaged("JPEG", "a segment of length " + std::to_string(length));
    at = after + length;
    if (!search.reaches(at)) return std::nullopt;
    if (marker == kIndex && listed.empty())
      listed = listed_pictures(search.bytes().subspan(after + 2, length - 2), after + 2);
  }
  return std::nullopt;
}

/// Calls `read` with all bytes that are there, and again with more while it fails because they end. `read` starts at
/// `begin` and may advance it. Where it has over 1 MiB to read again, it is called after half as many more.
template <class Read>
bool read_with_more(Search& search, const std::size_t& begin, std::size_t least, const Read& read) {
  if (!search.reaches(least)) return false;
  constexpr std::size_t kFar = std::size_t{1} << 20;
  while (!read(search.bytes())) {
    const std::size_t size = search.bytes().size(), unread = size - begin, more = unread < kFar ? 1 : unread / 2;
    const std::size_t wanted = std::max(size + 1, std::min(size + more, search.most()));
    if (!search.reaches(wanted) && search.bytes().size() == size) return false;
  }
  return true;
}

/// The header, or nothing where `bytes` end inside it.
std::optional<PnmLayout> read_begun_header(std::span<const std::byte> bytes) {
  PnmText text(bytes, 2);
  try {
    const int numbers = bytes[1] == std::byte{'1'} || bytes[1] == std::byte{'4'} ? 2 : 3;
    for (int i = 0; i < numbers; ++i) text.number();
  } catch (const Error&) {
    if (text.position() == bytes.size()) return std::nullopt;
    throw;
  }
  return read_pnm_layout(bytes);
}

/// The end of the numbers of a picture in text. The end of the stream may end the last one.
std::optional<std::size_t> find_text_end(Search& search, const PnmLayout& layout) {
  const double values = static_cast<double>(layout.width) * static_cast<double>(layout.height) * layout.channels();
  search.check(static_cast<std::size_t>(std::min(values, 0x1p60)));  // each has a character
  auto left = static_cast<std::uint64_t>(values);
  std::size_t at = layout.pixels_at;
  const auto skip_numbers = [&](std::span<const std::byte> bytes) {
    PnmText text(bytes, at);
    try {
      for (; left > 0; --left) {
        if (layout.is_bitmap())
          text.bit();
        else
          text.number();
        at = text.position();
      }
      return true;
    } catch (const Error&) {
      if (text.position() != bytes.size()) throw;
      return false;
    }
  };
  if (read_with_more(search, at, at, skip_numbers)) return at;
  if (left == 1 && !layout.is_bitmap()) {
    try {
      PnmText(search.bytes(), at).value();
      return search.bytes().size();
    } catch (const Error&) {
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> find_pnm_end(Search& search) {
  PnmLayout layout;
  const auto read_header = [&](std::span<const std::byte> bytes) {
    const std::optional<PnmLayout> read = read_begun_header(bytes);
    if (read) layout = *read;
    return read.has_value();
  };
  constexpr std::size_t kStart = 0;
  if (!read_with_more(search, kStart, 3, read_header)) return std::nullopt;
  if (layout.is_text()) return find_text_end(search, layout);
  constexpr double kLargestSize = 0x1p60;
  const double row = static_cast<double>(layout.width) * layout.channels();
  if (row * static_cast<double>(layout.height) > kLargestSize) search.check(static_cast<std::size_t>(kLargestSize));
  const std::size_t end = layout.pixels_at + layout.raster().size();
  search.check(end);
  return end;
}

std::optional<std::size_t> find_end(Search& search, PictureType type) {
  switch (type) {
    case PictureType::png: return find_png_end(search);
    case PictureType::jpeg: return find_jpeg_end(search);
    case PictureType::pnm: return find_pnm_end(search);
    default: break;
  }
  require(false, "a picture whose end in a stream is not known");
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> find_picture_end(StreamReader& stream, PictureType type, const SizeLimits& limits) {
  Search search(stream, limits);
  return find_end(search, type);
}

std::optional<std::size_t> find_picture_end(std::span<const std::byte> bytes) {
  const std::optional<PictureType> type = sniff_picture_type(bytes);
  if (type != PictureType::png && type != PictureType::jpeg && type != PictureType::pnm)
    return find_lone_picture_end(bytes);
  try {
    Search search(bytes);
    const std::optional<std::size_t> end = find_end(search, *type);
    return end && *end <= bytes.size() ? end : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace convtool
