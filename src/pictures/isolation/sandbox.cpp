#include "pictures/isolation/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "files/descriptor.h"

namespace convtool {
namespace {

void set_limit(__rlimit_resource resource, rlim_t soft, rlim_t hard) {
  struct rlimit now;
  if (getrlimit(resource, &now) != 0) throw_errno();
  const struct rlimit lower = {std::min(soft, now.rlim_max), std::min(hard, now.rlim_max)};  // of the user's own limits
  if (setrlimit(resource, &lower) != 0) throw_errno();
}

/// Bytes of address space in use.
rlim_t mapped_bytes() {
  constexpr rlim_t kUnknown = rlim_t{1} << 30;  // without /proc: more than the program and its libraries take
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char text[32] = {};  // pages in use, and other numbers after a space
  const ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  const unsigned long pages = size < 0 ? 0 : std::strtoul(text, nullptr, 10);
  return pages == 0 ? kUnknown : pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr unsigned kArchitecture = 0;  // no filter
#endif

/// The system calls that code needs that computes in memory and answers through a descriptor: memory, locks, the end,
/// time, and abort(). glibc asks sysinfo() for the memory of the machine, and does not look whether it was refused.
constexpr long kAllowed[] = {
    SYS_write,  SYS_read,   SYS_close,          SYS_brk,           SYS_munmap,       SYS_mremap,      SYS_madvise,
    SYS_futex,  SYS_exit,   SYS_exit_group,     SYS_clock_gettime, SYS_gettimeofday, SYS_sched_yield, SYS_getrandom,
    SYS_getpid, SYS_gettid, SYS_rt_sigprocmask, SYS_rt_sigreturn,  SYS_sysinfo,
};

/// A filter in the instructions of the kernel (BPF), which sees one system call as a struct seccomp_data. Each test of
/// a number is followed by what to do if it holds; otherwise the filter goes on behind that.
std::vector<sock_filter> make_filter(pid_t self) {
  std::vector<sock_filter> filter;
  const auto load = [&](std::size_t offset) {
    filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
  };
  const auto if_equal = [&](unsigned value, std::uint8_t then_skip, std::uint8_t else_skip) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then_skip, else_skip));
  };
  const auto answer = [&](unsigned action) { filter.push_back(BPF_STMT(BPF_RET | BPF_K, action)); };
  // The lower half of an argument, which both processors store first.
  const auto argument = [](int index) { return offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(index); };
  constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EPERM;

  load(offsetof(seccomp_data, arch));
  if_equal(kArchitecture, 1, 0);
  answer(kRefuse);  // 32-bit calls have other numbers
  load(offsetof(seccomp_data, nr));
  for (const long number : kAllowed) {
    if_equal(static_cast<unsigned>(number), 0, 1);
    answer(SECCOMP_RET_ALLOW);
  }
  if_equal(SYS_mmap, 0, 4);
  load(argument(2));
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
  answer(kRefuse);
  answer(SECCOMP_RET_ALLOW);
  if_equal(SYS_tgkill, 0, 5);
  load(argument(0));
  if_equal(static_cast<unsigned>(self), 0, 3);
  load(argument(2));
  if_equal(SIGABRT, 0, 1);
  answer(SECCOMP_RET_ALLOW);
  answer(kRefuse);
  return filter;
}

/// Does nothing where the kernel has no filters.
void filter_system_calls() {
  if (kArchitecture == 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
  std::vector<sock_filter> filter = make_filter(getpid());
  const sock_fprog counted = {static_cast<unsigned short>(filter.size()), filter.data()};
  // Before Linux 5.16, a filter turns on a defence against Spectre that slows down all code of the process, unless this
  // flag says that the process keeps no secrets from itself. TSYNC: for all threads of the process.
  const auto install = [&](unsigned flags) {
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_TSYNC, &counted);
  };
  if (install(SECCOMP_FILTER_FLAG_SPEC_ALLOW) != 0 && errno == EINVAL) install(0);  // Linux before 4.17
}

}  // namespace

void enter_sandbox(const SandboxLimits& limits) {
  const auto seconds = static_cast<rlim_t>(limits.cpu_seconds);
  set_limit(RLIMIT_CPU, seconds, seconds + 1);  // SIGXCPU, and SIGKILL for code that ignores it
  if (!kHasSandbox) return;
  const rlim_t memory = mapped_bytes() + static_cast<rlim_t>(limits.memory);
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) throw_errno();  // no core file
  set_limit(RLIMIT_AS, memory, memory);
  for (const __rlimit_resource resource : {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_NPROC}) set_limit(resource, 0, 0);
  filter_system_calls();
}

}  // namespace convtool
