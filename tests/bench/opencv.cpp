// OpenCV, with the calls that a user would make. filter2D changes to a discrete Fourier transform by itself, for
// kernels of about 12x12 and more.

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "peer.h"

namespace convtool {
namespace {

int depth_of(DType dtype) { return dtype == DType::u8 ? CV_8U : dtype == DType::u16 ? CV_16U : CV_32F; }

int size(std::int64_t number) { return static_cast<int>(number); }

/// A Mat that refers to the pixels of `picture`. A Mat cannot be const, even where OpenCV only reads it.
template <class Ref>
cv::Mat mat_of(const Ref& picture) {
  const Shape& s = picture.shape;
  return {size(s.h), size(s.w), CV_MAKETYPE(depth_of(picture.dtype), size(s.c)), const_cast<void*>(picture.data)};
}

/// The weights of one channel over the divisor, with zeros between them if the kernel is dilated.
cv::Mat kernel_of(const Workload& workload) {
  const Kernel& kernel = workload.kernel;
  const Extent dilation = workload.problem.dilation, extent = dilated_kernel(kernel.shape, dilation);
  cv::Mat weights = cv::Mat::zeros(size(extent.h), size(extent.w), CV_32F);
  for (std::int64_t u = 0; u < kernel.shape.kh; ++u) {
    for (std::int64_t v = 0; v < kernel.shape.kw; ++v) {
      weights.at<float>(size(u * dilation.h), size(v * dilation.w)) =
          static_cast<float>(static_cast<double>(kernel.taps(0, 0)[u * kernel.shape.kw + v]) / workload.divisor(0));
    }
  }
  return weights;
}

bool is_picture(const Workload& workload) {
  return workload.problem.groups == workload.problem.input.c && workload.id.front() != 'C';
}

bool is_one_filter(const Workload& workload) { return is_picture(workload) && workload.epilogue.combine_count == 1; }

/// OpenCV supports neither strides nor outputs without borders. It computes all pixels, and fetch() copies those that
/// the workload needs.
PeerRun prepare_filter2d(const Workload& workload, const ConstTensorRef& input, const TensorRef& output, int threads) {
  cv::setNumThreads(threads);
  const cv::Mat from = mat_of(input), to = mat_of(output), kernel = kernel_of(workload);
  const int depth = depth_of(workload.output_dtype);
  const auto filter = [=](cv::Mat result) {
    cv::filter2D(from, result, depth, kernel, cv::Point(-1, -1), 0, cv::BORDER_REPLICATE);
  };
  if (from.size() == to.size()) return {.run = [=] { filter(to); }};

  const cv::Mat all(from.size(), to.type());
  const ConvProblem& p = workload.problem;
  const int top = kernel.rows / 2 - size(p.pads.top), left = kernel.cols / 2 - size(p.pads.left);
  const int stride_h = size(p.stride.h), stride_w = size(p.stride.w);
  return {.run = [=] { filter(all); },
          .fetch =
              [=] {
                for (int y = 0; y < to.rows; ++y) {
                  for (int x = 0; x < to.cols; ++x) {
                    const cv::Point at(left + x * stride_w, top + y * stride_h);
                    all(cv::Rect(at, cv::Size(1, 1))).copyTo(to(cv::Rect(x, y, 1, 1)));
                  }
                }
              }};
}

PeerRun prepare_sobel(const Workload&, const ConstTensorRef& input, const TensorRef& output, int threads) {
  cv::setNumThreads(threads);
  const cv::Mat from = mat_of(input), to = mat_of(output);
  const cv::Mat x(from.size(), CV_MAKETYPE(CV_32F, from.channels())), y(from.size(), x.type()),
      both(x.size(), x.type());
  return {.run = [=] {
    cv::Sobel(from, x, CV_32F, 1, 0, 3, 1, 0, cv::BORDER_REPLICATE);
    cv::Sobel(from, y, CV_32F, 0, 1, 3, 1, 0, cv::BORDER_REPLICATE);
    cv::magnitude(x, y, both);
    both.convertTo(to, CV_8U);
  }};
}

PeerRun prepare_gaussian_blur(const Workload& workload, const ConstTensorRef& input, const TensorRef& output,
                              int threads) {
  cv::setNumThreads(threads);
  const cv::Mat from = mat_of(input), to = mat_of(output);
  const cv::Size extent(size(workload.kernel.shape.kw), size(workload.kernel.shape.kh));
  const double sigma = workload.sigma;
  return {.run = [=] { cv::GaussianBlur(from, to, extent, sigma, sigma, cv::BORDER_REPLICATE); }};
}

PeerRun prepare_sep_filter2d(const Workload& workload, const ConstTensorRef& input, const TensorRef& output,
                             int threads) {
  cv::setNumThreads(threads);
  const cv::Mat from = mat_of(input), to = mat_of(output);
  const cv::Mat kernel = cv::getGaussianKernel(size(workload.kernel.shape.kw), workload.sigma, CV_32F);
  return {.run = [=] { cv::sepFilter2D(from, to, -1, kernel, kernel, cv::Point(-1, -1), 0, cv::BORDER_REPLICATE); }};
}

bool is_box(const Workload& workload) {
  const auto& weights = workload.kernel.weights;
  return is_one_filter(workload) && std::all_of(weights.begin(), weights.end(), [](float w) { return w == 1; });
}

PeerRun prepare_box_filter(const Workload& workload, const ConstTensorRef& input, const TensorRef& output,
                           int threads) {
  cv::setNumThreads(threads);
  const cv::Mat from = mat_of(input), to = mat_of(output);
  const cv::Size extent(size(workload.kernel.shape.kw), size(workload.kernel.shape.kh));
  return {.run = [=] { cv::boxFilter(from, to, -1, extent, cv::Point(-1, -1), true, cv::BORDER_REPLICATE); }};
}

bool is_sobel(const Workload& workload) { return workload.id == "I4"; }
bool is_gaussian(const Workload& workload) { return workload.sigma > 0; }

}  // namespace

std::vector<Peer> opencv_peers() {
  return {{"OpenCV filter2D", is_one_filter, prepare_filter2d},
          {"OpenCV Sobel", is_sobel, prepare_sobel},
          {"OpenCV GaussianBlur", is_gaussian, prepare_gaussian_blur, 4},
          {"OpenCV sepFilter2D", is_gaussian, prepare_sep_filter2d, 2},
          {"OpenCV boxFilter", is_box, prepare_box_filter}};
}

}  // namespace convtool
