// Runs fuzz targets without a fuzzer:
//
//   test_fuzz                      every target on its seeds and on the inputs in crashes/TARGET
//   test_fuzz TARGET FILE...       one target on these files
//   test_fuzz --seeds FOLDER       writes the seeds to FOLDER/TARGET
//
// A broken promise ends the process, as a crash does. A signal handler then prints the target and the input.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <vector>

#include "files/descriptor.h"
#include "fuzz/target.h"

namespace fs = std::filesystem;

namespace convtool::fuzz {
namespace {

constexpr unsigned kMostSeconds = 60;  // for one input, even under sanitizers on a busy machine

std::string running;  // for the signal handler
int stderr_at_start;  // while a codec runs, descriptor 2 is captured (files/stderr_capture.h)

void print_running(int signal) {
  [[maybe_unused]] const auto written = ::write(stderr_at_start, running.data(), running.size());
  raise(signal);  // SA_RESETHAND: now with its default action
}

void report_crashes() {
  stderr_at_start = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  struct sigaction action = {};
  action.sa_handler = print_running;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) sigaction(signal, &action, nullptr);
}

/// Returns whether the input was accepted.
bool run(const Target& target, const std::string& name, std::span<const std::byte> input) {
  running = "test_fuzz: the target " + target.name + " failed on " + name + "\n";
  alarm(kMostSeconds);
  const bool is_accepted = target.run(input);
  alarm(0);
  return is_accepted;
}

void run_files(const Target& target, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) run(target, path, read_file(path));
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> paths;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool has_target(const std::vector<Target>& targets, const std::string& name) {
  return std::any_of(targets.begin(), targets.end(), [&](const Target& target) { return target.name == name; });
}

/// Returns the exit code.
int run_all(const std::vector<Target>& targets) {
  for (const auto& folder : fs::directory_iterator(FUZZ_CRASHES)) {
    if (has_target(targets, folder.path().filename().string())) continue;
    std::cerr << "test_fuzz: " << folder.path().string() << " has the name of no target\n";
    return 1;
  }
  for (const Target& target : targets) {
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < target.seeds.size(); ++i)
      if (run(target, "seed " + std::to_string(i), target.seeds[i])) ++accepted;
    const std::vector<std::string> crashes = files_in(fs::path(FUZZ_CRASHES) / target.name);
    run_files(target, crashes);
    std::cout << target.name << ": " << accepted << " of " << target.seeds.size() << " seeds accepted, "
              << crashes.size() << " past crashes" << std::endl;
    if (2 * accepted < target.seeds.size()) {
      std::cerr << "test_fuzz: the target " << target.name << " checks too little: most of its seeds are refused\n";
      return 1;
    }
  }
  return 0;
}

void write_seeds(const std::vector<Target>& targets, const fs::path& folder) {
  for (const Target& target : targets) {
    fs::create_directories(folder / target.name);
    for (std::size_t i = 0; i < target.seeds.size(); ++i)
      write_file((folder / target.name / ("seed-" + std::to_string(i))).string(), target.seeds[i]);
  }
}

int main(const std::vector<std::string>& arguments) {
  const std::vector<Target> targets = all_targets();
  const std::string first = arguments.empty() ? "" : arguments[0];
  if (first.empty()) return run_all(targets);
  if (first == "--seeds" && arguments.size() == 2) {
    write_seeds(targets, arguments[1]);
    return 0;
  }
  const auto target =
      std::find_if(targets.begin(), targets.end(), [&](const Target& each) { return each.name == first; });
  if (target == targets.end() || arguments.size() < 2) {
    std::cerr << "usage: test_fuzz | test_fuzz TARGET FILE... | test_fuzz --seeds FOLDER\ntargets:";
    for (const Target& each : targets) std::cerr << " " << each.name;
    std::cerr << "\n";
    return 2;
  }
  run_files(*target, {arguments.begin() + 1, arguments.end()});
  return 0;
}

}  // namespace
}  // namespace convtool::fuzz

int main(int count, char** arguments) {
  convtool::fuzz::report_crashes();
  return convtool::fuzz::main({arguments + 1, arguments + count});
}
