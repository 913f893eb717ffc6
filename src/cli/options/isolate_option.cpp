#include "cli/options/isolate_option.h"

#include "cli/options/option_value.h"

namespace convtool {

Option isolate_option(std::string& target) {
  return {.names = "--isolate",
          .value = "WHEN",
          .target = &target,
          .brief = "decode pictures in child processes: {words}",
          .text =
              "Whether each picture is decoded in a process of its own, so that a file that makes a codec crash, "
              "hang or take too much memory fails alone: {words}. auto does so for TIFF, OpenEXR and WebP, where "
              "the system allows it, and warns where it does not. The process is limited in memory and time, and "
              "cannot open files or use the network.",
          .words = {kIsolations},
          .affects_result = false};
}

Isolation parse_isolation(const std::string& text) {
  return static_cast<Isolation>(parse_choice("--isolate", text, kIsolations));
}

}  // namespace convtool
