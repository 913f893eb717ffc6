// Child processes for work on untrusted files, which may crash, hang or be taken over.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#include "files/descriptor.h"
#include "pictures/isolation/sandbox.h"

namespace convtool {

/// What a child process is to do.
struct ChildTask {
  std::array<std::byte, 256> parameters = {};  ///< for ChildWork, which gets a copy
  std::uint64_t file_size = 0;                 ///< of the file that the child maps, in bytes, at least 1
  std::uint64_t result_size = 0;               ///< of the memory that it shares with this process, at least 1
  SandboxLimits limits;
  int seconds = 0;  ///< real time for the whole answer
  int threads = 1;  ///< that parallel_for() is to have in the sandbox, which allows no new ones
};

/// The memory and the descriptor of a child.
struct ChildMemory {
  std::span<const std::byte> file;  ///< reading it may end the child by SIGBUS where the file has become shorter
  std::span<std::byte> result;      ///< zeros
  int answer;                       ///< a descriptor, for the answer
};

/// What a child does in its sandbox. It ends on return.
using ChildWork = void (*)(const ChildTask& task, const ChildMemory& memory) noexcept;

/// How a child process ended: by a signal, by an exit code, or by us.
struct ChildEnd {
  bool was_late = false;    ///< it took too long
  bool was_killed = false;  ///< it took too long, or closed its answer and went on
  int setup_error = 0;      ///< an errno value: it ended before its work began; 0: it began
  int signal = 0;           ///< 0: none
  int exit_code = 0;        ///< where there was no signal
};

/// A running child process. The destructor ends it, and leaves no zombie.
class ChildProcess {
 public:
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  /// Fills `bytes` from the answer. Returns false if the child ends before, or its time is over. Time in which this
  /// process is stopped, as by Ctrl-Z, does not count.
  [[nodiscard]] bool read(std::span<std::byte> bytes);

  /// How the child ended; after read() has returned false.
  ChildEnd end();

 private:
  friend class ForkServer;
  ChildProcess(pid_t pid, Descriptor answer, int seconds);

  pid_t pid_;
  Descriptor answer_;
  std::chrono::nanoseconds left_;
  bool is_late_ = false;
};

/// A small process with one thread, forked from this one, that forks a child process for each task. Forking directly
/// would copy the locks that other threads of this process hold, and nobody would ever open them in the child.
///
/// The server and its children hold no descriptor of this process but those of their task; their standard
/// streams are empty in the server, where nothing can be written to them, and closed in its children. They ignore the
/// signals by which a terminal ends programs, and end with this process, however it ends.
class ForkServer {
 public:
  /// Starts the server. This process must have no other thread yet, and the calling thread must outlive the server.
  /// Throws std::system_error where that is not so, or the system grants no process.
  explicit ForkServer(ChildWork work);
  ~ForkServer();
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  /// Starts a child on the files of which `file` and `result` are descriptors. Throws std::system_error, or
  /// Error(internal) where the server has ended. Thread-safe.
  ChildProcess start(const ChildTask& task, int file, int result);

  /// Whether start() has found that the server has ended; then it will fail every time. Thread-safe.
  bool has_ended() const { return has_ended_; }

  /// The same without a server: the child is forked from this process, which must have no other thread yet. For a
  /// single task that takes half the time.
  static ChildProcess start_without_server(ChildWork work, const ChildTask& task, int file, int result);

 private:
  ForkServer(ChildWork work, std::array<Descriptor, 2> ends);

  std::atomic<bool> has_ended_ = false;
  std::mutex turn_;  // one request at a time is sent and answered
  Descriptor control_;
  pid_t program_, pid_;
};

}  // namespace convtool
