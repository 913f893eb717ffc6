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
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <random>
#include <set>
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
struct sigaction former_actions[kSignals.size()];

extern "C" void remove_temporaries_and_pass_on(int signal) {
  const int saved_errno = errno;
  is_ending = true;
  constexpr timespec kMoment = {0, 100'000};
  constexpr int kMostMoments = 10'000;  // one second; a file system slower than that may keep a file
  for (int i = 0; i < kMostMoments && creators > 0; ++i) nanosleep(&kMoment, nullptr);
  for (Slot& slot : slots)
    if (slot.state.load() == SlotState::live) unlink(slot.path);
  bool is_default = false;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] != signal) continue;
    is_default = former_actions[i].sa_handler == SIG_DFL;
    sigaction(signal, &former_actions[i], nullptr);
  }
  raise(signal);     // delivered to the former action when this handler returns
  if (is_default) {  // end at once; _exit() is for the first process of a container, which the signal does not end
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    _exit(128 + signal);
  }
  errno = saved_errno;
}

void install_handlers() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &former_actions[i]);
    if (former_actions[i].sa_handler == SIG_IGN) continue;  // as under nohup
    struct sigaction action = {};
    action.sa_handler = remove_temporaries_and_pass_on;
    sigfillset(&action.sa_mask);
    sigaction(kSignals[i], &action, nullptr);
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

}  // namespace

void prepare_for_signals() {
  static std::once_flag installed;
  std::call_once(installed, install_handlers);
}

TemporaryFile::TemporaryFile(const std::filesystem::path& folder) {
  prepare_for_signals();

  remove_abandoned_once(folder);

  const std::string host = host_digits();
  std::random_device random;
  slot_ = claim_slot();
  Slot& slot = slots[slot_];
  int error = 0;
  do {
    slot.state.store(SlotState::claimed);
    const int length = std::snprintf(slot.path, sizeof slot.path, "%s/%s%s%08x", folder.c_str(), kPrefix.data(),
                                     host.c_str(), random());
    if (length >= static_cast<int>(sizeof slot.path)) {
      error = ENAMETOOLONG;
      break;
    }
    slot.state.store(SlotState::live);
    descriptor_ = create_unless_ending(slot.path);
    error = descriptor_ < 0 ? errno : 0;
    if (descriptor_ >= 0 && !own(descriptor_)) {
      close(descriptor_);
      descriptor_ = -1;
      error = EEXIST;
    }
  } while (error == EEXIST || error == EINTR);
  if (error != 0) {
    release();
    throw_errno(error);
  }
}

TemporaryFile::~TemporaryFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (slot_ >= 0) {
    unlink(path());
    release();
  }
}

const char* TemporaryFile::path() const { return slots[slot_].path; }

void TemporaryFile::replace(const std::filesystem::path& target) {
  if (fsync(descriptor_) != 0 && errno != EINVAL) throw_errno();  // EINVAL: not supported
  if (rename(path(), target.c_str()) != 0) throw_errno();
  release();
  // Closed only after the rename, because closing drops the lock. fsync() has reported any error that close() could.
  close(descriptor_);
  descriptor_ = -1;
}

void TemporaryFile::release() {
  slots[slot_].state.store(SlotState::free);
  slot_ = -1;
}

}  // namespace convtool
