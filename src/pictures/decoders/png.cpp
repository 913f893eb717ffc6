// PNG, the one format that OpenCV 4.6 decodes well enough.
#include <opencv2/imgcodecs.hpp>

#include "files/stderr_capture.h"
#include "pictures/decoders/decoders.h"
#include "pictures/opencv_support.h"

namespace convtool {

cv::Mat decode_png(std::span<const std::byte> bytes) {
  const StderrCapture capture;  // libpng prints remarks
  const cv::Mat wrapped(1, static_cast<int>(bytes.size()), CV_8U, const_cast<std::byte*>(bytes.data()));
  return call_codec([&] { return cv::imdecode(wrapped, cv::IMREAD_UNCHANGED); }, cv::Mat());
}

}  // namespace convtool
