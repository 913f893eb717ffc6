// Streams that are looked at and taken piece by piece.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "files/descriptor.h"
#include "files/file.h"
#include "files/stream_reader.h"
#include "support/error_text.h"
#include "support/program.h"
#include "support/random.h"

namespace convtool {
namespace {

using testing::error_text;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string text_of(const Buffer& bytes) { return text_of(std::span(bytes.data(), bytes.size())); }

}  // namespace

TEST_CASE("bytes that are looked at are those that are taken next") {
  const TempFolder folder;
  std::string content;
  for (int i = 0; i < 100'000; ++i) content += std::to_string(i % 10);
  StreamReader stream(folder.write("f", content));
  CHECK(text_of(stream.look(3)).starts_with("012"));
  CHECK(stream.position() == 0);
  CHECK(text_of(stream.take(5)) == "01234");
  CHECK(stream.position() == 5);
  CHECK(stream.look(90'000).size() >= 90'000);
  CHECK(text_of(stream.take(90'000)) == content.substr(5, 90'000));
  std::byte two[2];
  CHECK(stream.take(two) == 2);
  CHECK(text_of(two) == "56");
  CHECK(text_of(stream.look(20'000)) == content.substr(90'007));
  CHECK(text_of(stream.take(20'000)) == content.substr(90'007));
  CHECK(stream.look(1).empty());
  CHECK(stream.take(1).empty());
  CHECK(stream.position() == 100'000);
}

TEST_CASE("any sequence of looking and taking gives the bytes of the stream in order") {
  const TempFolder folder;
  Random random(7);
  std::string content(6 << 20, '\0');
  for (char& byte : content) byte = static_cast<char>(random.between(0, 255));
  const std::string path = folder.write("f", content);
  const auto size = [&] { return static_cast<std::size_t>(random.between(0, random.chance(3) ? 1 << 20 : 100)); };
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    StreamReader stream(path);
    std::size_t at = 0;
    const auto is_next = [&](std::string_view text) { return std::string_view(content).substr(at).starts_with(text); };
    for (int step = 0; step < 20; ++step) {
      CAPTURE(step);
      const std::size_t looked = size(), taken = size(), left = content.size() - at;
      const std::string ahead = text_of(stream.look(looked));
      CHECK(ahead.size() >= std::min(looked, left));
      CHECK(is_next(ahead));
      const std::string next = text_of(stream.take(taken));
      CHECK(next.size() == std::min(taken, left));
      CHECK(is_next(next));
      at += next.size();
      CHECK(stream.position() == at);
      CHECK(is_next(text_of(stream.ahead())));
    }
    const std::string rest = text_of(stream.take_rest({}));
    CHECK(rest.size() == content.size() - at);
    CHECK(is_next(rest));
    CHECK(stream.position() == content.size());
  }
}

TEST_CASE("looking at a pipe waits for no more bytes than it is asked for") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const Descriptor reader(ends[0]), writer(ends[1]);
  write_all(ends[1], std::as_bytes(std::span(std::string_view("abc"))));
  StreamReader stream("/dev/fd/" + std::to_string(ends[0]));
  CHECK(text_of(stream.look(2)) == "abc");
  CHECK(text_of(stream.take(3)) == "abc");
}

TEST_CASE("the rest of a stream has a limit, as a file has") {
  const TempFolder folder;
  const std::string path = folder.write("f", std::string(3 << 20, 'x'));
  const auto rest = [&](std::size_t limit) {
    StreamReader stream(path);
    stream.take(10);
    return stream.take_rest({.bytes = limit, .advice = "; raise it"});
  };
  CHECK(rest(kNoLimit).size() == (3 << 20) - 10);
  CHECK(rest((3 << 20) - 10).size() == (3 << 20) - 10);
  CHECK(error_text(ErrorKind::input, [&] { rest(1 << 20); }) == path + ": is larger than 1 MiB, the limit; raise it");
  CHECK(error_text(ErrorKind::input, [&] {
          StreamReader("/dev/zero").take_rest({.stream_bytes = 1 << 20, .advice = "; raise it"});
        }) == "/dev/zero: is larger than 1 MiB, the limit for a stream");
  CHECK(error_text(ErrorKind::input, [&] {
          StreamReader("/dev/zero").take_rest({.bytes = 1 << 20, .stream_bytes = 1 << 20, .advice = "; raise it"});
        }) == "/dev/zero: is larger than 1 MiB, the limit for a stream");  // raising it would not help
}

TEST_CASE("a stream that cannot be read is an error with its name") {
  const TempFolder folder;
  CHECK(error_text(ErrorKind::input, [&] { StreamReader stream(folder.file("none")); }) ==
        folder.file("none") + ": no such file");
  CHECK(error_text(ErrorKind::input, [&] { StreamReader stream(folder.path().string()); }) ==
        folder.path().string() + ": is a folder");
}

}  // namespace convtool
