// The reader of the usual PNG against OpenCV with libpng, which is the definition of what is accepted.
#pragma once

#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <vector>

#include "pictures/compression.h"
#include "pictures/decoders/decoders.h"
#include "pictures/headers/chunks.h"
#include "pictures/opencv/opencv_support.h"
#include "pictures/png/read_png.h"

namespace convtool::testing {

/// The pixels that OpenCV decodes, in the order of ImagePixels::mat; empty for a file that it refuses.
inline cv::Mat png_by_opencv(std::span<const std::byte> file, const PictureHeader& header) {
  const cv::Mat pixels = decode_png(file);
  if (pixels.channels() != 4) return pixels;
  return header.grey_with_alpha ? pick_channels({pixels}, 2, {0, 0, 3, 1})
                                : pick_channels({pixels}, 4, {0, 2, 1, 1, 2, 0, 3, 3});
}

struct PngComparison {
  bool is_read = false;         ///< by our reader
  bool is_accepted = false;     ///< by OpenCV
  std::string difference = {};  ///< in words; empty if there is none, or our reader leaves the file to OpenCV
};

/// `header` is the file's.
inline PngComparison compare_png(std::span<const std::byte> file, const PictureHeader& header, int threads = 1) {
  const cv::Mat expected = png_by_opencv(file, header), got = read_usual_png(file, header, threads);
  PngComparison result{.is_read = !got.empty(), .is_accepted = !expected.empty()};
  if (!result.is_read) return result;
  if (!result.is_accepted)
    result.difference = "OpenCV refuses a PNG that is read";
  else if (got.size() != expected.size() || got.type() != expected.type())
    result.difference = "OpenCV reads another kind of picture";
  for (int y = 0; y < got.rows && result.difference.empty(); ++y)
    if (std::memcmp(got.ptr(y), expected.ptr(y), got.elemSize() * static_cast<std::size_t>(got.cols)) != 0)
      result.difference = "OpenCV reads other pixels in row " + std::to_string(y);
  return result;
}

/// The file with right checksums of its chunks and of the stream in its IDAT chunks, as far as either zlib or ISA-L
/// can make a text of at most 1 MiB of it: what a change of other bytes means is not hidden by them.
inline std::vector<std::byte> with_right_checksums(std::span<const std::byte> file) {
  std::vector<std::byte> right(file.begin(), file.end());
  std::vector<std::byte> stream;
  std::vector<std::size_t> places;  // of the stream's bytes in the file
  const auto place_of = [&](std::span<const std::byte> part) {
    return static_cast<std::size_t>(part.data() - file.data());
  };
  ChunkReader chunks(ChunkReader::Kind::png, file);
  for (auto chunk = chunks.next(); chunk; chunk = chunks.next()) {
    if (chunk->type != "IDAT") continue;
    for (std::size_t i = 0; i < chunk->data.size(); ++i) places.push_back(place_of(chunk->data) + i);
    stream.insert(stream.end(), chunk->data.begin(), chunk->data.end());
  }

  constexpr std::size_t kMost = std::size_t{1} << 20, kHeader = 2;
  const auto text = std::make_unique_for_overwrite<std::uint8_t[]>(kMost);
  std::size_t size = 0, end = 0;  // of the text, of the stream without its checksum
  if (stream.size() > kHeader) {
    auto* const raw = reinterpret_cast<std::uint8_t*>(stream.data()) + kHeader;
    const auto raw_size = static_cast<std::uint32_t>(stream.size() - kHeader);
    z_stream zlib = {};
    zlib.next_in = raw, zlib.avail_in = raw_size, zlib.next_out = text.get(), zlib.avail_out = kMost;
    if (inflateInit2(&zlib, -15) == Z_OK && inflate(&zlib, Z_FINISH) == Z_STREAM_END)
      size = zlib.total_out, end = kHeader + zlib.total_in;
    inflateEnd(&zlib);
    const auto isal = std::make_unique<inflate_state>();
    isal_inflate_init(isal.get());
    isal->next_in = raw, isal->avail_in = raw_size, isal->next_out = text.get(), isal->avail_out = kMost;
    if (end == 0 && isal_inflate(isal.get()) == ISAL_DECOMP_OK && isal->block_state == ISAL_BLOCK_FINISH)
      size = isal->total_out,
      end = stream.size() - isal->avail_in - static_cast<std::size_t>(isal->read_in_length / 8);  // read too far
  }
  const std::uint32_t sum = adler32_of(std::as_bytes(std::span(text.get(), size)), kAdler32OfNothing);
  for (std::size_t i = 0; i < 4 && end > 0 && end + i < places.size(); ++i)
    right[places[end + i]] = static_cast<std::byte>(sum >> (24 - 8 * i));

  ChunkReader again(ChunkReader::Kind::png, right);
  for (auto chunk = again.next(); chunk; chunk = again.next()) {
    const std::uint32_t crc = crc32_of(chunk->data, crc32_of(std::as_bytes(std::span(chunk->type))));
    std::byte* const stored = right.data() + (chunk->data.data() - right.data()) + chunk->data.size();
    for (int i = 0; i < 4; ++i) stored[i] = static_cast<std::byte>(crc >> (24 - 8 * i));
  }
  return right;
}

}  // namespace convtool::testing
