#include "conv/engine/instruction_set.h"

#include <hwy/highway.h>

#include <atomic>
#include <cstdlib>

#ifndef CONVTOOL_HIGHWAY_LIBRARY

#if HWY_MAJOR != 1 || HWY_MINOR > 2 || (HWY_MINOR == 0 && HWY_PATCH < 3)
#error \
    "This file replaces the library of Highway 1.0.3 to 1.2; set -DCONVTOOL_HIGHWAY_HEADERS_ONLY=OFF to link another."
#endif

namespace {

std::atomic<std::int64_t> tested_targets{0};  // unless 0, replaces the processor's targets

std::int64_t targets_of_processor() {
  std::int64_t targets = HWY_STATIC_TARGET | HWY_EMU128 | HWY_SCALAR;
#if HWY_ARCH_X86
  // The features that Highway compiles each target with (hwy/ops/set_macros-inl.h), in any of these versions. Its AVX2
  // also uses LZCNT and F16C, which Clang 14 cannot query; every processor with BMI2 and FMA has them.
  const bool ssse3 = __builtin_cpu_supports("ssse3");
  const bool sse4 =
      ssse3 && __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
  const bool avx2 = sse4 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool avx3 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw");
  if (ssse3) targets |= HWY_SSSE3;
  if (sse4) targets |= HWY_SSE4;
  if (avx2) targets |= HWY_AVX2;
  if (avx3) targets |= HWY_AVX3;
#endif
  return targets;
}

}  // namespace

// Replacements for the functions of Highway's library that the engine and Highway's headers call. The library itself
// would measure the resolution of a clock when it is loaded, which takes 3 ms of every run.
namespace hwy {

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

std::int64_t SupportedTargets() {
  const std::int64_t tested = tested_targets;
  return tested ? tested : targets_of_processor();
}

void SetSupportedTargetsForTest(std::int64_t targets) {
  tested_targets = targets;
  GetChosenTarget().DeInit();
}

void Abort(const char*, int, const char*, ...) { std::abort(); }  // of its own assertions

}  // namespace hwy

#endif  // CONVTOOL_HIGHWAY_LIBRARY

namespace convtool {
namespace {

bool vnni_allowed = true;  // false while a test uses another instruction set

}  // namespace

bool cpu_has_vnni() {
#if HWY_ARCH_X86_64
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx512vbmi");
#else
  return false;
#endif
}

std::vector<std::string_view> instruction_sets() {
  std::vector<std::string_view> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target == HWY_AVX3 && vnni_allowed && cpu_has_vnni()) names.push_back(kAvx3Vnni);
    names.emplace_back(hwy::TargetName(target));
  }
  return names;
}

std::string_view instruction_set() { return instruction_sets().front(); }

void use_instruction_set(std::string_view name) {
  vnni_allowed = name.empty() || name == kAvx3Vnni;
  const std::string_view target_name = name == kAvx3Vnni ? hwy::TargetName(HWY_AVX3) : name;
  hwy::SetSupportedTargetsForTest(0);
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    if (target_name == hwy::TargetName(target)) {
      hwy::SetSupportedTargetsForTest(target);
      break;
    }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace convtool
