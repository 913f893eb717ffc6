// Runs the real convtool binary, and gives tests a folder of their own to run it in.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Not so under sanitizers, which take much themselves, and reserve more than any limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsTheProgramsOwn = false;
#else
inline constexpr bool kMemoryIsTheProgramsOwn = true;
#endif

struct ProgramResult {
  int code = 0;  // the exit code, or 128 + the signal that ended it
  std::string out, err;
  long peak_memory = 0;  // bytes; not less than this process has, from which it was forked
};

/// A fresh folder under the system's temporary folder, removed with all that is in it at the end.
class TempFolder {
 public:
  explicit TempFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
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

/// Runs convtool with `arguments` in the folder `where`, `input` on its standard input.
ProgramResult run_convtool(const std::vector<std::string>& arguments, const TempFolder& where,
                           const std::string& input = "");

/// Runs a command line of the shell, in which $CONVTOOL is the binary.
ProgramResult run_shell(const std::string& command, const TempFolder& where);
