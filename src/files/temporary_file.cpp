// The table of temporaries that live now, which the signal handler empties.
//
// A handler may call little more than unlink(), and must not wait for a lock that the interrupted thread holds. So the
// paths stand in a fixed table, each slot guarded by one atomic. A name enters its slot before the file is created:
// whenever a file exists, the handler knows it. Names are random, so a name whose file was not created yet is nobody's.
//
// A live temporary is locked by its process, and the kernel drops the lock with the process. One that can be locked is
// abandoned, and is removed; but of another machine only when it is old, for not every file system that machines share
// tells them of each other's locks. Between creating and locking its own a process may lose it to another's cleaning;
// it then makes another.
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
#include <system_error>
#include <thread>

#include "files/digest.h"

namespace convtool {
namespace {

enum class SlotState { free, claimed, live };

struct Slot {
  std::atomic<SlotState> state = SlotState::free;
  char path[PATH_MAX];
};
static_assert(std::atomic<SlotState>::is_always_lock_free, "the signal handler reads it");

constexpr int kSlots = 64;  // files being written at once; more wait
Slot slots[kSlots];

/// Between them no file comes to be that the handler does not know: it raises `is_ending`, then waits until nobody is
/// creating; a creator counts itself, then looks at `is_ending`. Signals are blocked there, so that the handler never
/// waits for the thread that it interrupts.
std::atomic<bool> is_ending = false;
std::atomic<int> creators = 0;
static_assert(std::atomic<int>::is_always_lock_free, "the signal handler reads it");

// Those that end a process which does not handle them and that come from outside (signal(7)); what tells of a fault in
// the process itself is not handled, and leaves its temporary to the next run.
constexpr std::array kSignals = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE,   SIGALRM,
                                 SIGUSR1, SIGUSR2, SIGXCPU, SIGPROF, SIGVTALRM, SIGIO};
struct sigaction former_actions[kSignals.size()];

extern "C" void remove_temporaries_and_pass_on(int signal) {
  const int saved_errno = errno;
  is_ending = true;
  constexpr timespec kMoment = {0, 100'000};
  constexpr int kMostMoments = 10'000;  // a second; a file system that takes longer may keep a file
  for (int i = 0; i < kMostMoments && creators > 0; ++i) nanosleep(&kMoment, nullptr);
  for (Slot& slot : slots)
    if (slot.state.load() == SlotState::live) unlink(slot.path);
  bool is_default = false;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] != signal) continue;
    is_default = former_actions[i].sa_handler == SIG_DFL;
    sigaction(signal, &former_actions[i], nullptr);
  }
  raise(signal);     // delivered when this handler returns, to what was there before
  if (is_default) {  // the end, here and now; but the first process of a container is not ended by it
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

/// open() of a new file; does not return once the process is ending.
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

[[noreturn]] void throw_errno(int error) { throw std::system_error(error, std::generic_category()); }

constexpr std::string_view kPrefix = ".convtool-";
constexpr std::size_t kDigits = 16;

bool is_temporary_name(std::string_view name) {
  return name.size() == kPrefix.size() + kDigits && name.starts_with(kPrefix) &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

/// The first half of a temporary's digits, by which a machine knows its own in a folder that it shares with others.
std::string host_digits() {
  char name[HOST_NAME_MAX + 1] = {};
  gethostname(name, HOST_NAME_MAX);
  const std::string digest = digest_of(std::as_bytes(std::span(name)));
  return digest.substr(digest.size() - kDigits / 2);
}

/// Whether nobody has written to it for an hour, which is longer than any file takes.
bool is_old(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && std::time(nullptr) - status.st_mtim.tv_sec > 3600;
}

/// Removes what ended processes have left in `folder`. What cannot be looked at or removed stays.
void remove_abandoned(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator at(folder, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    if (!is_temporary_name(at->path().filename().native())) continue;
    // NFS locks only what is open for writing.
    const int descriptor = open(at->path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    const bool is_ours = at->path().filename().native().substr(kPrefix.size()).starts_with(host_digits());
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && (is_ours || is_old(descriptor))) unlink(at->path().c_str());
    close(descriptor);
  }
}

/// The same once in the life of the process for each folder.
void remove_abandoned_once(const std::filesystem::path& folder) {
  static std::mutex mutex;
  static std::set<std::filesystem::path> seen;
  std::lock_guard lock(mutex);
  if (seen.insert(folder).second) remove_abandoned(folder);
}

/// Whether `descriptor`, just created, is ours: locked, and not removed by somebody who locked it first.
bool own(int descriptor) {
  struct stat status;
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;  // a file system without locks
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
  if (fsync(descriptor_) != 0 && errno != EINVAL) throw_errno(errno);  // EINVAL: a file system that cannot
  if (rename(path(), target.c_str()) != 0) throw_errno(errno);
  release();
  // Not before the renaming: closing drops the lock. What it could complain of, fsync() has.
  close(descriptor_);
  descriptor_ = -1;
}

void TemporaryFile::release() {
  slots[slot_].state.store(SlotState::free);
  slot_ = -1;
}

}  // namespace convtool
