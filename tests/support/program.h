// Runs the real convtool binary, and gives tests a folder of their own to run it in.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

/// False under sanitizers, which need much memory themselves and reserve more than any limit allows, and under QEMU,
/// which ignores limits.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(CONVTOOL_EMULATED)
inline constexpr bool kMemoryIsTheProgramsOwn = false;
#else
inline constexpr bool kMemoryIsTheProgramsOwn = true;
#endif

/// False under ThreadSanitizer, which runs the handler of a signal only when a blocked read ends.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kSignalsEndReads = false;
#else
inline constexpr bool kSignalsEndReads = true;
#endif

struct ProgramResult {
  int code = 0;  // the exit code, or 128 + the signal that ended the process
  std::string out, err;
  long peak_memory = 0;  // bytes; at least what this process used when it started the program by fork()
};

/// The folder for temporary files: in memory where there is enough, because convtool flushes many outputs to the disk.
/// TMPDIR chooses another.
std::filesystem::path temporary_files();

/// A fresh folder, removed with its content at the end.
class TempFolder {
 public:
  explicit TempFolder(const std::filesystem::path& parent = temporary_files());
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

  /// Writes `content` to the file `name` and returns its path.
  std::string write(const std::string& name, const std::string& content) const;

  /// The names of all files and folders below, sorted, hidden ones included.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

std::string read_text(const std::string& path);

/// The lines of a text, without their ends.
std::vector<std::string> lines_of(const std::string& text);

/// Returns once `condition` holds. Throws std::runtime_error when it does not within five minutes, far longer than it
/// takes on a loaded machine.
void wait_until(const std::string& condition_name, const std::function<bool()>& condition);

/// A program that runs while the test goes on. Standard error, and standard output unless `out` is a descriptor, are
/// kept for the result. The destructor kills the process.
class RunningProgram {
 public:
  /// Starts `command`, a program and its arguments, in the folder `where`. $CONVTOOL is convtool's path.
  RunningProgram(const std::vector<std::string>& command, const TempFolder& where, int in = -1, int out = -1);
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  pid_t pid() const { return pid_; }

  /// Sends `signal`, and returns once the process has taken it, or has ended.
  void send(int signal) const;

  bool has_ended() const;

  /// Waits until every thread, also of child processes, sleeps, that is, waits for something outside, and none has used
  /// the processor for a while.
  void wait_until_idle() const;

  ProgramResult wait();

 private:
  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
};

/// convtool's path and `arguments`, as a command of RunningProgram.
std::vector<std::string> convtool_command(std::vector<std::string> arguments);

/// Runs convtool with `arguments` in the folder `where`, `input` on its standard input.
ProgramResult run_convtool(const std::vector<std::string>& arguments, const TempFolder& where,
                           const std::string& input = "");

/// Runs a command line of bash, in which $CONVTOOL is the binary.
ProgramResult run_shell(const std::string& command, const TempFolder& where);
