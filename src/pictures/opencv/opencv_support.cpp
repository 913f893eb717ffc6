#include "pictures/opencv/opencv_support.h"

namespace convtool {

cv::Mat pick_channels(const std::vector<cv::Mat>& from, int count, const std::vector<int>& pairs) {
  cv::Mat picked(from[0].size(), CV_MAKETYPE(from[0].depth(), count));
  std::vector<cv::Mat> to = {picked};
  cv::mixChannels(from, to, pairs);
  return picked;
}

}  // namespace convtool
