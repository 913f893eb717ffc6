// OpenCV's version, and its set-up in this process.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// Such as "4.6.0".
std::string opencv_version();

/// How OpenCV is linked: "static", "static with shared codecs" or "shared" (opencv.cmake).
std::string_view opencv_link();

/// Internal to pictures/: silences OpenCV's log, and gives its large matrices large pages. Call it before main(). The
/// user's variables for OpenCV, libjpeg and libtiff are gone by then: linking this file removes them at the start of
/// the process.
void prepare_opencv();

}  // namespace convtool
