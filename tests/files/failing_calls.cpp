#include "files/failing_calls.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace convtool::testing {

FailingCalls failing_calls;
std::atomic<int> fsync_calls = 0;

namespace {

/// -1 with errno, or the result of the system call.
template <class... Arguments>
long fail_or_call(int error, long number, Arguments... arguments) {
  if (error == 0) return syscall(number, arguments...);
  errno = error;
  return -1;
}

}  // namespace
}  // namespace convtool::testing

using convtool::testing::fail_or_call;
using convtool::testing::failing_calls;

extern "C" {

int fsync(int descriptor) {
  ++convtool::testing::fsync_calls;
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

ssize_t read(int descriptor, void* bytes, size_t size) {
  if (failing_calls.before_read) failing_calls.before_read();
  return syscall(SYS_read, descriptor, bytes, size);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return failing_calls.write_takes_nothing ? 0 : syscall(SYS_write, descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return failing_calls.write_takes_nothing ? 0 : syscall(SYS_pwrite64, descriptor, bytes, size, offset);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  if (failing_calls.before_renameat2) failing_calls.before_renameat2();
  return static_cast<int>(
      fail_or_call(failing_calls.renameat2_error, SYS_renameat2, from_folder, from, to_folder, to, flags));
}

int link(const char* from, const char* to) noexcept {
  return static_cast<int>(fail_or_call(failing_calls.link_error, SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

ssize_t getrandom(void* bytes, size_t size, unsigned flags) {
  return fail_or_call(failing_calls.getrandom_error, SYS_getrandom, bytes, size, flags);
}
}
