// Whole files: written completely or not at all, and the messages of failures.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include "core/error.h"
#include "files/descriptor.h"
#include "files/failing_calls.h"
#include "files/file.h"
#include "files/temporary_file.h"
#include "support/error_text.h"
#include "support/picture_bytes.h"

using namespace convtool;
using convtool::testing::error_text;
using convtool::testing::failing_calls;
using convtool::testing::FailingCallsGuard;
using convtool::testing::to_bytes;
namespace fs = std::filesystem;

namespace {

/// A temporary folder for one test, writable by everyone.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "test_file.XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    fs::permissions(path_, fs::perms::all);
  }
  ~Folder() { fs::remove_all(path_); }

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) names.insert(entry.path().filename());
    return names;
  }

 private:
  fs::path path_;
};

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string contents(const std::string& path) { return text_of(read_file(path)); }
mode_t mode_of(const std::string& path) {
  struct stat status;
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::string read_complaint(const std::string& path, std::size_t limit = kNoLimit) {
  return error_text(ErrorKind::input, [&] { read_file(path, {.bytes = limit}); });
}
std::string write_complaint(const std::string& path) {
  return error_text(ErrorKind::output, [&] { write_file(path, to_bytes("new")); });
}

/// Root is not subject to permissions. While an object lives, such tests run as nobody.
class AsNobody {
 public:
  AsNobody() { REQUIRE((!is_root_ || seteuid(65534) == 0)); }
  ~AsNobody() { CHECK((!is_root_ || seteuid(0) == 0)); }

 private:
  bool is_root_ = geteuid() == 0;
};

/// Replaces a descriptor by another file while it lives.
class Redirect {
 public:
  Redirect(int descriptor, const std::string& path, int flags) : descriptor_(descriptor), saved_(dup(descriptor)) {
    const int file = open(path.c_str(), flags, 0666);
    REQUIRE(file >= 0);
    dup2(file, descriptor);
    close(file);
  }
  ~Redirect() {
    dup2(saved_, descriptor_);
    close(saved_);
  }

 private:
  int descriptor_, saved_;
};

}  // namespace

TEST_CASE("a file comes back as it was written, of any size") {
  const Folder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{5000001}}) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 997);
    write_file(folder / "file", bytes);
    CHECK((read_file(folder / "file") == bytes));
  }
  CHECK(folder.names() == std::set<std::string>{"file"});
}

TEST_CASE("failures to read are explained") {
  const Folder folder;
  CHECK(read_complaint(folder / "none") == folder / "none" + ": no such file");
  CHECK(read_complaint(folder.path()) == folder.path() + ": is a folder");
  write_file(folder / "file", to_bytes("12345"));
  CHECK(read_complaint(folder / "file/x") == folder / "file/x" + ": a part of the path is not a folder");
  CHECK(read_complaint(folder / "file", 5) == "none");
  CHECK(read_complaint(folder / "file", 4) == folder / "file" + ": is larger than 4 bytes, the limit");
  REQUIRE(truncate((folder / "file").c_str(), std::int64_t{1} << 42) ==
          0);  // sparse; no memory must be reserved for it
  CHECK(read_complaint(folder / "file", 4) == folder / "file" + ": is larger than 4 bytes, the limit");
  constexpr std::size_t kMebi = 1 << 20;
  CHECK(read_complaint(folder / "file", 64 * kMebi) == folder / "file" + ": is larger than 64 MiB, the limit");
  CHECK(read_complaint("/dev/zero", 3000000) == "/dev/zero: is larger than 3000000 bytes, the limit");
  CHECK(read_complaint("/dev/zero", 3 << 10) == "/dev/zero: is larger than 3 KiB, the limit");
  CHECK(read_complaint("") == "no file name");
  fs::permissions(folder / "file", fs::perms::none);
  const AsNobody nobody;
  CHECK(read_complaint(folder / "file") == folder / "file" + ": permission denied");
}

TEST_CASE("streams, which may never end, have a limit of their own") {
  static_assert(kLargestStream == 4294967296);
  const auto complaint_of = [](const std::string& path, std::size_t limit, std::size_t stream_limit) {
    return error_text(ErrorKind::input, [&] { read_file(path, {.bytes = limit, .stream_bytes = stream_limit}); });
  };
  CHECK(complaint_of("/dev/zero", kNoLimit, 5 << 20) == "/dev/zero: is larger than 5 MiB, the limit for a stream");
  CHECK(complaint_of("/dev/zero", 1000, 5 << 20) == "/dev/zero: is larger than 1000 bytes, the limit");
  CHECK(complaint_of("/dev/null", kNoLimit, 0) == "none");
  const Folder folder;
  write_file(folder / "file", Bytes(100));
  CHECK(complaint_of(folder / "file", kNoLimit, 10) == "none");  // a regular file has an end
  std::string from_pipe, from_device;
  {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(write(ends[1], "0123456789", 10) == 10);
    close(ends[1]);
    const Redirect input(STDIN_FILENO, "/proc/self/fd/" + std::to_string(ends[0]), O_RDONLY);
    close(ends[0]);
    from_pipe = complaint_of("-", kNoLimit, 10);
  }
  {
    const Redirect input(STDIN_FILENO, "/dev/zero", O_RDONLY);
    from_device = complaint_of("-", kNoLimit, 1 << 20);
  }
  CHECK(from_pipe == "none");
  CHECK(from_device == "standard input: is larger than 1 MiB, the limit for a stream");
}

TEST_CASE("- is standard input and standard output") {
  const Folder folder;
  const std::string long_text(300000, 'x');
  write_file(folder / "in", to_bytes(long_text));
  {
    const Redirect input(STDIN_FILENO, folder / "in", O_RDONLY);
    CHECK(contents("-") == long_text);
    CHECK(contents("-") == "");
  }
  {
    const Redirect output(STDOUT_FILENO, folder / "out", O_WRONLY | O_CREAT);
    write_file("-", to_bytes("one "));
    write_stdout(to_bytes("two"));
  }
  CHECK(contents(folder / "out") == "one two");

  std::string full, closed;
  {
    const Redirect output(STDOUT_FILENO, "/dev/full", O_WRONLY);
    full = error_text(ErrorKind::output, [] { write_stdout(to_bytes("x")); });
  }
  {
    const Redirect input(STDIN_FILENO, folder.path(), O_RDONLY);
    closed = read_complaint("-");
  }
  CHECK(full == "standard output: the disk is full");
  CHECK(closed == "standard input: is a folder");
}

TEST_CASE("a new file has the permissions of the umask, an existing one keeps its own") {
  const Folder folder;
  const mode_t former = umask(027);
  write_file(folder / "new", to_bytes("1"));
  umask(former);
  CHECK(mode_of(folder / "new") == 0640);
  for (const mode_t mode : {mode_t{0600}, mode_t{0755}, mode_t{0666}}) {
    REQUIRE(chmod((folder / "new").c_str(), mode) == 0);
    write_file(folder / "new", to_bytes("2"));
    CHECK(mode_of(folder / "new") == mode);
  }
  CHECK(contents(folder / "new") == "2");
}

TEST_CASE("an existing file keeps its owner and access list, where the system lets it") {
  const Folder folder;
  const std::string path = folder / "f";
  write_file(path, to_bytes("old"));
  const bool can_give = chown(path.c_str(), 12345, 12346) == 0;
  // acl(5) as Linux keeps it: version 2; owner rw, user 1234 rw, group none, mask rw, others none.
  constexpr std::uint16_t kList[] = {2, 0,      1,      6,  0xffff, 0xffff, 2,      6,  1234, 0,      4,
                                     0, 0xffff, 0xffff, 16, 6,      0xffff, 0xffff, 32, 0,    0xffff, 0xffff};
  constexpr const char* kName = "system.posix_acl_access";
  const bool has_list = setxattr(path.c_str(), kName, kList, sizeof kList, 0) == 0;
  write_file(path, to_bytes("new"));
  struct stat status;
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK(contents(path) == "new");
  if (can_give) CHECK(status.st_uid == 12345);
  if (can_give) CHECK(status.st_gid == 12346);
  std::uint16_t kept[64] = {};
  if (has_list) CHECK(getxattr(path.c_str(), kName, kept, sizeof kept) == sizeof kList);
  if (has_list) CHECK(std::equal(std::begin(kList), std::end(kList), kept));
}

TEST_CASE("a symbolic link stays one, whether its target exists or not") {
  const Folder folder;
  fs::create_directory(folder / "sub");
  fs::create_symlink("second", folder / "sub/first");  // relative to the folder of the link
  fs::create_symlink(folder / "sub/target", folder / "sub/second");
  for (const char* const text : {"creates", "replaces"}) {
    write_file(folder / "sub/first", to_bytes(text));
    CHECK(fs::is_symlink(folder / "sub/first"));
    CHECK(fs::is_symlink(folder / "sub/second"));
    CHECK_FALSE(fs::is_symlink(folder / "sub/target"));
    CHECK(contents(folder / "sub/target") == text);
  }
  fs::create_symlink("loop", folder / "loop");
  CHECK(write_complaint(folder / "loop") != "none");
}

TEST_CASE("other names of a replaced file keep the old content") {
  const Folder folder;
  write_file(folder / "a", to_bytes("old"));
  fs::create_hard_link(folder / "a", folder / "b");
  write_file(folder / "a", to_bytes("new"));
  CHECK(contents(folder / "a") == "new");
  CHECK(contents(folder / "b") == "old");
}

TEST_CASE("standard input, devices and pipes are streams; files and folders are not") {
  const Folder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0666) == 0);
  fs::create_symlink(folder / "pipe", folder / "link");
  write_file(folder / "file", to_bytes("x"));
  for (const std::string& stream : {std::string("-"), std::string("/dev/null"), folder / "pipe", folder / "link"})
    CHECK(is_stream(stream));
  for (const std::string& other : {folder / "file", folder / "missing", folder / ".", std::string()})
    CHECK_FALSE(is_stream(other));
}

TEST_CASE("devices and pipes are written to, not replaced") {
  const Folder folder;
  {
    const AsNobody nobody;  // who may not replace devices: a mistake here must not cost root its own
    CHECK(write_complaint("/dev/null") == "none");
    CHECK(write_complaint("/dev/full") == "/dev/full: the disk is full");
  }

  REQUIRE(mkfifo((folder / "pipe").c_str(), 0666) == 0);
  const int reader = open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  write_file(folder / "pipe", to_bytes("through the pipe"));
  char received[100];
  CHECK(read(reader, received, sizeof received) == 16);
  close(reader);
  CHECK(fs::is_fifo(folder / "pipe"));
}

TEST_CASE("failures to write are explained, and change nothing") {
  const Folder folder;
  CHECK(write_complaint(folder / "none/file") == folder / "none/file" + ": no such folder");
  CHECK(write_complaint(folder.path()) == folder.path() + ": is a folder");
  CHECK(write_complaint(folder / "none/") == folder / "none/" + ": no such folder");
  CHECK(write_complaint("") == "no file name");
  write_file(folder / "file", to_bytes("old"));
  CHECK(write_complaint(folder / "file/x") == folder / "file/x" + ": a part of the path is not a folder");
  CHECK(write_complaint(folder / std::string(300, 'n')) !=
        "none");  // the name is too long, which only rename(2) notices

  REQUIRE(chmod((folder / "file").c_str(), 0444) == 0);
  {
    const AsNobody nobody;
    CHECK(write_complaint(folder / "file") == folder / "file" + ": permission denied");
  }
  CHECK(contents(folder / "file") == "old");
  CHECK(folder.names() == std::set<std::string>{"file"});
}

TEST_CASE("a write that fails half-way leaves the old file and no temporary") {
  const Folder folder;
  write_file(folder / "file", to_bytes("old"));
  // A limit on the size of files simulates a full disk. Its signal, SIGXFSZ, is ignored.
  rlimit former;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &former) == 0);
  const rlimit small = {100000, former.rlim_max};
  const auto former_action = signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string message = error_text(ErrorKind::output, [&] { write_file(folder / "file", Bytes(100001)); });
  REQUIRE(setrlimit(RLIMIT_FSIZE, &former) == 0);
  signal(SIGXFSZ, former_action);
  CHECK(message == folder / "file" + ": the file is too large for this disk, or for the limit set by 'ulimit -f'");
  CHECK(contents(folder / "file") == "old");
  CHECK(folder.names() == std::set<std::string>{"file"});
}

TEST_CASE("more simultaneous writers than slots for temporary files") {
  const Folder folder;
  std::vector<std::thread> writers;
  for (int t = 0; t < 100; ++t)
    writers.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) write_file(folder / std::to_string(t % 10), Bytes(1000, static_cast<std::byte>(t)));
    });
  for (std::thread& writer : writers) writer.join();
  CHECK(folder.names() == std::set<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  for (int f = 0; f < 10; ++f) {
    const Buffer bytes = read_file(folder / std::to_string(f));
    CHECK((bytes == Bytes(1000, *bytes.begin())));  // all from one writer
  }
}

constexpr int kEndings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGXCPU};

// The child of the test below. It needs its own process, because handlers are installed once, over a known action.
TEST_CASE("has a temporary file and receives a signal" * doctest::skip()) {
  const char* const folder = std::getenv("TEST_FOLDER");
  const char* const before = std::getenv("TEST_ACTION");
  const char* const number = std::getenv("TEST_SIGNAL");
  REQUIRE((folder != nullptr && before != nullptr && number != nullptr));
  for (const int ending : kEndings) signal(ending, SIG_DFL);
  const rlimit no_core = {0, 0};  // SIGQUIT and SIGXCPU would write one
  REQUIRE(setrlimit(RLIMIT_CORE, &no_core) == 0);
  if (std::string(before) == "ignored") signal(std::atoi(number), SIG_IGN);
  if (std::string(before) == "handled") signal(std::atoi(number), [](int) { _exit(9); });
  if (std::string(before) == "noted") signal(std::atoi(number), [](int) {});
  const TemporaryFile first(folder), second(folder);
  raise(std::atoi(number));
  const TemporaryFile third(folder);
  _exit(7);  // without destructors
}

TEST_CASE("signals that end the process remove temporary files first, others have their former effect") {
  for (const int ending : kEndings)
    for (const std::string before : {"default", "ignored", "handled", "noted"}) {
      CAPTURE(ending);
      CAPTURE(before);
      const Folder folder;
      const std::string number = std::to_string(ending), path = folder.path();
      const pid_t child = fork();
      if (child == 0) {
        setenv("TEST_FOLDER", path.c_str(), 1);
        setenv("TEST_ACTION", before.c_str(), 1);
        setenv("TEST_SIGNAL", number.c_str(), 1);
        execl("/proc/self/exe", "test", "--no-skip", "--test-case=has a temporary file and receives a signal", nullptr);
        _exit(1);
      }
      int status = 0;
      REQUIRE(waitpid(child, &status, 0) == child);
      if (before == "default") {
        CHECK((WIFSIGNALED(status) && WTERMSIG(status) == ending));
      } else {
        CHECK((WIFEXITED(status) && WEXITSTATUS(status) == (before == "handled" ? 9 : 7)));
      }
      CHECK(folder.names().size() == (before == "default" ? 0 : before == "handled" ? 2 : 3));
    }
}

TEST_CASE("a file that changes while it is being read is an error") {
  const Folder folder;
  const std::string path = folder / "file";
  const auto complaint_if = [&](const std::function<void()>& change) {
    write_file(path, Bytes(100'000));
    fs::last_write_time(path, fs::last_write_time(path) - std::chrono::seconds(1));  // the system's clock has ticks
    const FailingCallsGuard guard;
    failing_calls.before_read = [&, is_first = true]() mutable {
      if (std::exchange(is_first, false)) change();
    };
    return read_complaint(path);
  };
  const std::string changed = path + ": changed while it was being read; run again when it is complete";
  CHECK(complaint_if([] {}) == "none");
  CHECK(complaint_if([&] { append_to_file(path, Bytes(1)); }) == changed);
  CHECK(complaint_if([&] { fs::resize_file(path, 99'999); }) == changed);
  CHECK(complaint_if([&] { fs::resize_file(path, 0); }) == changed);
  CHECK(complaint_if([&] { write_all_at(open_file(path, O_WRONLY).get(), 50'000, Bytes(1)); }) == changed);
  CHECK(complaint_if([&] { write_file(path, Bytes(1)); }) == "none");  // another file of this name
}

TEST_CASE("a regular file is kept open, and knows whether it has changed; a stream is not kept") {
  const Folder folder;
  write_file(folder / "file", to_bytes("content"));
  const FileContent content = read_and_keep_file(folder / "file");
  CHECK(content.bytes == to_bytes("content"));
  REQUIRE(content.file);
  CHECK(content.file->size() == 7);
  CHECK(!content.file->has_changed());
  char first = 0;
  CHECK(pread(content.file->descriptor(), &first, 1, 0) == 1);
  CHECK(first == 'c');
  fs::rename(folder / "file", folder / "elsewhere");  // it is the file that counts, not its name
  CHECK(!content.file->has_changed());
  append_to_file(folder / "elsewhere", to_bytes("."));
  CHECK(content.file->has_changed());

  CHECK(!read_and_keep_file("/dev/null").file);
  CHECK(!read_and_keep_file("/proc/self/status").file);  // a regular file of size 0, with content
}

TEST_CASE("appending creates a file and adds to its end") {
  const Folder folder;
  const std::string path = folder / "log";
  append_to_file(path, to_bytes("one\n"));
  append_to_file(path, to_bytes("two\n"));
  CHECK(contents(path) == "one\ntwo\n");
  const std::string nowhere = folder / "missing/log";
  CHECK(error_text(ErrorKind::output, [&] { append_to_file(nowhere, {}); }) == nowhere + ": no such folder");
  CHECK(error_text(ErrorKind::output, [&] { append_to_file("", {}); }) == "no file name");
}
