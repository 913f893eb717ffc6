#include "pictures/decoders/opencv_decoder.h"

#include <sys/mman.h>

#include <mutex>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <string>
#include <system_error>

#include "files/byte_reader.h"
#include "files/descriptor.h"
#include "files/stderr_capture.h"
#include "pictures/decoder_messages.h"
#include "pictures/opencv_support.h"

namespace convtool {
namespace {

/// A file in memory, for codecs that need a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::byte> bytes) try : descriptor_(memfd_create("picture", MFD_CLOEXEC)) {
    write_all(descriptor_.get(), bytes);
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::memory, "", "cannot copy the picture to memory: " + describe_errno(error.code().value()));
  }

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_.get()); }

 private:
  Descriptor descriptor_;
};

/// While an object lives, OpenCV prints the messages of libtiff, which it does at this log level only.
class VerboseTiff {
 public:
  VerboseTiff() {
    cv::getNumThreads();  // or OpenCV would report the first use of its threads, on standard output
    std::lock_guard lock(mutex_);
    if (count_++ == 0) former_ = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_DEBUG);
  }
  ~VerboseTiff() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) cv::utils::logging::setLogLevel(former_);
  }
  VerboseTiff(const VerboseTiff&) = delete;
  VerboseTiff& operator=(const VerboseTiff&) = delete;

 private:
  static inline std::mutex mutex_;
  static inline int count_ = 0;
  static inline cv::utils::logging::LogLevel former_;
};

/// decode_by_opencv() without the check for damage. Prints to standard error.
cv::Mat decode(std::span<const std::byte> bytes, PictureType type) {
  std::optional<VerboseTiff> verbose;
  if (type == PictureType::tiff) verbose.emplace();
  // When decoding from memory, OpenCV writes PFM to a file in /tmp, and fails on tiled 8-bit TIFF.
  if (type == PictureType::pfm || type == PictureType::tiff) {
    const MemoryFile file(bytes);
    return call_codec([&] { return cv::imread(file.path(), cv::IMREAD_UNCHANGED); }, cv::Mat());
  }
  const cv::Mat wrapped(1, static_cast<int>(bytes.size()), CV_8U, const_cast<std::byte*>(bytes.data()));
  return call_codec([&] { return cv::imdecode(wrapped, cv::IMREAD_UNCHANGED); }, cv::Mat());
}

}  // namespace

cv::Mat decode_by_opencv(std::span<const std::byte> bytes, PictureType type) {
  cv::Mat pixels;
  std::string printed;
  {
    const StderrCapture capture;
    pixels = decode(bytes, type);
    printed = capture.text();
  }
  const bool decoder_continues = type == PictureType::tiff;
  if (!decoder_continues || !reports_damage(printed)) return pixels;
  // The message may concern another thread's picture. Damage is rare enough to decode once more, alone, to be sure.
  const StderrCapture capture(StderrCapture::Company::none);
  pixels = decode(bytes, type);
  if (reports_damage(capture.text())) throw_damaged(to_string(type), "parts of its data are invalid");
  return pixels;
}

}  // namespace convtool
