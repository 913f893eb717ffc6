#include "pictures/opencv/opencv_setup.h"

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>

namespace convtool {
namespace {

// Code that runs before the libraries are initialised must not call any of them, sanitizers included.
#define CONVTOOL_BEFORE_START __attribute__((no_sanitize("address", "undefined", "thread")))

CONVTOOL_BEFORE_START bool starts_with(const char* text, const char* prefix) {
  while (*prefix != '\0' && *text == *prefix) ++text, ++prefix;
  return *prefix == '\0';
}

/// Removes variables from the environment: those that would make OpenCV print to standard output, write traces to the
/// working folder, load plugins, or decode less; libjpeg's JPEGMEM, which would make it keep pixels in files; and those
/// of libtiff, which would change how much of a JPEG it decodes, and with how much memory.
CONVTOOL_BEFORE_START void remove_variables(int, char**, char** environment) {
  char** kept = environment;
  for (char** variable = environment; *variable != nullptr; ++variable) {
    if (!starts_with(*variable, "OPENCV_") && !starts_with(*variable, "LIBTIFF_") &&
        !starts_with(*variable, "JPEGMEM="))
      *kept++ = *variable;
  }
  *kept = nullptr;
}

// OpenCV reads some of the variables before main(), at a time that cannot be controlled. Functions in this section run
// before all others (System V ABI, "Initialization and Termination Functions"), except sanitizers.
__attribute__((section(".preinit_array"), used)) void (*const kRemoveVariables)(int, char**, char**) = remove_variables;

}  // namespace

std::string opencv_version() { return CV_VERSION; }

std::string_view opencv_link() { return CONVTOOL_OPENCV_LINK; }

void prepare_opencv() { cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT); }

}  // namespace convtool
