#include "support/program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace fs = std::filesystem;

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

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

ProgramResult run_shell(const std::string& command, const TempFolder& where) {
  const TempFolder streams;
  const pid_t child = fork();
  if (child == 0) {
    setenv("CONVTOOL", CONVTOOL_BINARY, 1);
    // Descriptors, not FILEs: closing those would print this process's buffered text a second time.
    const int out = open(streams.file("out").c_str(), O_CREAT | O_WRONLY, 0600);
    const int err = open(streams.file("err").c_str(), O_CREAT | O_WRONLY, 0600);
    const bool ready =
        dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0 && chdir(where.path().c_str()) == 0;
    if (ready) execl("/bin/bash", "bash", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  struct rusage usage = {};
  if (child < 0 || wait4(child, &status, 0, &usage) != child) throw std::runtime_error("cannot run a shell");
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, read_text(streams.file("out")), read_text(streams.file("err")), usage.ru_maxrss * 1024};
}

ProgramResult run_convtool(const std::vector<std::string>& arguments, const TempFolder& where,
                           const std::string& input) {
  const TempFolder streams;
  streams.write("in", input);
  std::string command = "exec \"$CONVTOOL\"";
  for (const std::string& argument : arguments) {
    std::string quoted = "'";
    for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    command += " " + quoted + "'";
  }
  return run_shell(command + " < '" + streams.file("in") + "'", where);
}
