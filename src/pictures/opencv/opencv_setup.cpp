#include "pictures/opencv/opencv_setup.h"

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>

#include "core/tensor.h"

namespace convtool {
namespace {

/// Gives large matrices memory in large pages, as tensors have it: the system takes longer to provide small ones than a
/// kernel takes to fill them. Everything else is left to OpenCV's own allocator.
class LargePages : public cv::MatAllocator {
 public:
  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, std::size_t* step, cv::AccessFlag access,
                         cv::UMatUsageFlags usage) const override {
    std::size_t bytes = CV_ELEM_SIZE(type);
    for (int i = 0; i < dims; ++i) bytes *= static_cast<std::size_t>(sizes[i]);
    if (data != nullptr || step == nullptr || bytes < kLeast)
      return standard_->allocate(dims, sizes, type, data, step, access, usage);
    auto memory = allocate_pixels(bytes);
    for (int i = 0; i < dims; ++i) step[i] = bytes /= static_cast<std::size_t>(sizes[i]);
    cv::UMatData* const matrix = standard_->allocate(dims, sizes, type, memory.get(), step, access, usage);
    matrix->prevAllocator = matrix->currAllocator = this;  // who frees it
    memory.release();
    return matrix;
  }

  bool allocate(cv::UMatData* matrix, cv::AccessFlag access, cv::UMatUsageFlags usage) const override {
    return standard_->allocate(matrix, access, usage);
  }

  void deallocate(cv::UMatData* matrix) const override {
    const std::unique_ptr<void, FreePixels> memory(matrix->origdata);
    standard_->deallocate(matrix);  // which does not free memory that it was given
  }

 private:
  static constexpr std::size_t kLeast = std::size_t{4} << 20;  // allocate_pixels() takes large pages from here on
  cv::MatAllocator* standard_ = cv::Mat::getStdAllocator();
};

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

void prepare_opencv() {
  static LargePages allocator;
  cv::Mat::setDefaultAllocator(&allocator);
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
}

}  // namespace convtool
