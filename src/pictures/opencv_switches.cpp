#include "pictures/opencv_switches.h"

#include <cstdlib>

namespace convtool {
namespace {

// What runs before the libraries' own start may call none of them, sanitizers among them.
#define CONVTOOL_BEFORE_START __attribute__((no_sanitize("address", "undefined", "thread")))

CONVTOOL_BEFORE_START bool starts_with(const char* text, const char* prefix) {
  while (*prefix != '\0' && *text == *prefix) ++text, ++prefix;
  return *prefix == '\0';
}

/// Takes out of the environment what would make OpenCV print to standard output, write traces to the working folder,
/// load plugins, or decode less; and libjpeg's JPEGMEM, by which it would keep pixels in files.
CONVTOOL_BEFORE_START void forget_switches(int, char**, char** environment) {
  char** kept = environment;
  for (char** variable = environment; *variable != nullptr; ++variable) {
    if (!starts_with(*variable, "OPENCV_") && !starts_with(*variable, "JPEGMEM=")) *kept++ = *variable;
  }
  *kept = nullptr;
}

// OpenCV reads some of them before main(), in an order that is not ours. What stands in this section runs before all
// else (System V ABI, "Initialization and Termination Functions"), sanitizers apart.
__attribute__((section(".preinit_array"), used)) void (*const kForgetSwitches)(int, char**, char**) = forget_switches;

}  // namespace

void settle_opencv_switches() { setenv("OPENCV_IO_ENABLE_OPENEXR", "1", 1); }

}  // namespace convtool
