#include "support/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace fs = std::filesystem;

namespace {

/// A file without a name, in memory.
int memory_file() {
  const int descriptor = memfd_create("convtool-test", MFD_CLOEXEC);
  if (descriptor < 0) throw std::runtime_error("memfd_create failed");
  return descriptor;
}

std::string content_of(int descriptor) {
  const off_t size = lseek(descriptor, 0, SEEK_END);
  std::string text(static_cast<std::size_t>(size), '\0');
  if (pread(descriptor, text.data(), text.size(), 0) != size) throw std::runtime_error("cannot read a memory file");
  return text;
}

#if defined(CONVTOOL_EMULATED)
constexpr bool kIsEmulated = true;
#else
constexpr bool kIsEmulated = false;
#endif

/// `messages` without the warning that pictures are decoded in the program itself, which holds for every program under
/// QEMU: the emulator adds a thread to it, and then it cannot be forked for a decoder. Tests of that warning say
/// nothing there.
std::string without_warning_of_emulation(const std::string& messages) {
  std::istringstream lines(messages);
  std::string rest;
  for (std::string line; std::getline(lines, line);)
    if (line.find(": decoded in the program itself, which a damaged file may crash: ") == std::string::npos)
      rest += line + (lines.eof() ? "" : "\n");
  return rest;
}

/// The first line of /proc/PID/status that begins with `key`, without it; empty when the process has ended.
std::string status_of(pid_t pid, const std::string& key) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return line.substr(key.size());
  return "";
}

/// The processor time that all threads of a process and of its children have used, and whether all of them sleep.
std::pair<std::string, bool> activity_of(const std::string& pid) {
  std::string used;
  bool all_sleep = true;
  std::error_code ended;
  for (fs::directory_iterator at("/proc/" + pid + "/task", ended); at != fs::directory_iterator();
       at.increment(ended)) {
    const std::string stat = read_text((at->path() / "stat").string());
    const std::size_t name_end = stat.rfind(')');
    all_sleep = all_sleep && (name_end == std::string::npos || stat.substr(name_end, 3) == ") S");
    used += read_text((at->path() / "schedstat").string());
    std::istringstream children(read_text((at->path() / "children").string()));
    for (std::string child; children >> child;) {
      const auto [used_there, all_sleep_there] = activity_of(child);
      used += used_there;
      all_sleep = all_sleep && all_sleep_there;
    }
    if (ended) break;
  }
  return {used, all_sleep};
}

}  // namespace

fs::path temporary_files() {
  static const fs::path folder = [] {
    std::error_code missing;
    const fs::path memory = "/dev/shm";
    const bool is_large = fs::space(memory, missing).available >= std::uintmax_t{1} << 30 && !missing;
    return getenv("TMPDIR") == nullptr && is_large ? memory : fs::temp_directory_path();
  }();
  return folder;
}

TempFolder::TempFolder(const fs::path& parent) {
  std::string pattern = (parent / "convtool-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TempFolder::write(const std::string& name, const std::string& content) const {
  std::ofstream(path_ / name, std::ios::binary) << content;
  return file(name);
}

std::vector<std::string> TempFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    names.push_back(fs::relative(entry.path(), path_).string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void wait_until(const std::string& condition_name, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain: " + condition_name);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

RunningProgram::RunningProgram(const std::vector<std::string>& command, const TempFolder& where, int in, int out)
    : err_(memory_file()) {
  setenv("CONVTOOL", CONVTOOL_BINARY, 1);
  if (out < 0) out = out_ = memory_file();
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  // Not posix_spawn(): the child would share this process's memory until exec, and its peak would count as the child's.
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot start " + command.front());
  if (pid_ > 0) return;
  const bool ready = (in < 0 || dup2(in, STDIN_FILENO) >= 0) && dup2(out, STDOUT_FILENO) >= 0 &&
                     dup2(err_, STDERR_FILENO) >= 0 && chdir(where.path().c_str()) == 0;
  if (ready) execv(arguments[0], arguments.data());
  _exit(127);
}

RunningProgram::~RunningProgram() {
  if (pid_ >= 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(err_);
  if (out_ >= 0) close(out_);
}

void RunningProgram::send(int signal) const {
  kill(pid_, signal);
  wait_until("a signal is taken", [&] {
    const std::string pending = status_of(pid_, "ShdPnd:");
    return has_ended() || pending.empty() || (std::stoull(pending, nullptr, 16) >> (signal - 1) & 1) == 0;
  });
}

bool RunningProgram::has_ended() const {
  siginfo_t info = {};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

void RunningProgram::wait_until_idle() const {
  std::string before;
  int looks = 0;
  wait_until("the program waits", [&] {
    const auto [used, all_sleep] = activity_of(std::to_string(pid_));
    looks = all_sleep && used == before ? looks + 1 : 0;
    before = used;
    return looks >= 20;
  });
}

ProgramResult RunningProgram::wait() {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));  // -1 on a kernel that has none
  pollfd end = {.fd = process, .events = POLLIN, .revents = 0};
  const bool ends = process < 0 || poll(&end, 1, 300'000) != 0;
  if (process >= 0) close(process);
  if (!ends) throw std::runtime_error("the program does not end");
  wait_until("the program ends", [&] { return has_ended(); });
  int status = 0;
  struct rusage usage = {};
  if (wait4(pid_, &status, 0, &usage) != pid_) throw std::runtime_error("wait4 failed");
  pid_ = -1;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::string err = content_of(err_);
  if (kIsEmulated) err = without_warning_of_emulation(err);
  return {code, out_ >= 0 ? content_of(out_) : "", err, usage.ru_maxrss * 1024};
}

std::vector<std::string> convtool_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), CONVTOOL_BINARY);
  return arguments;
}

ProgramResult run_convtool(const std::vector<std::string>& arguments, const TempFolder& where,
                           const std::string& input) {
  const int in = memory_file();
  if (write(in, input.data(), input.size()) != static_cast<ssize_t>(input.size()) || lseek(in, 0, SEEK_SET) != 0)
    throw std::runtime_error("cannot write a memory file");
  RunningProgram program(convtool_command(arguments), where, in);
  close(in);
  return program.wait();
}

ProgramResult run_shell(const std::string& command, const TempFolder& where) {
  return RunningProgram({"/bin/bash", "-c", command}, where).wait();
}
