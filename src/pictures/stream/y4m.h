// Video as planes without compression: YUV4MPEG2, as mjpegtools (yuv4mpeg(5)) and ffmpeg write it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "files/buffer.h"
#include "files/raster_layout.h"
#include "files/stream_reader.h"

namespace convtool {

/// How many times smaller than the luma a plane is.
struct Y4mPlane {
  std::int64_t across = 1, down = 1;
};

/// The first line of a video.
struct Y4mHeader {
  std::vector<std::string> parameters;  ///< all of them, as they are; the first is the signature
  std::int64_t width = 0, height = 0;   ///< of the luma, at least 1
  std::string colours;                  ///< "420jpeg", "422p10", "mono"
  int bits = 8;                         ///< of a sample, 8 to 16; more than 8 are stored in two bytes, the lower first
  std::vector<Y4mPlane> planes;         ///< the luma, then none, or two of chroma, then perhaps alpha

  /// The largest sample.
  std::int64_t largest() const { return (std::int64_t{1} << bits) - 1; }

  /// The samples of a plane, 1 x 1 x h x w; a size that is not divisible is rounded up.
  Shape shape(std::size_t plane) const;

  /// The same, as they are, in u8 or u16. The offset is that in a frame.
  RasterLayout layout(std::size_t plane) const;

  /// The bytes of the planes of a frame.
  std::size_t frame_size() const;

  /// The same video with other sizes.
  Y4mHeader resized(std::int64_t new_width, std::int64_t new_height) const;

  /// The first line.
  Bytes line() const;
};

/// Whether `bytes` are the first of a video; looks at ten of them.
bool looks_like_y4m(std::span<const std::byte> bytes);
inline constexpr std::size_t kY4mSignature = 10;

/// Reads the first line of a video. Throws Error(input), without a path, for a damaged one, and for colours that are
/// not known.
Y4mHeader read_y4m_header(StreamReader& stream);

/// A frame: its line, with the line end, and the bytes of its planes.
struct Y4mFrame {
  std::int64_t number = 1;
  Buffer line, planes;
};

/// Reads the frames of a video whose header has been read.
class Y4mReader {
 public:
  Y4mReader(StreamReader& stream, const Y4mHeader& header) : stream_(stream), frame_size_(header.frame_size()) {}

  /// The next frame; nothing at the end of the stream. Throws Error(input), with the number of the frame and its
  /// offset, for one in which the stream ends, and for other bytes.
  std::optional<Y4mFrame> next();

 private:
  StreamReader& stream_;
  const std::size_t frame_size_;
  std::int64_t count_ = 0;
};

/// Stores the values of a plane, of the type of its layout, as bytes of the video: at layout.offset in `planes`. The
/// reverse of load_raster().
void store_y4m_plane(const RasterLayout& layout, const ConstTensorRef& values, std::span<std::byte> planes);

}  // namespace convtool
