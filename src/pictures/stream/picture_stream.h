// A stream of several pictures, one right after another, as ffmpeg's image2pipe and cat write it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "files/buffer.h"
#include "files/stream_reader.h"
#include "pictures/picture_type.h"

namespace convtool {

struct StreamedPicture {
  PictureType type = PictureType::png;
  std::int64_t number = 1;
  std::uint64_t offset = 0;  ///< of its first byte in the stream
  Buffer bytes;
};

/// Reads PNG, JPEG and PNM pictures from a stream, each as soon as its last byte is there.
class PictureStream {
 public:
  /// Whether `bytes`, the first of a stream, begin a picture whose end can be found without decoding it. The others
  /// take their stream to its end.
  static bool can_follow(std::span<const std::byte> bytes);

  /// How many bytes can_follow() looks at.
  static constexpr std::size_t kSignature = 12;

  /// `limits` are those of each picture.
  explicit PictureStream(StreamReader& stream, const SizeLimits& limits = {}) : stream_(stream), limits_(limits) {}

  /// The next picture; nothing at the end of the stream. The first picture, if its end cannot be found, is all that the
  /// stream has: decoding it says what is wrong. Throws Error(input), with the offset of the picture, for any other,
  /// for one in which the stream ends, and for bytes that begin no picture. Then the stream has no further picture.
  std::optional<StreamedPicture> next();

  /// Whether no byte follows the last picture. Waits for the next byte or the end of the stream.
  bool at_end();

 private:
  std::optional<StreamedPicture> read();
  void skip_space();

  StreamReader& stream_;
  const SizeLimits limits_;
  std::int64_t count_ = 0;
  bool after_text_ = false, has_failed_ = false;
};

}  // namespace convtool
