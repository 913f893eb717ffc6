// The server's loop is short because children are not its own: clone(2) with CLONE_PARENT makes them children of the
// program, whose threads wait for them and end them. So the server needs no signals and no table of children.
#include "pictures/isolation/fork_server.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <latch>
#include <new>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"

namespace convtool {
namespace {

using std::chrono::steady_clock;

static_assert(std::is_trivially_copyable_v<ChildTask>, "it is sent as bytes");

/// The server's answer to a task.
struct Reply {
  pid_t pid = -1;
  int error = 0;  // errno of a fork that failed
};

/// The descriptors that come with a task, for recvmsg(2) and sendmsg(2).
struct Attached {
  int file = -1, result = -1, answer = -1;
};
union AttachedBuffer {
  cmsghdr header;  // for its alignment
  char bytes[CMSG_SPACE(sizeof(Attached))];
};

std::array<Descriptor, 2> socket_pair(int type) {
  int ends[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) throw_errno();
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// Calls a system call again where a signal has interrupted it.
template <class Call>
auto retried(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Returns false where the server has ended. Throws std::system_error.
bool send_task(int control, ChildTask task, const Attached& attached) {
  iovec part = {&task, sizeof task};
  AttachedBuffer buffer = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = buffer.bytes;
  message.msg_controllen = sizeof buffer.bytes;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof attached);
  std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
  const bool is_sent = retried([&] { return sendmsg(control, &message, MSG_NOSIGNAL); }) >= 0;
  if (!is_sent && errno != EPIPE) throw_errno();
  return is_sent;
}

/// Returns false at the end: the program has closed its socket, or has ended.
bool receive_task(int control, ChildTask& task, Attached& attached) {
  iovec part = {&task, sizeof task};
  AttachedBuffer buffer = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = buffer.bytes;
  message.msg_controllen = sizeof buffer.bytes;
  if (retried([&] { return recvmsg(control, &message, MSG_CMSG_CLOEXEC); }) != sizeof task) return false;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_len != CMSG_LEN(sizeof attached)) return false;
  std::memcpy(&attached, CMSG_DATA(header), sizeof attached);
  return true;
}

/// Set in the exit code of a process whose work did not begin; the other bits are an errno value.
constexpr int kSetupFailed = 128;

[[noreturn]] void fail_setup(int error = errno) { _exit(kSetupFailed | error); }

/// Ends this process when the program ends, even by SIGKILL.
void end_with(pid_t program) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != program) _exit(0);  // it has ended before
}

/// Signals are as at the start of a program, except those that a terminal or a user sends to all processes of a group,
/// which only the program handles.
void reset_signals() {
  for (int signal = 1; signal <= SIGSYS; ++signal) std::signal(signal, SIG_DFL);
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2})
    std::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

constexpr int kFirstKept = STDERR_FILENO + 1;

/// What a new process of the program does first. Of its descriptors it keeps `kept`, which become kFirstKept and those
/// after it, four at most. An empty pipe that nobody can write to stands for the standard streams, so that nothing else
/// gets their numbers, and nothing that a library prints is taken for an answer. Sanitizers keep standard error for
/// their reports.
void leave_program(pid_t program, std::initializer_list<int> kept) {
  end_with(program);
  reset_signals();
  std::array<int, 4> moved;
  std::size_t count = 0;
  for (const int descriptor : kept) {  // out of each other's way
    moved[count] = fcntl(descriptor, F_DUPFD_CLOEXEC, kFirstKept + static_cast<int>(moved.size()));
    if (moved[count++] < 0) fail_setup();
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail_setup();
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if ((kHasSandbox || stream != STDERR_FILENO) && dup2(ends[0], stream) < 0) fail_setup();
  int next = kFirstKept;
  for (std::size_t i = 0; i < count; ++i)
    if (dup2(moved[i], next++) < 0) fail_setup();
  closefrom(next);
}

/// Starts the threads of a child, and waits until all run: the system calls of their start are not allowed later. They
/// share the main thread's heap: each would reserve address space for one of its own, which is limited.
void start_threads(int threads) {
  if (threads <= 1) return;
  mallopt(M_ARENA_MAX, 1);
  std::latch all_run(threads);
  parallel_for(threads, threads, [&](std::int64_t begin, std::int64_t end) { all_run.arrive_and_wait(end - begin); });
}

[[noreturn]] void run_child(const ChildTask& task, const Attached& attached, ChildWork work) {
  void* const file = mmap(nullptr, task.file_size, PROT_READ, MAP_PRIVATE, attached.file, 0);
  if (file == MAP_FAILED) fail_setup();
  void* const result = mmap(nullptr, task.result_size, PROT_READ | PROT_WRITE, MAP_SHARED, attached.result, 0);
  if (result == MAP_FAILED) fail_setup();
  close(attached.file);
  close(attached.result);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (kHasSandbox || stream != STDERR_FILENO) close(stream);
  try {
    start_threads(task.threads);
    enter_sandbox(task.limits);
  } catch (const std::system_error& error) {
    fail_setup(error.code().value());
  } catch (const std::bad_alloc&) {
    fail_setup(ENOMEM);
  }
  work(task, {.file = {static_cast<const std::byte*>(file), task.file_size},
              .result = {static_cast<std::byte*>(result), task.result_size},
              .answer = attached.answer});
  _exit(0);
}

[[noreturn]] void serve(pid_t program, ChildWork work) {
  constexpr int kControl = kFirstKept;
  ChildTask task;
  Attached attached;
  while (receive_task(kControl, task, attached)) {
    // As fork(2), but the child becomes the program's. The C library's fork() would also put its locks in order, which
    // a process with one thread does not need.
    const auto pid = static_cast<pid_t>(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
    if (pid == 0) {
      close(kControl);
      end_with(program);
      run_child(task, attached, work);
    }
    const Reply reply = {pid, pid < 0 ? errno : 0};
    for (const int descriptor : {attached.file, attached.result, attached.answer}) close(descriptor);
    if (send(kControl, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) break;
  }
  _exit(0);
}

/// Whether this process has one thread; true where /proc is missing. Sanitizers have a thread of their own.
bool has_one_thread() {
  struct stat tasks;
  return !kHasSandbox || stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink <= 3;  // ".", ".." and one thread
}

/// fork(2) in the program. Throws std::system_error, with EDEADLK where a library has started a thread.
pid_t fork_program() {
  if (!has_one_thread()) throw_errno(EDEADLK);
  const pid_t pid = fork();
  if (pid < 0) throw_errno();
  return pid;
}

}  // namespace

ForkServer::ForkServer(ChildWork work) : ForkServer(work, socket_pair(SOCK_SEQPACKET)) {}

ForkServer::ForkServer(ChildWork work, std::array<Descriptor, 2> ends)
    : control_(std::move(ends[0])), program_(getpid()), pid_(fork_program()) {
  if (pid_ != 0) return;
  leave_program(program_, {ends[1].get()});
  serve(program_, work);
}

ForkServer::~ForkServer() {
  kill(pid_, SIGKILL);
  retried([this] { return waitpid(pid_, nullptr, 0); });
}

ChildProcess ForkServer::start(const ChildTask& task, int file, int result) {
  std::array<Descriptor, 2> ends = socket_pair(SOCK_STREAM);
  Reply reply;
  {
    std::lock_guard lock(turn_);
    if (!send_task(control_.get(), task, {file, result, ends[1].get()}) ||
        retried([&] { return recv(control_.get(), &reply, sizeof reply, 0); }) != sizeof reply) {
      has_ended_ = true;
      throw Error(ErrorKind::internal, "", "the process that starts decoders has ended; run again");
    }
  }
  if (reply.pid < 0) throw_errno(reply.error);
  return {reply.pid, std::move(ends[0]), task.seconds};
}

ChildProcess ForkServer::start_without_server(ChildWork work, const ChildTask& task, int file, int result) {
  std::array<Descriptor, 2> ends = socket_pair(SOCK_STREAM);
  const pid_t program = getpid(), pid = fork_program();
  if (pid == 0) {
    leave_program(program, {file, result, ends[1].get()});
    run_child(task, {.file = kFirstKept, .result = kFirstKept + 1, .answer = kFirstKept + 2}, work);
  }
  return {pid, std::move(ends[0]), task.seconds};
}

ChildProcess::ChildProcess(pid_t pid, Descriptor answer, int seconds)
    : pid_(pid), answer_(std::move(answer)), left_(std::chrono::seconds(seconds)) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      answer_(std::move(other.answer_)),
      left_(other.left_),
      is_late_(other.is_late_) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  retried([this] { return waitpid(pid_, nullptr, 0); });
}

bool ChildProcess::read(std::span<std::byte> bytes) {
  constexpr std::chrono::milliseconds kTick(100);
  while (!bytes.empty()) {
    pollfd ready = {.fd = answer_.get(), .events = POLLIN, .revents = 0};
    const steady_clock::time_point before = steady_clock::now();
    const int count = poll(&ready, 1, static_cast<int>(kTick.count()));
    // A longer time is one in which this process was stopped.
    left_ -= std::min<std::chrono::nanoseconds>(steady_clock::now() - before, kTick);
    if (left_ <= left_.zero()) {
      is_late_ = true;
      return false;
    }
    if (count <= 0) continue;
    const ssize_t got = recv(answer_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

ChildEnd ChildProcess::end() {
  // A child closes its socket a moment before it has ended. One that closes it and goes on is ended.
  int status = 0;
  pid_t ended = 0;
  for (int moments = is_late_ ? 0 : 1000; moments > 0 && ended == 0; --moments) {
    ended = waitpid(pid_, &status, WNOHANG);
    if (ended == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (ended == 0) {
    kill(pid_, SIGKILL);
    retried([&] { return waitpid(pid_, &status, 0); });
  }
  pid_ = -1;
  const int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return {.was_late = is_late_,
          .was_killed = ended == 0,
          .setup_error = exit_code & kSetupFailed ? exit_code & ~kSetupFailed : 0,
          .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
          .exit_code = exit_code};
}

}  // namespace convtool
