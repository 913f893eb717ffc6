// Encoding a picture strip by strip, so that its first rows can be compressed while the others are not there yet.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "core/tensor.h"
#include "files/file.h"
#include "pictures/pixel_format.h"

namespace convtool {

/// The size, type and channels of a picture, of one item.
struct PictureShape {
  DType dtype = DType::u8;
  PixelFormat format = PixelFormat::grey;
  std::int64_t height = 0, width = 0;
};

/// Compresses the strips of a picture, each apart from the others, and joins them to a file. Compressed strips are kept
/// until those before them are there, or until finish(): at most file_memory().
class StripEncoder {
 public:
  explicit StripEncoder(const PictureShape& picture, std::int64_t strip_rows)
      : picture_(picture), strip_rows_(strip_rows) {}
  virtual ~StripEncoder() = default;

  const PictureShape& picture() const { return picture_; }
  std::int64_t strip_rows() const { return strip_rows_; }  ///< the last strip may have fewer
  std::int64_t count() const { return (picture_.height + strip_rows_ - 1) / strip_rows_; }

  /// Compresses a strip, once. `rows` has all of its rows, with channels in the order of Image and any strides. Thread-
  /// safe. Throws Error(output), std::bad_alloc.
  virtual void encode(std::int64_t strip, const ConstTensorRef& rows) = 0;

  /// The file. Call it once, when each strip has been compressed.
  virtual Bytes finish() = 0;

  /// The most bytes that the compressed strips and the file take together, finish() included, if the picture is noise.
  virtual double file_memory() const = 0;

  /// The most bytes that a thread takes to compress a strip, whose rows it may have to collect (StripCollector) first.
  virtual double strip_memory() const = 0;

 protected:
  /// Bytes of the pixels of `rows` rows.
  double pixel_bytes(std::int64_t rows) const {
    return static_cast<double>(rows * channel_count(picture_.format) * size_of(picture_.dtype)) *
           static_cast<double>(picture_.width);
  }

 private:
  const PictureShape picture_;
  const std::int64_t strip_rows_;
};

/// Encodes all strips of a picture, whose rows are all there, on `threads` threads.
void encode_strips(StripEncoder& encoder, const ConstTensorRef& rows, int threads);

/// Cuts rows that come in any order, and in any number, into the strips of an encoder. A strip is compressed by the
/// thread that adds the last of its rows. Thread-safe.
class StripCollector {
 public:
  explicit StripCollector(StripEncoder& encoder) : encoder_(encoder) {}

  /// Adds rows from row `first` on, each once. Strips that they do not fill are copied.
  void add(std::int64_t first, const ConstTensorRef& rows);

 private:
  /// A strip of which some rows are there.
  struct Part {
    Tensor memory;
    std::int64_t missing;  ///< rows
  };

  void add_to_part(std::int64_t strip, std::int64_t strip_size, std::int64_t first, const ConstTensorRef& rows);

  StripEncoder& encoder_;
  std::mutex mutex_;
  std::map<std::int64_t, Part> parts_;  // by strip
};

}  // namespace convtool
