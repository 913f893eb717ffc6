#include "pictures/strip_encoder.h"

#include <algorithm>

#include "core/parallel.h"
#include "pictures/jpeg/write_jpeg.h"
#include "pictures/png/write_png.h"

namespace convtool {
namespace {

/// Copies interleaved rows.
void copy_rows(const ConstTensorRef& from, const TensorRef& to) {
  visit_dtype(from.dtype, [&]<class T>(T) {
    const auto source = from.view<T>();
    const auto target = to.view<T>();
    const std::int64_t channels = from.shape.c;
    for (std::int64_t y = 0; y < from.shape.h; ++y) {
      const bool is_alike = source.strides.w == channels && (channels == 1 || source.strides.c == 1);
      if (is_alike) {
        std::copy_n(source.row(0, 0, y), from.shape.w * channels, target.row(0, 0, y));
        continue;
      }
      for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t x = 0; x < from.shape.w; ++x) target.at(0, c, y, x) = source.at(0, c, y, x);
    }
  });
}

}  // namespace

std::unique_ptr<StripEncoder> make_strip_encoder(const PictureFormat& format, const PictureShape& picture,
                                                 const EncodeOptions& options, const PictureMetadata& metadata) {
  check_storable(format, picture.dtype, picture.format, picture.height, picture.width);
  if (format.name == "png") return png_strip_encoder(picture, options, metadata);
  if (format.name == "jpeg") return jpeg_strip_encoder(picture, options, metadata);
  return nullptr;
}

void encode_strips(StripEncoder& encoder, const ConstTensorRef& rows, int threads) {
  const std::int64_t most = encoder.strip_rows();
  parallel_for(encoder.count(), threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t strip = begin; strip < end; ++strip)
      encoder.encode(strip, rows.rows(strip * most, std::min(most, rows.shape.h - strip * most)));
  });
}

void StripCollector::add(std::int64_t first, const ConstTensorRef& rows) {
  const std::int64_t most = encoder_.strip_rows(), height = encoder_.picture().height;
  for (std::int64_t begin = first, last = first + rows.shape.h; begin < last;) {
    const std::int64_t strip = begin / most, strip_begin = strip * most;
    const std::int64_t strip_end = std::min(strip_begin + most, height), end = std::min(strip_end, last);
    const ConstTensorRef part = rows.rows(begin - first, end - begin);
    if (begin == strip_begin && end == strip_end)
      encoder_.encode(strip, part);
    else
      add_to_part(strip, strip_end - strip_begin, begin - strip_begin, part);
    begin = end;
  }
}

void StripCollector::add_to_part(std::int64_t strip, std::int64_t strip_size, std::int64_t first,
                                 const ConstTensorRef& rows) {
  std::unique_lock lock(mutex_);
  auto place = parts_.find(strip);
  if (place == parts_.end()) {
    const Shape shape{.n = 1, .c = rows.shape.c, .h = strip_size, .w = rows.shape.w};
    place = parts_.emplace(strip, Part{.memory = Tensor(rows.dtype, shape), .missing = strip_size}).first;
  }
  Part& part = place->second;  // which stays where it is while others come and go
  lock.unlock();
  copy_rows(rows, channels_last(part.memory).rows(first, rows.shape.h));
  lock.lock();
  part.missing -= rows.shape.h;
  if (part.missing > 0) return;
  Part whole = std::move(part);
  parts_.erase(place);
  lock.unlock();
  encoder_.encode(strip, channels_last(whole.memory));
}

}  // namespace convtool
