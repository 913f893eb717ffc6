// PFM: rows of floats, from the bottom.
#include <bit>
#include <cmath>
#include <cstdint>

#include "files/byte_reader.h"
#include "pictures/decoders/decoders.h"
#include "pictures/headers/netpbm_text.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {

cv::Mat decode_pfm(std::span<const std::byte> bytes) {
  const PfmLayout layout = read_pfm_layout(bytes);
  const std::int64_t count = layout.width * layout.channels;
  const auto row_bytes = static_cast<std::uint64_t>(count) * sizeof(float);
  // Checked before memory is taken for a size that the file may not have.
  if ((bytes.size() - layout.pixels_at) / row_bytes < static_cast<std::uint64_t>(layout.height))
    throw_damaged("PFM", "it ends too early");

  cv::Mat pixels = call_opencv([&] {
    return cv::Mat(static_cast<int>(layout.height), static_cast<int>(layout.width), CV_32FC(layout.channels));
  });
  const std::endian order = layout.scale < 0 ? std::endian::little : std::endian::big;
  const double scale = std::fabs(layout.scale);
  const std::byte* from = bytes.data() + layout.pixels_at;
  for (int y = pixels.rows - 1; y >= 0; --y) {
    float* const row = pixels.ptr<float>(y);
    for (std::int64_t i = 0; i < count; ++i, from += sizeof(float))
      row[i] = static_cast<float>(load_number<float>(from, order) / scale);
    for (std::int64_t x = 0; layout.channels == 3 && x < layout.width; ++x) std::swap(row[3 * x], row[3 * x + 2]);
  }
  return pixels;
}

}  // namespace convtool
