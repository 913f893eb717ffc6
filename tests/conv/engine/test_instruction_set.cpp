// What the processor is taken to have, against Highway's own library.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <hwy/highway.h>

#include "conv/engine/instruction_set.h"
#include "support/skip.h"

namespace convtool {
namespace {

// Nothing to compare where the library is linked, or no instruction set is chosen.
#if !defined(CONVTOOL_HIGHWAY_LIBRARY) && HWY_TARGETS != HWY_STATIC_TARGET
TEST_CASE("the processor has the instruction sets that Highway's library finds") {
  void* library = dlopen(HWY_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!library) return skip("needs Highway's shared library");
  void* function = dlsym(library, "_ZN3hwy16SupportedTargetsEv");
  REQUIRE(function != nullptr);
  REQUIRE(function != reinterpret_cast<void*>(&hwy::SupportedTargets));
  const auto supported = reinterpret_cast<std::int64_t (*)()>(function);

  CHECK((hwy::SupportedTargets() & HWY_TARGETS) == (supported() & HWY_TARGETS));
  dlclose(library);
}
#endif

TEST_CASE("the instruction set in use is the best, or the one that was asked for") {
  const std::vector<std::string_view> sets = instruction_sets();
  REQUIRE(!sets.empty());
  CHECK(instruction_set() == sets.front());
  for (const std::string_view set : sets) {
    use_instruction_set(set);
    CHECK(instruction_set() == set);
  }
  use_instruction_set("");
  CHECK(instruction_sets() == sets);
}

}  // namespace
}  // namespace convtool
