// PNG, decoded by OpenCV.
#include <algorithm>
#include <opencv2/imgcodecs.hpp>

#include "files/file.h"
#include "files/stderr_capture.h"
#include "pictures/decoders/decoders.h"
#include "pictures/headers/chunks.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {
namespace {

/// The file up to the last whole chunk. libpng allocates the length that a chunk claims before it reads the data.
std::span<const std::byte> whole_chunks(std::span<const std::byte> bytes) {
  constexpr std::size_t kSignature = 8, kChecksum = 4;
  std::size_t end = std::min(kSignature, bytes.size());
  ChunkReader chunks(ChunkReader::Kind::png, bytes);
  while (const std::optional<Chunk> chunk = chunks.next())
    end = static_cast<std::size_t>(chunk->data.data() - bytes.data()) + chunk->data.size() + kChecksum;
  return bytes.first(end);
}

/// A copy of the file without compressed texts and profiles, each of which libpng would expand to up to 8 MB and keep;
/// empty if there are none.
Bytes without_compressed_text(std::span<const std::byte> bytes) {
  constexpr std::size_t kBefore = 8, kAfter = 4;  // length and type, checksum
  Bytes rest;
  const std::byte* copied = bytes.data();
  ChunkReader chunks(ChunkReader::Kind::png, bytes);
  while (const std::optional<Chunk> chunk = chunks.next()) {
    if (chunk->type != "zTXt" && chunk->type != "iTXt" && chunk->type != "iCCP") continue;
    rest.insert(rest.end(), copied, chunk->data.data() - kBefore);
    copied = chunk->data.data() + chunk->data.size() + kAfter;
  }
  if (copied != bytes.data()) rest.insert(rest.end(), copied, bytes.data() + bytes.size());
  return rest;
}

}  // namespace

cv::Mat decode_png(std::span<const std::byte> bytes) {
  bytes = whole_chunks(bytes);
  const Bytes smaller = without_compressed_text(bytes);
  if (!smaller.empty()) bytes = smaller;
  const StderrCapture capture;
  const cv::Mat wrapped(1, static_cast<int>(bytes.size()), CV_8U, const_cast<std::byte*>(bytes.data()));
  return call_codec([&] { return cv::imdecode(wrapped, cv::IMREAD_UNCHANGED); }, cv::Mat());
}

}  // namespace convtool
