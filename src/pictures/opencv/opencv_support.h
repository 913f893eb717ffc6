// Internal to pictures/: the matrix behind an Image, and the translation of OpenCV's exceptions.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <opencv2/core.hpp>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"

namespace convtool {

struct ImagePixels {
  explicit ImagePixels(cv::Mat pixels, std::shared_ptr<std::byte> memory = nullptr)
      : mat(std::move(pixels)), owned(std::move(memory)) {}

  cv::Mat mat;                       ///< channels: grey; grey, alpha; B, G, R; or R, G, B, A
  std::shared_ptr<std::byte> owned;  ///< the memory of a `mat` that does not own its own
};

inline DType dtype_of_depth(int depth) {
  return depth == CV_8U ? DType::u8 : depth == CV_16U ? DType::u16 : DType::f32;
}

inline int depth_of_dtype(DType dtype) { return dtype == DType::u8 ? CV_8U : dtype == DType::u16 ? CV_16U : CV_32F; }

/// Runs OpenCV and translates its exceptions: out of memory into std::bad_alloc, any other into Error(internal).
template <class Run>
auto call_opencv(const Run& run) {
  try {
    return run();
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    throw Error(ErrorKind::internal, "", "a bug in convtool: OpenCV reports: " + error.err);
  }
}

/// Runs a codec. Returns `otherwise` if it throws anything but std::bad_alloc and convtool's own Error.
template <class Run, class Result>
Result call_codec(const Run& run, Result otherwise) {
  try {
    return run();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    return otherwise;
  } catch (const std::exception&) {
    return otherwise;
  }
}

/// A new matrix of `count` channels, copied from the channels of `from` by pairs of indices (from, to). The channels of
/// several matrices are numbered consecutively.
cv::Mat pick_channels(const std::vector<cv::Mat>& from, int count, const std::vector<int>& pairs);

}  // namespace convtool
