// Reads and compares the pictures that the program has written.
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "support/program.h"

inline cv::Mat read(const TempFolder& folder, const std::string& name) {
  return cv::imread(folder.file(name), cv::IMREAD_UNCHANGED);
}

/// Whether two pictures have the same size and type, and values that differ by at most `most`.
inline bool equal(const cv::Mat& a, const cv::Mat& b, double most = 0) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a.reshape(1), b.reshape(1), cv::NORM_INF) <= most;
}
