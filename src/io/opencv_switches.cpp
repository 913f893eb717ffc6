#include "io/opencv_switches.h"

#include <cstdlib>

namespace convtool {
namespace {

/// Takes OpenCV's variables out of the environment: they would make it print to standard output, write traces to the
/// working folder, load plugins, or decode less.
__attribute__((no_sanitize("address", "undefined", "thread"))) void forget_switches(int, char**, char** environment) {
  char** kept = environment;
  for (char** variable = environment; *variable != nullptr; ++variable) {
    const char* name = *variable;
    const char* prefix = "OPENCV_";
    while (*prefix != '\0' && *name == *prefix) ++name, ++prefix;
    if (*prefix != '\0') *kept++ = *variable;
  }
  *kept = nullptr;
}

// OpenCV reads some of them before main(), in an order that is not ours. What stands in this section runs before all
// else (System V ABI, "Initialization and Termination Functions"), sanitizers apart.
__attribute__((section(".preinit_array"), used)) void (*const kForgetSwitches)(int, char**, char**) = forget_switches;

}  // namespace

void settle_opencv_switches() { setenv("OPENCV_IO_ENABLE_OPENEXR", "1", 1); }

}  // namespace convtool
