#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <latch>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "pictures/isolation/fork_server.h"
#include "pictures/isolation/shared_memory.h"
#include "support/skip.h"

namespace convtool {
namespace {

const char* const kSanitized = "sanitizers leave no sandbox";

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A task with a file of a few bytes and little time.
ChildTask small_task() {
  ChildTask task{.file_size = 4, .result_size = 4096, .seconds = 100};
  task.limits = {.memory = 64 << 20, .cpu_seconds = 20};
  return task;
}

struct Result {
  std::string answer;  // all bytes before the end of the child, at most as many as were asked for
  std::string memory;  // the first bytes of the shared memory
  ChildEnd end;
};

/// Runs `work` in a child of a server, or without one, and reads `size` bytes of its answer.
Result run(ChildWork work, std::size_t size, bool with_server, const ChildTask& task = small_task()) {
  const Descriptor file = memory_file(bytes_of("file")), memory = memory_file(task.result_size);
  std::optional<ForkServer> server;
  if (with_server) server.emplace(work);
  ChildProcess child = with_server ? server->start(task, file.get(), memory.get())
                                   : ForkServer::start_without_server(work, task, file.get(), memory.get());
  Result result;
  for (std::byte byte; result.answer.size() < size && child.read(std::span(&byte, 1));)
    result.answer += static_cast<char>(byte);
  result.end = child.end();
  result.memory.assign(reinterpret_cast<const char*>(map_shared(memory, task.result_size).get()), 6);
  return result;
}

/// Whether the sandbox can filter system calls here: a kernel with filters looks for one at the address.
bool has_filters() {
#if defined(__x86_64__) || defined(__aarch64__)
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, nullptr) != 0 && errno == EFAULT;
#else
  return false;
#endif
}

/// Whether a process exists, if only as a zombie.
bool exists(pid_t pid) { return kill(pid, 0) == 0; }

void answer_number(int answer, int number) { write_all(answer, std::as_bytes(std::span(&number, 1))); }

int number_in(const std::string& answer) {
  int number = -1;
  if (answer.size() == sizeof number) std::memcpy(&number, answer.data(), sizeof number);
  return number;
}

}  // namespace

TEST_CASE("a child gets its task and its file, and returns an answer and memory") {
  for (const bool with_server : {true, false}) {
    CAPTURE(with_server);
    ChildTask task = small_task();
    task.parameters[7] = std::byte{'p'};
    const Result result = run(
        [](const ChildTask& own, const ChildMemory& memory) noexcept {
          std::memcpy(memory.result.data(), "pixels", 6);
          write_all(memory.answer, std::span(own.parameters).subspan(7, 1));
          write_all(memory.answer, memory.file);
        },
        6, with_server, task);
    CHECK(result.answer == "pfile");
    CHECK(result.memory == "pixels");
    CHECK(!result.end.was_late);
    CHECK(result.end.signal == 0);
    CHECK(result.end.exit_code == 0);
  }
}

TEST_CASE("a task that cannot be sent is an error, and the server goes on") {
  ForkServer server([](const ChildTask&, const ChildMemory& memory) noexcept { answer_number(memory.answer, 17); });
  CHECK_THROWS_AS(server.start(small_task(), -1, -1), std::system_error);  // EBADF in sendmsg()
  const Descriptor file = memory_file(bytes_of("file")), memory = memory_file(4096);
  ChildProcess child = server.start(small_task(), file.get(), memory.get());
  int number = 0;
  CHECK(child.read(std::as_writable_bytes(std::span(&number, 1))));
  CHECK(number == 17);
}

TEST_CASE("a child that crashes or exits is seen to, with its signal or exit code") {
  for (const bool with_server : {true, false}) {
    CAPTURE(with_server);
    CHECK(run([](const ChildTask&, const ChildMemory&) noexcept { std::abort(); }, 1, with_server).end.signal ==
          SIGABRT);
    CHECK(run([](const ChildTask&, const ChildMemory&) noexcept { _exit(3); }, 1, with_server).end.exit_code == 3);
    if (kHasSandbox)  // sanitizers handle it
      CHECK(run([](const ChildTask&, const ChildMemory&) noexcept { *static_cast<volatile int*>(nullptr) = 1; }, 1,
                with_server)
                .end.signal == SIGSEGV);
  }
}

TEST_CASE("a child that computes too long ends by SIGXCPU") {
  ChildTask task = small_task();
  task.limits.cpu_seconds = 1;
  const Result result = run(
      [](const ChildTask&, const ChildMemory&) noexcept {
        for (std::atomic<unsigned> i = 0;; ++i) {
        }
      },
      1, true, task);
  CHECK(result.end.signal == SIGXCPU);
  CHECK(!result.end.was_late);
}

TEST_CASE("a child that sleeps, or answers in drops, is ended when its time is over") {
  ChildTask task = small_task();
  task.seconds = 1;
  const ChildWork sleeps = [](const ChildTask&, const ChildMemory&) noexcept {
    std::mutex mutex;
    mutex.lock();
    mutex.lock();
  };
  const ChildWork drips = [](const ChildTask&, const ChildMemory& memory) noexcept {
    while (true) {
      write_all(memory.answer, std::span(memory.file).first(1));
      for (int i = 0; i < 1000; ++i) sched_yield();
    }
  };
  for (const ChildWork work : {sleeps, drips}) {
    const Result result = run(work, std::size_t{1} << 40, true, task);
    CHECK(result.end.was_late);
    CHECK(result.end.signal == SIGKILL);
  }
}

TEST_CASE("a child that closes its answer and goes on is ended") {
  const Result result = run(
      [](const ChildTask&, const ChildMemory& memory) noexcept {
        close(memory.answer);
        std::mutex mutex;
        mutex.lock();
        mutex.lock();
      },
      1, true);
  CHECK(result.end.signal == SIGKILL);
  CHECK(result.end.was_killed);
  CHECK(!result.end.was_late);
}

TEST_CASE("a child that others kill was not killed by its end") {
  const Descriptor file = memory_file(bytes_of("file")), memory = memory_file(4096);
  ForkServer server([](const ChildTask&, const ChildMemory& own) noexcept {
    answer_number(own.answer, getpid());
    std::mutex mutex;
    mutex.lock();
    mutex.lock();
  });
  ChildProcess child = server.start(small_task(), file.get(), memory.get());
  int pid = 0;
  REQUIRE(child.read(std::as_writable_bytes(std::span(&pid, 1))));
  CHECK(kill(pid, SIGKILL) == 0);
  std::byte byte;
  CHECK(!child.read(std::span(&byte, 1)));
  const ChildEnd end = child.end();
  CHECK(end.signal == SIGKILL);
  CHECK(!end.was_killed);
}

TEST_CASE("a child whose work cannot begin says why") {
  for (const bool with_server : {true, false}) {
    ChildTask task = small_task();
    task.file_size = std::uint64_t{1} << 60;
    const Result result = run([](const ChildTask&, const ChildMemory&) noexcept {}, 1, with_server, task);
    CHECK(result.end.setup_error == ENOMEM);
  }
  CHECK(run([](const ChildTask&, const ChildMemory&) noexcept { _exit(3); }, 1, true).end.setup_error == 0);
}

TEST_CASE("a child gets no more memory than its limit") {
  if (!kHasSandbox) return skip(kSanitized);
  const Result result = run(
      [](const ChildTask&, const ChildMemory& memory) noexcept {
        void* const within = std::malloc(32 << 20);
        void* const beyond = std::malloc(std::size_t{10} << 30);
        const void* const shared = mmap(nullptr, 128 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        answer_number(memory.answer, (within != nullptr) + 2 * (beyond != nullptr) + 4 * (shared != MAP_FAILED));
      },
      sizeof(int), true);
  CHECK(number_in(result.answer) == 1);
}

TEST_CASE("a child opens nothing, starts nothing, signals nobody, and runs no code of its own") {
  if (!kHasSandbox) return skip(kSanitized);
  if (!has_filters()) return skip("needs a kernel with seccomp filters");
  for (const bool with_server : {true, false}) {
    const Result result = run(
        [](const ChildTask&, const ChildMemory& memory) noexcept {
          const auto is_refused = [](long returned) { return returned < 0 && errno == EPERM; };
          const bool refusals[] = {
              is_refused(open("/dev/null", O_RDONLY)),
              is_refused(socket(AF_INET, SOCK_STREAM, 0)),
              is_refused(memfd_create("x", 0)),
              is_refused(dup(memory.answer)),
              is_refused(fcntl(memory.answer, F_SETOWN, getpid())),
              is_refused(fork()),
              is_refused(kill(getpid(), 0)),
              is_refused(syscall(SYS_tgkill, getpid(), gettid(), SIGRTMIN)),
              is_refused(mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                             ? -1
                             : 0),
              is_refused(mprotect(memory.result.data(), 4096, PROT_READ | PROT_EXEC)),
              is_refused(execl("/bin/true", "true", nullptr)),  // last, since success ends all the others
          };
          int refused = 0;
          for (const bool refusal : refusals) refused += refusal;
          answer_number(memory.answer, refused);
        },
        sizeof(int), with_server);
    CHECK(number_in(result.answer) == 11);
  }
}

TEST_CASE("a child has the threads of its task, under the same rules, and no others") {
  if (!kHasSandbox) return skip(kSanitized);
  if (!has_filters()) return skip("needs a kernel with seccomp filters");
  for (const bool with_server : {true, false}) {
    ChildTask task = small_task();
    task.threads = 3;
    const Result result = run(
        [](const ChildTask&, const ChildMemory& memory) noexcept {
          std::latch all_run(4);  // one more than there are: parallel_for() would start it
          std::atomic<int> refused = 0, parts = 0;
          parallel_for(4, 4, [&](std::int64_t begin, std::int64_t end) {
            all_run.arrive_and_wait(end - begin);
            ++parts;
            refused += open("/dev/null", O_RDONLY) < 0 && errno == EPERM;
            // Each has a heap to work with.
            void* const within = std::malloc(4 << 20);
            refused += within != nullptr && std::malloc(std::size_t{10} << 30) == nullptr;
          });
          answer_number(memory.answer, 10 * parts + refused);
        },
        sizeof(int), with_server, task);
    CHECK(number_in(result.answer) == 10 * 3 + 2 * 3);
  }
}

TEST_CASE("a child may ask for the memory of the machine, which glibc takes for granted") {
  const Result result = run(
      [](const ChildTask&, const ChildMemory& memory) noexcept {
        struct sysinfo machine;
        answer_number(memory.answer, sysinfo(&machine));
      },
      sizeof(int), true);
  CHECK(number_in(result.answer) == 0);
}

TEST_CASE("a child has no descriptors of the program") {
  for (const bool with_server : {true, false}) {
    const Result result = run(
        [](const ChildTask&, const ChildMemory& memory) noexcept {
          int others = 0;
          for (int descriptor = 0; descriptor < 100; ++descriptor) {
            char byte = 0;
            const bool is_open =
                read(descriptor, &byte, 0) == 0 || errno != EBADF || write(descriptor, &byte, 0) == 0 || errno != EBADF;
            others += is_open && descriptor != memory.answer;
          }
          answer_number(memory.answer, others);
        },
        sizeof(int), with_server);
    CHECK(number_in(result.answer) == (kHasSandbox ? 0 : 1));  // sanitizers keep standard error
  }
}

TEST_CASE("a child ignores the signals that a terminal sends to all processes") {
  const Descriptor file = memory_file(bytes_of("file")), memory = memory_file(4096);
  ForkServer server([](const ChildTask&, const ChildMemory& own) noexcept {
    answer_number(own.answer, getpid());
    const volatile std::byte* const go = own.result.data();
    while (*go == std::byte{}) sched_yield();
    answer_number(own.answer, 17);
  });
  ChildProcess child = server.start(small_task(), file.get(), memory.get());
  int number = 0;
  REQUIRE(child.read(std::as_writable_bytes(std::span(&number, 1))));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) CHECK(kill(number, signal) == 0);
  *map_shared(memory, 4096) = std::byte{1};
  REQUIRE(child.read(std::as_writable_bytes(std::span(&number, 1))));
  CHECK(number == 17);
}

TEST_CASE("several threads get each its own answer, and no process is left behind") {
  std::vector<pid_t> pids(64, 0);
  {
    ForkServer server([](const ChildTask& task, const ChildMemory& memory) noexcept {
      write_all(memory.answer, std::span(task.parameters).first(1));
      answer_number(memory.answer, getpid());
    });
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 8; ++thread)
      threads.emplace_back([&, thread] {
        const Descriptor file = memory_file(bytes_of("file")), memory = memory_file(4096);
        for (std::size_t i = thread; i < pids.size(); i += 8) {
          ChildTask task = small_task();
          task.parameters[0] = static_cast<std::byte>(i);
          ChildProcess child = server.start(task, file.get(), memory.get());
          std::byte byte{};
          if (child.read(std::span(&byte, 1)) && byte == static_cast<std::byte>(i) &&
              !child.read(std::as_writable_bytes(std::span(&pids[i], 1))))
            pids[i] = 0;
        }
      });
  }
  for (const pid_t pid : pids) {
    CHECK(pid > 0);
    CHECK(!exists(pid));
  }
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("the server and its children end with the program, even by SIGKILL") {
  const Descriptor file = memory_file(bytes_of("file")), memory = memory_file(4096);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t program = fork();
  if (program == 0) {
    ForkServer server([](const ChildTask&, const ChildMemory& own) noexcept {
      answer_number(own.answer, getpid());
      std::mutex mutex;
      mutex.lock();
      mutex.lock();
    });
    ChildProcess child = server.start(small_task(), file.get(), memory.get());
    pid_t pid = 0;
    if (child.read(std::as_writable_bytes(std::span(&pid, 1)))) answer_number(ends[1], pid);
    while (true) pause();
  }
  pid_t child = 0;
  REQUIRE(read(ends[0], &child, sizeof child) == sizeof child);
  CHECK(exists(child));
  REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);  // this process adopts them
  kill(program, SIGKILL);
  CHECK(waitpid(program, nullptr, 0) == program);
  int ended = 0;
  bool has_child = false;
  for (int i = 0; i < 10'000 && ended < 2; ++i) {
    const pid_t pid = waitpid(-1, nullptr, WNOHANG);
    if (pid <= 0) usleep(1000);
    ended += pid > 0;
    has_child |= pid == child;
  }
  CHECK(ended == 2);
  CHECK(has_child);
  CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

}  // namespace convtool
