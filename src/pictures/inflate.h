// Internal to pictures/: decompression of zlib streams, for PNG and TIFF.
#pragma once

#include <isa-l/igzip_lib.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace convtool {

/// Decompresses one zlib stream (RFC 1950) with ISA-L, which takes a third to a half of zlib's time.
///
/// ISA-L accepts more than the standard allows. Every stream that is accepted here, zlib accepts too, with the same
/// text; damage of any kind is found, by the checksum at the latest. Not every stream that zlib accepts is accepted: a
/// stream that declares a window smaller than 32 KiB must not have a longer text, since zlib looks at distances
/// depending on the sizes of its caller's buffers.
class Inflater {
 public:
  /// `next_part` returns the stream, part by part, and an empty span at its end. Each part stays valid until the next
  /// call. Throws std::bad_alloc.
  explicit Inflater(std::function<std::span<const std::byte>()> next_part);

  /// The next piece of the text, which is valid until the next call; empty at the end of the stream. Nothing if the
  /// stream is damaged or ends too early.
  std::optional<std::span<const std::byte>> next();

  /// After the end of the stream: whether bytes follow it.
  bool has_rest() const { return has_rest_; }

 private:
  enum class Place { zlib_header, block_header, block, checksum, end, damage };

  void refill();
  bool read_zlib_header();
  bool begin_block();
  Place continue_block();
  bool is_checksum_right();

  std::function<std::span<const std::byte>()> next_part_;
  std::span<const std::byte> part_;  ///< not yet copied to input_
  std::unique_ptr<std::uint8_t[]> input_;
  std::unique_ptr<inflate_state> state_;
  Place place_ = Place::zlib_header;
  bool is_last_block_ = false, has_rest_ = false;
  std::size_t window_ = 0, text_size_ = 0;
  std::uint32_t checksum_;  ///< of the text so far
};

/// Whether a zlib stream, at the start of `stream`, decompresses to exactly `text.size()` bytes, which are put into
/// `text`. Accepts what Inflater does. Throws std::bad_alloc.
bool inflate_whole(std::span<const std::byte> stream, std::span<std::byte> text);

}  // namespace convtool
