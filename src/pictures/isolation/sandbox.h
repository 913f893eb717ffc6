// The limits of a process that runs code on an untrusted file.
#pragma once

#include <cstdint>

namespace convtool {

/// False where the sanitizers are built in: they map terabytes and make system calls of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHasSandbox = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool kHasSandbox = false;
#else
inline constexpr bool kHasSandbox = true;
#endif
#else
inline constexpr bool kHasSandbox = true;
#endif

struct SandboxLimits {
  std::int64_t memory = 0;  ///< bytes that may be mapped in addition to those that are mapped now
  int cpu_seconds = 0;      ///< processor time from the start of the process; then it ends by SIGXCPU
};

/// Leaves the calling process little more than computing, for the rest of its life: it cannot open a descriptor, start
/// a process or a thread, signal another process, make memory executable, write a file of any size, dump core, or
/// exceed `limits`. Descriptors that are open stay usable. Forbidden system calls fail with EPERM, on processors and
/// kernels that have seccomp filters (seccomp(2)); the limits hold everywhere (setrlimit(2)). Without kHasSandbox only
/// the limit of time holds. Threads that run already are under the same rules. Throws std::system_error.
void enter_sandbox(const SandboxLimits& limits);

}  // namespace convtool
