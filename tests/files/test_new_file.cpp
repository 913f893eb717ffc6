// Files that are written only where none exists, and system calls that fail.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "core/error.h"
#include "files/failing_calls.h"
#include "files/file.h"
#include "files/stderr_capture.h"
#include "files/temporary_file.h"
#include "support/error_text.h"
#include "support/picture_bytes.h"
#include "support/program.h"

using namespace convtool;
using convtool::testing::error_text;
using convtool::testing::failing_calls;
using convtool::testing::FailingCallsGuard;
using convtool::testing::fsync_calls;
using convtool::testing::to_bytes;
namespace fs = std::filesystem;

namespace {

/// Errors of renameat2() and link() on file systems that have both, only link(), and neither.
struct Ability {
  const char* name;
  int renameat2_error, link_error;
};
constexpr Ability kAbilities[] = {
    {"both", 0, 0}, {"only link", EINVAL, 0}, {"an old kernel", ENOSYS, 0}, {"neither", EINVAL, EPERM}};

}  // namespace

TEST_CASE("a new file is written, on any file system") {
  for (const Ability& ability : kAbilities) {
    CAPTURE(ability.name);
    const TempFolder folder;
    const FailingCallsGuard guard;
    failing_calls.renameat2_error = ability.renameat2_error;
    failing_calls.link_error = ability.link_error;
    CHECK(write_new_file(folder.file("new"), to_bytes("ours")));
    CHECK(read_text(folder.file("new")) == "ours");
    CHECK(folder.names() == std::vector<std::string>{"new"});
    CHECK_FALSE(write_new_file(folder.file("new"), to_bytes("again")));
    CHECK(read_text(folder.file("new")) == "ours");
    struct stat status;
    REQUIRE(stat(folder.file("new").c_str(), &status) == 0);
    CHECK(status.st_nlink == 1);
  }
}

TEST_CASE("a file that appears just before the rename is kept") {
  for (const Ability& ability : kAbilities) {
    for (const char* kind : {"file", "folder", "link to nothing"}) {
      CAPTURE(ability.name);
      CAPTURE(kind);
      const TempFolder folder;
      const std::string path = folder.file("new");
      const FailingCallsGuard guard;
      failing_calls.renameat2_error = ability.renameat2_error;
      failing_calls.link_error = ability.link_error;
      failing_calls.before_renameat2 = [&] {  // after write_new_file() has seen that there is none
        if (kind == std::string("file")) std::ofstream(path) << "theirs";
        if (kind == std::string("folder")) fs::create_directory(path);
        if (kind == std::string("link to nothing")) fs::create_symlink("nothing", path);
      };
      CHECK_FALSE(write_new_file(path, to_bytes("ours")));
      if (kind == std::string("file")) CHECK(read_text(path) == "theirs");
      CHECK(folder.names() == std::vector<std::string>{"new"});
    }
  }
}

TEST_CASE("write_file() replaces a file that appears meanwhile") {
  const TempFolder folder;
  const FailingCallsGuard guard;
  failing_calls.before_renameat2 = [&] { std::ofstream(folder.file("f")) << "theirs"; };
  write_file(folder.file("f"), to_bytes("ours"));
  CHECK(read_text(folder.file("f")) == "ours");
}

TEST_CASE("a file is flushed before it replaces another, and where its name means that it is complete") {
  const TempFolder folder;
  const auto flushes = [](const auto& write) {
    const int before = fsync_calls;
    write();
    return fsync_calls - before;
  };
  const std::string path = folder.file("f");
  CHECK(flushes([&] { write_file(path, to_bytes("new")); }) == 0);
  CHECK(flushes([&] { write_file(path, to_bytes("replaces")); }) == 1);
  CHECK(flushes([&] { CHECK(!write_new_file(path, to_bytes("is not written"))); }) == 0);
  CHECK(flushes([&] { CHECK(write_new_file(folder.file("g"), to_bytes("new"))); }) == 1);
  CHECK(flushes([&] { write_file(folder.file("i"), to_bytes("new"), true); }) == 1);
  fs::create_symlink("target", folder.file("link"));
  CHECK(flushes([&] { write_file(folder.file("link"), to_bytes("new")); }) == 0);
  CHECK(flushes([&] { write_file(folder.file("link"), to_bytes("replaces")); }) == 1);
  const FailingCallsGuard guard;
  failing_calls.before_renameat2 = [&] { std::ofstream(folder.file("j")) << "theirs"; };
  CHECK(flushes([&] { write_file(folder.file("j"), to_bytes("replaces what appears meanwhile")); }) == 1);
  CHECK(read_text(folder.file("j")) == "replaces what appears meanwhile");
  failing_calls = {.renameat2_error = EINVAL};  // a file system that cannot tell whether there is one
  CHECK(flushes([&] { write_file(folder.file("k"), to_bytes("new")); }) == 1);
  CHECK(read_text(folder.file("k")) == "new");
}

TEST_CASE("what exists is not written to, apart from devices and pipes") {
  const TempFolder folder;
  fs::create_symlink("nothing", folder.file("link"));
  CHECK_FALSE(write_new_file(folder.file("link"), to_bytes("ours")));
  CHECK_FALSE(fs::exists(folder.file("nothing")));
  CHECK_FALSE(write_new_file(folder.path().string(), to_bytes("ours")));
  CHECK(write_new_file("/dev/null", to_bytes("ours")));
  CHECK(error_text(ErrorKind::output, [] { std::ignore = write_new_file("/dev/full", to_bytes("x")); }) ==
        "/dev/full: the disk is full");
  const std::string nowhere = folder.file("none/f");
  CHECK(error_text(ErrorKind::output, [&] { std::ignore = write_new_file(nowhere, {}); }) ==
        nowhere + ": no such folder");
  CHECK(error_text(ErrorKind::output, [] { std::ignore = write_new_file("", {}); }) == "no file name");
}

TEST_CASE("failures to take the name are reported, and leave nothing behind") {
  const TempFolder folder;
  const FailingCallsGuard guard;
  failing_calls.renameat2_error = EACCES;
  CHECK(error_text(ErrorKind::output, [&] { std::ignore = write_new_file(folder.file("f"), {}); }) ==
        folder.file("f") + ": permission denied");
  failing_calls.renameat2_error = EINVAL;
  failing_calls.link_error = ENOSPC;
  CHECK(error_text(ErrorKind::output, [&] { std::ignore = write_new_file(folder.file("f"), {}); }) ==
        folder.file("f") + ": the disk is full");
  CHECK(folder.names().empty());
}

TEST_CASE("a write that takes nothing is an error, not a loop") {
  const TempFolder folder;
  std::string file, output;
  {
    const FailingCallsGuard guard;
    failing_calls.write_takes_nothing = true;
    alarm(60);  // ends a loop
    file = error_text(ErrorKind::output, [&] { write_file(folder.file("f"), to_bytes("x")); });
    output = error_text(ErrorKind::output, [] { write_stdout(to_bytes("x")); });
    print_to_stderr("x");
    alarm(0);
  }
  CHECK(file == folder.file("f") + ": Input/output error");
  CHECK(output == "standard output: Input/output error");
  CHECK(folder.names().empty());
}

TEST_CASE("a temporary file without a name takes no slot") {
  const TempFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // ends a wait for a slot
    failing_calls.getrandom_error = EIO;
    for (int i = 0; i < 100; ++i) {  // more than there are slots
      try {
        const TemporaryFile file(folder.path());
        _exit(1);
      } catch (const std::system_error&) {
      }
    }
    failing_calls = {};
    { const TemporaryFile file(folder.path()); }
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}
