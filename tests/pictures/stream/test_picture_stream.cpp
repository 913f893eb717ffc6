// Streams of several pictures: where each ends, found while its bytes arrive.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "files/descriptor.h"
#include "files/file.h"
#include "pictures/sample_pictures.h"
#include "pictures/stream/joined_bytes.h"
#include "pictures/stream/picture_stream.h"
#include "support/error_text.h"
#include "support/program.h"

namespace convtool {
namespace {

using namespace testing;

/// The samples that streams of several pictures may consist of.
std::vector<Sample> streamed_samples() {
  std::vector<Sample> samples = sample_pictures();
  samples.push_back(
      {"jpeg of many restarts", opencv_file(".jpg", random_mat(70, 90, CV_8UC3), {cv::IMWRITE_JPEG_RST_INTERVAL, 1})});
  samples.push_back({"pgm of ten bytes", to_bytes("P5 1 1 1\nx")});
  std::erase_if(samples, [](const Sample& sample) { return !PictureStream::can_follow(sample.file); });
  REQUIRE(samples.size() > 15);
  return samples;
}

bool is_text(const Sample& sample) { return sample.name.ends_with("text"); }

bool same(const Buffer& picture, std::span<const std::byte> file) {
  return std::equal(picture.begin(), picture.end(), file.begin(), file.end());
}

/// A pipe, read as the file /dev/fd/N.
class Pipe {
 public:
  Pipe() { REQUIRE(pipe(ends_) == 0); }
  ~Pipe() {
    close_writer();
    close(ends_[0]);
  }
  void write(std::span<const std::byte> bytes) const { write_all(ends_[1], bytes); }
  void close_writer() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }
  std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }

  /// Makes it standard input, where reading more than there is fails instead of waiting.
  void become_stdin() const {
    REQUIRE(fcntl(ends_[0], F_SETFL, O_NONBLOCK) == 0);
    REQUIRE(dup2(ends_[0], STDIN_FILENO) == STDIN_FILENO);
  }

 private:
  int ends_[2];
};

}  // namespace

TEST_CASE("the pictures of a stream are those that were written, in whatever pieces they arrive") {
  const std::vector<Sample> samples = streamed_samples();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
    CAPTURE(piece);
    Pipe pipe;
    std::thread writer([&] {
      Bytes all;
      for (const Sample& sample : samples) all = all + sample.file;
      for (std::size_t at = 0; at < all.size(); at += piece)
        pipe.write(std::span(all).subspan(at, std::min(piece, all.size() - at)));
      pipe.close_writer();
    });
    StreamReader reader(pipe.path());
    PictureStream stream(reader);
    std::int64_t number = 0;
    for (const Sample& sample : samples) {
      CAPTURE(sample.name);
      const std::optional<StreamedPicture> picture = stream.next();
      REQUIRE(picture);
      CHECK(picture->number == ++number);
      CHECK(picture->type == sniff_picture_type(sample.file));
      if (is_text(sample))  // the white space after the last number belongs to no picture
        CHECK(same(picture->bytes, std::span(sample.file).first(picture->bytes.size())));
      else
        CHECK(same(picture->bytes, sample.file));
    }
    CHECK_FALSE(stream.next());
    writer.join();
  }
}

TEST_CASE("a picture of a live stream is there with its last byte") {
  const int stdin_before = dup(STDIN_FILENO);
  for (const Sample& sample : streamed_samples()) {
    CAPTURE(sample.name);
    const Pipe pipe;
    pipe.become_stdin();
    pipe.write(sample.file);
    StreamReader reader("-");
    PictureStream stream(reader);
    for (int i = 0; i < 2; ++i) {
      const std::optional<StreamedPicture> picture = stream.next();
      REQUIRE(picture);
      CHECK(picture->bytes.size() + (is_text(sample) ? 8 : 0) >= sample.file.size());
      pipe.write(sample.file);
    }
  }
  // The same byte by byte, where asking for too many waits for ever.
  for (const Sample& sample : streamed_samples()) {
    CAPTURE(sample.name);
    const Pipe pipe;
    std::thread writer([&] {
      for (const std::byte& byte : sample.file) pipe.write({&byte, 1});
    });
    StreamReader reader(pipe.path());
    CHECK(PictureStream(reader).next());
    writer.join();
  }
  dup2(stdin_before, STDIN_FILENO);
  close(stdin_before);
}

TEST_CASE("a long picture in text is there with its last byte, and a long comment belongs to its picture") {
  std::string numbers = "P2 1000 1000 255\n";
  for (int i = 0; i < 1'000'000; ++i) numbers += "17 ";
  const std::string comment = "#" + std::string(3 << 20, 'x') + "\n";
  const std::string commented = "P5 1 1 " + comment + "255\nx", inside = "P2 1 2 255\n1 " + comment + "2\n";
  // Reading more than there is fails after some seconds.
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const Descriptor input(ends[0]), output(ends[1]);
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  REQUIRE(setsockopt(input.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  const int stdin_before = dup(STDIN_FILENO);
  dup2(input.get(), STDIN_FILENO);
  std::thread writer([&] {
    for (const std::string& picture : {numbers, commented, commented, inside, numbers})
      write_all(output.get(), to_bytes(picture));
  });
  StreamReader reader("-");
  PictureStream stream(reader);
  bool is_read = true;
  for (const std::string& picture : {numbers, commented, commented, inside, numbers}) {
    std::optional<StreamedPicture> read;
    CHECK_NOTHROW(read = stream.next());
    is_read = read.has_value();
    CHECK(is_read);
    if (!is_read) break;
    CHECK(picture.starts_with(std::string_view(reinterpret_cast<const char*>(read->bytes.data()), read->bytes.size())));
    CHECK(read->bytes.size() + 1 >= picture.size());  // a last space may be left
  }
  std::byte unread[4096];
  while (!is_read && recv(input.get(), unread, sizeof unread, 0) > 0) continue;  // so that the writer ends
  writer.join();
  dup2(stdin_before, STDIN_FILENO);
  close(stdin_before);
}

TEST_CASE("a stream that ends inside a picture has those before it") {
  const TempFolder folder;
  const Bytes first = to_bytes("P5 1 1 255\n#");
  for (const Sample& sample : streamed_samples()) {
    CAPTURE(sample.name);
    for (std::size_t size = 1; size + sample.spare < sample.file.size(); size += 1 + size / 8) {
      CAPTURE(size);
      const Bytes all = first + std::span(sample.file).first(size);
      StreamReader reader(folder.write("all", std::string(reinterpret_cast<const char*>(all.data()), all.size())));
      PictureStream stream(reader);
      REQUIRE(stream.next());
      const std::string message = error_text(ErrorKind::input, [&] { stream.next(); });
      CHECK(message.starts_with("at byte 12: "));
      if (size > 12) CHECK(message == "at byte 12: the stream ends in the middle of it");
      CHECK_FALSE(stream.next());
    }
  }
}

TEST_CASE("a picture of a stream has the limit of streams, and one of a regular file that of files") {
  const std::string picture = "P5 20 20 255\n" + std::string(400, 'x');
  const SizeLimits limits{.bytes = 1000, .stream_bytes = 300};
  const TempFolder folder;
  StreamReader file(folder.write("all", picture + picture));
  PictureStream pictures(file, limits);
  for (int i = 0; i < 2; ++i) CHECK(pictures.next()->bytes.size() == 413);
  CHECK_FALSE(pictures.next());

  int ends[2];
  REQUIRE(pipe(ends) == 0);
  REQUIRE(write(ends[1], picture.data(), picture.size()) == 413);
  close(ends[1]);
  StreamReader piped("/dev/fd/" + std::to_string(ends[0]));
  close(ends[0]);
  PictureStream refused(piped, limits);
  CHECK(error_text(ErrorKind::input, [&] {
          refused.next();
        }).ends_with("is larger than 300 bytes, the limit for a stream"));
}

TEST_CASE("bytes that are no picture are an error that says where they are") {
  const TempFolder folder;
  const auto after_one = [&](const std::string& rest) {
    StreamReader reader(folder.write("all", "P5 2 1 255\nab" + rest));
    PictureStream stream(reader, {.bytes = 1000, .advice = "; raise it"});
    const std::optional<StreamedPicture> picture = stream.next();
    REQUIRE(picture);
    CHECK(picture->bytes.size() == 13);
    return error_text(ErrorKind::input, [&] { stream.next(); });
  };
  for (const std::string rest : {"\n", "x", "RIFFxxxxWEBP", "BMxxxxxxxxxx", "PF 1 1 1\nabcd", "P7\nWIDTH 1"})
    CHECK(after_one(rest) ==
          "at byte 13: the bytes after picture 1 are not a PNG, JPEG or PNM; if they belong to that picture, give it "
          "as a file of its own");
  CHECK(after_one("P6 x y").find("something other than a number") != std::string::npos);
  CHECK(after_one("P6 20 20 255\n") ==
        "at byte 13: is larger than 1000 bytes, the limit; raise it; the pictures after it are not read");
  CHECK(after_one("P6 2147483647 2147483647 65535\n").find("is larger than 1000 bytes") != std::string::npos);
  // 6 * 2139423913 * 1437049164 is 2^64 + 776.
  CHECK(after_one("P6 2139423913 1437049164 65535\n").find("is larger than 1000 bytes") != std::string::npos);
  CHECK(after_one("P3 2147483647 2147483647 65535\n1 ").find("is larger than 1000 bytes") != std::string::npos);
  CHECK(after_one("\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR").find("something other than a chunk") != std::string::npos);
  CHECK(after_one(std::string("\x89PNG\r\n\x1a\n\0\0\0\1I-DRx", 17)).find("something other than a chunk") !=
        std::string::npos);
  CHECK(after_one("\xff\xd8\xff\xd8").find("another picture begins before its end") != std::string::npos);
  CHECK(after_one(std::string("\xff\xd8\xff\xe0\0\1xx", 8)).find("a segment of length 1") != std::string::npos);
}

TEST_CASE("a first picture whose end cannot be found is all that the stream has") {
  const TempFolder folder;
  for (const std::string content : {"P5 x", "P6 9 9 255\nabc", "\xff\xd8\xff\xd8", "\x89PNG\r\n\x1a\n????????????"}) {
    StreamReader reader(folder.write("all", content));
    PictureStream stream(reader);
    const std::optional<StreamedPicture> picture = stream.next();
    REQUIRE(picture);
    CHECK(same(picture->bytes, to_bytes(content)));
    CHECK_FALSE(stream.next());
  }
}

namespace {

/// `plain` with an index of itself and of another picture of `listed_bytes` bytes, `gap` bytes after its end.
Bytes with_index(std::span<const std::byte> plain, std::size_t listed_bytes, std::size_t gap, bool big) {
  // SOI, APP2 of 4 + 8 + 2 + 2 * 12 + 4 bytes and a list of two entries, then the rest.
  constexpr std::size_t kIndexAt = 2 + 4 + 4, kIndex = 8 + 2 + 2 * 12 + 4 + 32;
  const std::size_t size = plain.size() + 4 + 4 + kIndex;
  ByteWriter index(big);
  index.text(big ? "MM" : "II").u16(42).u32(8).u16(2);
  index.u16(45057).u16(4).u32(1).u32(2);
  index.u16(45058).u16(7).u32(32).u32(38).u32(0);
  index.u32(0x030000).u32(size).u32(0).u32(0);
  index.u32(0).u32(listed_bytes).u32(size + gap - kIndexAt).u32(0);
  REQUIRE(index.size() == kIndex);
  const Bytes head = ByteWriter(true).u16(0xffd8).u16(0xffe2).u16(2 + 4 + kIndex).text("MPF").u8(0).bytes();
  return head + index.bytes() + plain.subspan(2);
}

}  // namespace

TEST_CASE("the pictures that a JPEG lists in its index belong to it") {
  const Bytes second = opencv_file(".jpg", random_mat(7, 9, CV_8UC1, 2));
  const Bytes plain = opencv_file(".jpg", random_mat(7, 9, CV_8UC3));
  for (const bool big : {false, true}) {
    const Bytes file = with_index(plain, second.size(), 0, big) + second;
    const TempFolder folder;
    const Bytes all = file + second;
    StreamReader reader(folder.write("all", std::string(reinterpret_cast<const char*>(all.data()), all.size())));
    PictureStream stream(reader);
    CHECK(same(stream.next()->bytes, file));
    CHECK(same(stream.next()->bytes, second));
    CHECK(stream.at_end());
  }
}

TEST_CASE("an index that does not fit the stream lists no pictures") {
  const Bytes second = opencv_file(".jpg", random_mat(7, 9, CV_8UC1, 2));
  const Bytes plain = opencv_file(".jpg", random_mat(7, 9, CV_8UC3));
  const std::size_t size = second.size();
  // Beyond the end of the stream, at bytes that begin no JPEG, larger than the limit of a picture, and of no bytes.
  for (const auto& lie :
       {std::pair<std::size_t, std::size_t>{3 * size, 0}, {size, 100'000}, {size, 1}, {0xffffff00, 0}, {0, 0}}) {
    const std::size_t listed_bytes = lie.first, gap = lie.second;
    CAPTURE(listed_bytes);
    CAPTURE(gap);
    const Bytes first = with_index(plain, listed_bytes, gap, false), all = first + second + second;
    const TempFolder folder;
    StreamReader reader(folder.write("all", std::string(reinterpret_cast<const char*>(all.data()), all.size())));
    PictureStream stream(reader, {.bytes = 1'000'000});
    for (const Bytes& expected : {first, second, second}) {
      const std::optional<StreamedPicture> picture = stream.next();
      REQUIRE(picture);
      CHECK(same(picture->bytes, expected));
    }
    CHECK(stream.at_end());
  }
}

TEST_CASE("text pictures follow one another, with any white space and comments between") {
  const TempFolder folder;
  StreamReader reader(folder.write("all", "P1 3 1 10#c\n1P1 2 1 11\n\t P2 2 1 9 1 2#end\n\nP3 1 1 255 1 2 3"));
  PictureStream stream(reader);
  for (const std::string expected : {"P1 3 1 10#c\n1", "P1 2 1 11", "P2 2 1 9 1 2#end\n", "P3 1 1 255 1 2 3"}) {
    const std::optional<StreamedPicture> picture = stream.next();
    REQUIRE(picture);
    CHECK(same(picture->bytes, to_bytes(expected)));
  }
  CHECK_FALSE(stream.next());
}

}  // namespace convtool
