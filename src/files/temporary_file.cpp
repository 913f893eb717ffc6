// A table of all live temporary files, which the signal handler removes.
//
// A signal handler may call little more than unlink(), and must not wait for a lock that the interrupted thread holds.
// So the paths are kept in a fixed table, and one atomic guards each slot. A path is entered before its file is
// created: whenever a file exists, the handler knows it. Names are random, so no other process uses a name whose file
// does not exist yet.
//
// Each process locks its live temporary files, and the operating system drops the locks when the process ends. A file
// that can be locked is therefore abandoned, and is removed. Files of another machine must be old as well, because some
// network file systems do not share locks between machines. Between creating a file and locking it, a process may lose
// the file to another process that is cleaning up; it then creates another.
#include "files/temporary_file.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "files/descriptor.h"
#include "files/digest.h"

namespace convtool {
namespace {

enum class SlotState { free, claimed, live };

struct Slot {
  std::atomic<SlotState> state = SlotState::free;
  char path[PATH_MAX];
};
static_assert(std::atomic<SlotState>::is_always_lock_free, "the signal handler reads it");

constexpr int kSlots = 64;  // files written at the same time; others wait
Slot slots[kSlots];

/// These two make sure that the handler knows every file. The handler sets `is_ending`, then waits until `creators` is
/// 0; a thread that creates a file increments `creators`, then checks `is_ending`. Signals are blocked meanwhile, so
/// that the handler never waits for the thread that it interrupts.
std::atomic<bool> is_ending = false;
std::atomic<int> creators = 0;
static_assert(std::atomic<int>::is_always_lock_free, "the signal handler reads it");

// The signals from outside that end a process by default (signal(7)). Signals for a fault in the process itself, such
// as SIGSEGV, are not handled; they leave temporary files to the next run.
constexpr std::array kSignals = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE,   SIGALRM,
                                 SIGUSR1, SIGUSR2, SIGXCPU, SIGPROF, SIGVTALRM, SIGIO};

extern "C" void remove_temporaries_and_end(int signal) {
  is_ending = true;
  constexpr timespec kMoment = {0, 100'000};
  constexpr int kMostMoments = 10'000;  // one second; a file system slower than that may keep a file
  for (int i = 0; i < kMostMoments && creators > 0; ++i) nanosleep(&kMoment, nullptr);
  for (Slot& slot : slots)
    if (slot.state.load() == SlotState::live) unlink(slot.path);
  ::signal(signal, SIG_DFL);
  raise(signal);  // delivered as soon as it is unblocked
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  _exit(128 + signal);  // the first process of a container, which the signal does not end
}

/// Only for signals that would end the process: a handler that is already there, such as a profiler's, may return, and
/// the process then goes on and needs its files.
void install_handlers() {
  for (const int signal : kSignals) {
    struct sigaction action = {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_DFL) continue;
    action = {};
    action.sa_handler = remove_temporaries_and_end;
    sigfillset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

int claim_slot() {
  while (true) {
    for (int i = 0; i < kSlots; ++i) {
      SlotState expected = SlotState::free;
      if (slots[i].state.compare_exchange_strong(expected, SlotState::claimed)) return i;
    }
    std::this_thread::yield();
  }
}

/// open(2) of a new file. Does not return once the process is ending.
int create_unless_ending(const char* path) {
  sigset_t all, former;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &former);
  ++creators;
  if (is_ending) {
    --creators;
    while (true) pause();
  }
  const int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  const int error = errno;
  --creators;
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
  errno = error;
  return descriptor;
}

constexpr std::string_view kPrefix = ".convtool-";
constexpr std::size_t kDigits = 16;

bool is_temporary_name(std::string_view name) {
  return name.size() == kPrefix.size() + kDigits && name.starts_with(kPrefix) &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

/// The first half of the digits in a name, by which a machine recognises its own files in a shared folder.
std::string host_digits() {
  char name[HOST_NAME_MAX + 1] = {};
  gethostname(name, HOST_NAME_MAX);
  const std::string digest = digest_of(std::as_bytes(std::span(name)));
  return digest.substr(digest.size() - kDigits / 2);
}

/// Whether the file has not been written to for an hour, which is longer than writing any file takes.
bool is_old(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && std::time(nullptr) - status.st_mtim.tv_sec > 3600;
}

/// Removes the temporary files of ended processes from `folder`, except those that cannot be opened or removed.
void remove_abandoned(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator at(folder, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    if (!is_temporary_name(at->path().filename().native())) continue;
    // NFS locks only files that are open for writing.
    const int descriptor = open(at->path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    const bool is_ours = at->path().filename().native().substr(kPrefix.size()).starts_with(host_digits());
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && (is_ours || is_old(descriptor))) unlink(at->path().c_str());
    close(descriptor);
  }
}

/// remove_abandoned(), once per folder in the life of the process.
void remove_abandoned_once(const std::filesystem::path& folder) {
  static std::mutex mutex;
  static std::set<std::filesystem::path> seen;
  std::lock_guard lock(mutex);
  if (seen.insert(folder).second) remove_abandoned(folder);
}

/// Locks a new file. Returns false if another process has locked or removed it first.
bool own(int descriptor) {
  struct stat status;
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;  // locks are not supported
  return fstat(descriptor, &status) != 0 || status.st_nlink > 0;
}

/// A path in `folder` that no other process uses. Throws std::system_error.
std::string new_name_in(const std::filesystem::path& folder) {
  std::uint32_t number = 0;
  while (getrandom(&number, sizeof number, 0) != sizeof number)
    if (errno != EINTR) throw_errno();
  char digits[kDigits / 2 + 1];
  std::snprintf(digits, sizeof digits, "%08x", number);
  std::string name = folder.native() + "/" + std::string(kPrefix) + host_digits() + digits;
  if (name.size() >= PATH_MAX) throw_errno(ENAMETOOLONG);
  return name;
}

/// Whether a file system lacks the function that failed with `error`: also for some files only, or in an old kernel.
bool is_lacking(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM || error == EMLINK;
}

/// Renames `path` to `target` unless that name is taken, and returns whether it did. Throws std::system_error.
bool take_name(const char* path, const char* target) {
  const auto is_taken = [] { return errno == EEXIST; };
  if (renameat2(AT_FDCWD, path, AT_FDCWD, target, RENAME_NOREPLACE) == 0) return true;
  if (is_taken()) return false;
  if (!is_lacking(errno)) throw_errno();
  const auto has_two_names = [path] {  // NFS may repeat a link() whose answer was lost, and then say that it exists
    struct stat status;
    return stat(path, &status) == 0 && status.st_nlink == 2;  // success leaves errno alone
  };
  if (link(path, target) == 0 || (is_taken() && has_two_names())) {
    unlink(path);
    return true;
  }
  if (errno == EEXIST) return false;
  if (!is_lacking(errno)) throw_errno();
  const int mine = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (mine < 0 && is_taken()) return false;
  if (mine < 0) throw_errno();
  close(mine);
  if (rename(path, target) == 0) return true;
  const int error = errno;
  unlink(target);
  throw_errno(error);
}

}  // namespace

void prepare_for_signals() {
  static std::once_flag installed;
  std::call_once(installed, install_handlers);
}

TemporaryFile::TemporaryFile(const std::filesystem::path& folder) {
  prepare_for_signals();

  remove_abandoned_once(folder);

  int error = 0;
  do {
    const std::string name = new_name_in(folder);  // the last step that may throw
    slot_ = claim_slot();
    Slot& slot = slots[slot_];
    name.copy(slot.path, name.size());
    slot.path[name.size()] = '\0';
    slot.state.store(SlotState::live);
    descriptor_ = create_unless_ending(slot.path);
    error = descriptor_ < 0 ? errno : 0;
    if (descriptor_ >= 0 && !own(descriptor_)) {
      close(descriptor_);
      descriptor_ = -1;
      error = EEXIST;
    }
    if (error != 0) release();
  } while (error == EEXIST || error == EINTR);
  if (error != 0) throw_errno(error);
}

TemporaryFile::~TemporaryFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (slot_ >= 0) {
    unlink(path());
    release();
  }
}

const char* TemporaryFile::path() const { return slots[slot_].path; }

void TemporaryFile::replace(const std::filesystem::path& target, bool always_flushed) {
  if (!always_flushed) {
    report_errors();
    if (renameat2(AT_FDCWD, path(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) return settle();
    // Something has the name, or the file system cannot tell.
  }
  flush();
  if (rename(path(), target.c_str()) != 0) throw_errno();
  settle();
}

bool TemporaryFile::become(const std::filesystem::path& target) {
  flush();
  if (!take_name(path(), target.c_str())) return false;
  settle();
  return true;
}

void TemporaryFile::flush() {
  if (fsync(descriptor_) != 0 && errno != EINVAL) throw_errno();  // EINVAL: not supported
}

void TemporaryFile::report_errors() {
  // File servers (NFS) report a full disk only when a file is closed. The lock lasts until the last of its descriptors
  // is closed.
  const int copy = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0 || close(copy) != 0) throw_errno();
}

void TemporaryFile::settle() {
  release();
  // Closed only after the rename, because closing drops the lock. Errors that close() could report are known.
  close(descriptor_);
  descriptor_ = -1;
}

void TemporaryFile::release() {
  slots[slot_].state.store(SlotState::free);
  slot_ = -1;
}

}  // namespace convtool
