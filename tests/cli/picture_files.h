// Pictures that the program reads, and those that it has written.
#pragma once

#include <fstream>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "support/program.h"

inline cv::Mat read(const TempFolder& folder, const std::string& name) {
  return cv::imread(folder.file(name), cv::IMREAD_UNCHANGED);
}

/// Writes a grey picture of 8 bits as PNG, whatever the name; its values are always the same.
inline void write_picture(const std::string& path, int height, int width) {
  cv::Mat picture(height, width, CV_8UC1);
  cv::RNG(1).fill(picture, cv::RNG::UNIFORM, 0, 256);
  std::vector<unsigned char> bytes;
  cv::imencode(".png", picture, bytes);
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
}

/// Whether two pictures have the same size and type, and values that differ by at most `most`.
inline bool equal(const cv::Mat& a, const cv::Mat& b, double most = 0) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a.reshape(1), b.reshape(1), cv::NORM_INF) <= most;
}
