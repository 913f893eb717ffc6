#include "pictures/opencv_decoder.h"

#include <sys/mman.h>
#include <unistd.h>

#include <opencv2/imgcodecs.hpp>
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
    if (access(path().c_str(), R_OK) != 0)  // the codec would call the picture damaged
      throw Error(ErrorKind::input, "",
                  "OpenEXR and PFM are read through /proc, which is missing here; mount it, or convert the "
                  "picture to PNG");
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::memory, "", "cannot copy the picture to memory: " + describe_errno(error.code().value()));
  }

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_.get()); }

 private:
  Descriptor descriptor_;
};

/// decode_by_opencv() without the check for damage. Prints to standard error.
cv::Mat decode(std::span<const std::byte> bytes, PictureType type) {
  // When decoding from memory, OpenCV writes OpenEXR and PFM to a file in /tmp.
  if (type == PictureType::exr || type == PictureType::pfm) {
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
  const bool decoder_continues = type == PictureType::jpeg;
  if (!decoder_continues || !reports_damage(printed)) return pixels;
  // The message may concern another thread's picture. Damage is rare enough to decode once more, alone, to be sure.
  const StderrCapture capture(StderrCapture::Company::none);
  pixels = decode(bytes, type);
  if (reports_damage(capture.text())) throw_damaged(to_string(type), "parts of its data are invalid");
  return pixels;
}

}  // namespace convtool
