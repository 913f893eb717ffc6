// Regular files in part: read at offsets, mapped, and whatever is not a regular file refused.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "files/regular_file.h"
#include "support/error_text.h"
#include "support/program.h"

namespace convtool {
namespace {

using testing::error_text;

TEST_CASE("a regular file is read at any offset, and not past its end") {
  const TempFolder folder;
  const RandomAccessFile file(folder.write("f", "0123456789"), ErrorKind::kernel);
  CHECK(file.size() == 10);
  std::vector<std::byte> bytes(4);
  file.read(3, bytes);
  CHECK(bytes == std::vector{std::byte{'3'}, std::byte{'4'}, std::byte{'5'}, std::byte{'6'}});
  file.read(10, {});
  CHECK(error_text(ErrorKind::kernel, [&] { file.read(7, bytes); }) ==
        folder.file("f") + ": changed while it was being read; run again when it is complete");
}

TEST_CASE("a regular file is mapped whole") {
  const TempFolder folder;
  const std::string content(100'000, 'x');
  const MappedFile file(folder.write("f", content));
  const std::span<const std::byte> bytes = file.bytes();
  CHECK(bytes.size() == content.size());
  CHECK(std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{'x'}; }));
  CHECK(MappedFile(folder.write("empty", "")).bytes().empty());
}

TEST_CASE("only regular files are opened; a pipe without a writer is not waited for") {
  const TempFolder folder;
  const std::string pipe = folder.file("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0666) == 0);
  const auto check = [&](const std::string& path, const std::string& expected) {
    CHECK(error_text(ErrorKind::input, [&] { const MappedFile file(path); }) == expected);
    CHECK(error_text(ErrorKind::kernel, [&] { const RandomAccessFile file(path, ErrorKind::kernel); }) == expected);
  };
  check(pipe, pipe + ": is not a regular file");
  check("/dev/null", "/dev/null: is not a regular file");
  check(folder.path().string(), folder.path().string() + ": is a folder");
  check(folder.file("missing"), folder.file("missing") + ": no such file");
  check("", "no file name");
}

}  // namespace
}  // namespace convtool
