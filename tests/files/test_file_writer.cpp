// Files that are written in pieces, all or nothing.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "core/error.h"
#include "files/failing_calls.h"
#include "files/file_writer.h"
#include "support/error_text.h"
#include "support/picture_bytes.h"
#include "support/program.h"

using namespace convtool;
using convtool::testing::error_text;
using convtool::testing::fsync_calls;
using convtool::testing::to_bytes;
namespace fs = std::filesystem;

TEST_CASE("pieces make a file in any order, which appears with commit()") {
  const TempFolder folder;
  const std::string path = folder.file("f");
  for (const bool replaces : {false, true}) {
    CAPTURE(replaces);
    const std::string before = replaces ? read_text(path) : "";
    FileWriter writer(path);
    CHECK(!writer.is_sequential());
    writer.write(3, to_bytes("def"));
    writer.write(6, to_bytes(replaces ? "GHI" : "ghi"));
    writer.write(0, to_bytes("abc"));
    CHECK(fs::exists(path) == replaces);
    if (replaces) CHECK(read_text(path) == before);
    CHECK(writer.commit());
    CHECK(read_text(path) == (replaces ? "abcdefGHI" : "abcdefghi"));
  }
  CHECK(folder.names() == std::vector<std::string>{"f"});
}

TEST_CASE("threads write pieces of one file, larger than those that are sent to the disk at a time") {
  const TempFolder folder;
  const std::string path = folder.write("f", "replaced");
  constexpr std::size_t kPiece = (3 << 20) + 1, kPieces = 8;
  std::string expected;
  for (std::size_t i = 0; i < kPieces; ++i)
    for (std::size_t j = 0; j < kPiece; ++j) expected += static_cast<char>(i * 31 + j * 7 + j / 4099);
  FileWriter writer(path);
  const int flushes = fsync_calls;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kPieces; ++i)
      threads.emplace_back(
          [&, i] { writer.write(i * kPiece, std::as_bytes(std::span(expected)).subspan(i * kPiece, kPiece)); });
  }
  CHECK(writer.commit());
  CHECK(fsync_calls == flushes + 1);
  CHECK((read_text(path) == expected));
}

TEST_CASE("without commit() nothing remains and nothing changes") {
  const TempFolder folder;
  const std::string old = folder.write("old", "old");
  for (const std::string& path : {old, folder.file("new")}) {
    FileWriter writer(path);
    writer.write(0, to_bytes("ours"));
  }
  CHECK(folder.names() == std::vector<std::string>{"old"});
  CHECK(read_text(old) == "old");
}

TEST_CASE("a file that is to be kept is not written") {
  const TempFolder folder;
  const std::string old = folder.write("old", "old");
  fs::create_symlink("nothing", folder.file("link"));
  for (const std::string& path : {old, folder.file("link")}) {
    FileWriter writer(path, {.keeps_existing = true});
    writer.write(0, to_bytes("ours"));
    CHECK(folder.names() == std::vector<std::string>{"link", "old"});  // no temporary
    CHECK(!writer.commit());
  }
  CHECK(read_text(old) == "old");

  FileWriter late(folder.file("new"), {.keeps_existing = true});
  late.write(0, to_bytes("ours"));
  folder.write("new", "theirs");
  CHECK(!late.commit());
  CHECK(read_text(folder.file("new")) == "theirs");
}

TEST_CASE("a device takes pieces in order") {
  FileWriter writer("/dev/null");
  CHECK(writer.is_sequential());
  writer.write(0, to_bytes("123"));
  CHECK_THROWS_AS(writer.write(4, to_bytes("5")), Error);
  writer.write(3, to_bytes("4"));
  CHECK(writer.commit());
  FileWriter full("/dev/full");
  CHECK(error_text(ErrorKind::output, [&] { full.write(0, to_bytes("x")); }) == "/dev/full: the disk is full");
}

TEST_CASE("a disk that is full half-way leaves the old file and no temporary, whichever piece is too much") {
  const TempFolder folder;
  const std::string path = folder.write("f", "old");
  // A limit on the size of files simulates a full disk. Its signal, SIGXFSZ, is ignored.
  rlimit former;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &former) == 0);
  const rlimit small = {100'000, former.rlim_max};
  const auto former_action = signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::vector<std::string> messages;
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{99'999}, std::uint64_t{5'000'000}})
    messages.push_back(error_text(ErrorKind::output, [&] {
      FileWriter writer(path);
      writer.write(60'000, Bytes(100));
      writer.write(offset, Bytes(100'001));
    }));
  REQUIRE(setrlimit(RLIMIT_FSIZE, &former) == 0);
  signal(SIGXFSZ, former_action);
  for (const std::string& message : messages)
    CHECK(message == path + ": the file is too large for this disk, or for the limit set by 'ulimit -f'");
  CHECK(read_text(path) == "old");
  CHECK(folder.names() == std::vector<std::string>{"f"});
}
