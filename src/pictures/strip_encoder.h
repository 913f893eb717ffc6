// Encoding a picture strip by strip, so that its first rows can be compressed while the others are not there yet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "core/tensor.h"
#include "files/file.h"
#include "pictures/encode_options.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/picture_formats.h"

namespace convtool {

/// The size, type and channels of a picture, of one item.
struct PictureShape {
  DType dtype = DType::u8;
  PixelFormat format = PixelFormat::grey;
  std::int64_t height = 0, width = 0;
};

/// Compresses the strips of a picture, each apart from the others, and joins them to a file.
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

  /// The file. Call it once, when all strips are compressed.
  virtual Bytes finish() = 0;

 private:
  const PictureShape picture_;
  const std::int64_t strip_rows_;
};

/// An encoder for a picture, or null where a file in this format, with these options, is made as a whole. The bytes
/// depend only on the pixels: encode_image(), which says more on options and metadata, makes the same. Throws
/// Error(output) if the format cannot store the picture.
std::unique_ptr<StripEncoder> make_strip_encoder(const PictureFormat& format, const PictureShape& picture,
                                                 const EncodeOptions& options, const PictureMetadata& metadata);

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
