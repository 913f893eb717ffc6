// One redirection for the whole process, counted. The text goes to an anonymous file (memfd_create(2)).
#include "files/stderr_capture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "files/descriptor.h"

namespace convtool {
namespace {

std::mutex capture_mutex;  // guards the variables below
int captures = 0;          // that live now
int users_stderr = -1;     // a duplicate of the former descriptor 2 while it is redirected
int memory = -1;           // the file that descriptor 2 writes to meanwhile

void redirect() {
  users_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  // Closed, or in a sandbox, where it is closed too: nobody would see the text.
  if (users_stderr < 0 && (errno == EBADF || errno == EPERM)) return;
  if (users_stderr >= 0) memory = memfd_create("captured standard error", MFD_CLOEXEC);
  if (memory >= 0) {
    dup2(memory, STDERR_FILENO);
    return;
  }
  const int error = errno;
  if (users_stderr >= 0) close(std::exchange(users_stderr, -1));
  throw Error(ErrorKind::memory, "", "cannot redirect standard error: " + describe_errno(error));
}

void restore() {
  if (users_stderr < 0) return;
  dup2(users_stderr, STDERR_FILENO);
  close(users_stderr);
  close(memory);
  users_stderr = memory = -1;
}

}  // namespace

StderrCapture::StderrCapture() {
  std::lock_guard lock(capture_mutex);
  if (captures == 0) redirect();
  ++captures;
}

StderrCapture::~StderrCapture() {
  std::lock_guard lock(capture_mutex);
  if (--captures == 0) restore();
}

void print_to_stderr(std::string_view text) {
  std::lock_guard lock(capture_mutex);
  const int target = users_stderr >= 0 ? users_stderr : STDERR_FILENO;
  while (!text.empty()) {
    const ssize_t written = write(target, text.data(), text.size());
    if (written == 0 || (written < 0 && errno != EINTR)) return;  // nobody to report the failure to
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace convtool
