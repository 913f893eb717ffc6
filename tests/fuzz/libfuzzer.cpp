// The entry points of libFuzzer (llvm.org/docs/LibFuzzer.html). CONVTOOL_FUZZ_TARGET names the target: libFuzzer starts
// itself again for some tasks, with the same environment and other arguments.
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "fuzz/target.h"

namespace {

using convtool::fuzz::Target;

const Target& target() {
  static const Target chosen = [] {
    const char* name = std::getenv("CONVTOOL_FUZZ_TARGET");
    const std::vector<Target> all = convtool::fuzz::all_targets();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [name](const Target& each) { return name != nullptr && each.name == name; });
    if (found != all.end()) return *found;
    std::cerr << "set CONVTOOL_FUZZ_TARGET to one of:";
    for (const Target& each : all) std::cerr << " " << each.name;
    std::cerr << "\n";
    std::exit(2);
  }();
  return chosen;
}

}  // namespace

extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t limit);

int LLVMFuzzerInitialize(int*, char***) {
  target();
  convtool::fuzz::checks_all = false;
  // While a codec runs, descriptor 2 is captured (files/stderr_capture.h).
  __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<std::intptr_t>(dup(STDERR_FILENO))));
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  target().run(std::as_bytes(std::span(data, size)));
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t limit, unsigned seed) {
  const std::size_t changed = target().mutate == nullptr ? 0 : target().mutate(data, size, limit, seed);
  return changed > 0 ? changed : LLVMFuzzerMutate(data, size, limit);
}

}  // extern "C"
