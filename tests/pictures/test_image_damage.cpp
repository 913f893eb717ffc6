// Truncated, damaged and malicious files: never half a picture, never a crash, never a message on standard error.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <opencv2/core/utils/logger.hpp>
#include <random>
#include <thread>

#include "core/error.h"
#include "files/stderr_capture.h"
#include "pictures/decode_image.h"
#include "pictures/image_header.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr std::int64_t kMostDamagedPixels = 1 << 20;

/// The format, shape and values of the picture, for comparison.
std::vector<std::byte> content(const Image& image) {
  std::vector<std::byte> content;
  const auto add = [&](const auto& value) {
    const auto* const first = reinterpret_cast<const std::byte*>(&value);
    content.insert(content.end(), first, first + sizeof value);
  };
  add(image.format());
  add(image.all().shape);
  visit_dtype(image.dtype(), [&](auto zero) {
    const auto view = image.all().view<decltype(zero)>();
    for (std::int64_t y = 0; y < view.shape.h; ++y)
      for (std::int64_t x = 0; x < view.shape.w; ++x)
        for (std::int64_t c = 0; c < view.shape.c; ++c) add(view.at(0, c, y, x));
  });
  return content;
}

std::optional<std::vector<std::byte>> try_decode(std::span<const std::byte> file) {
  try {
    return content(decode_image(file, kMostDamagedPixels));
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return std::nullopt;
  }
}

/// A JPEG with complete headers and an end marker, but without the second half of its pixels.
Bytes hollow_jpeg() {
  Bytes file = opencv_file(".jpg", random_mat(64, 64, CV_8UC1));
  file.erase(file.begin() + static_cast<std::ptrdiff_t>(file.size() / 2), file.end() - 2);
  return file;
}

/// Collects the text printed to standard error while it lives.
class StderrWatch {
 public:
  StderrWatch() : users_(dup(STDERR_FILENO)), file_(memfd_create("watch", 0)) { dup2(file_, STDERR_FILENO); }
  ~StderrWatch() {
    dup2(users_, STDERR_FILENO);
    close(users_);
    close(file_);
  }
  std::string seen() const {
    std::string text(static_cast<std::size_t>(lseek(file_, 0, SEEK_END)), '\0');
    CHECK(pread(file_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  int users_, file_;
};

}  // namespace

TEST_CASE("a picture truncated at any length is an error or, if only spare bytes are missing, unchanged") {
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    const auto whole = try_decode(sample.file);
    REQUIRE(whole.has_value());
    for (std::size_t length = 0; length < sample.file.size(); ++length) {
      CAPTURE(length);
      const auto cut = try_decode(std::span(sample.file).first(length));
      if (length < sample.file.size() - sample.spare) REQUIRE_FALSE(cut.has_value());
      if (cut) REQUIRE(*cut == *whole);
    }
  }
}

TEST_CASE("bytes after the end of a picture do no harm") {
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    Bytes longer = sample.file;
    longer.insert(longer.end(), 100, std::byte{0x20});
    const auto whole = try_decode(sample.file), with_more = try_decode(longer);
    REQUIRE(with_more.has_value());
    CHECK(*with_more == *whole);
  }
}

TEST_CASE("a JPEG with an end marker but without some of its data is damaged") {
  CHECK_FALSE(try_decode(hollow_jpeg()).has_value());
  CHECK_THROWS_WITH_AS(decode_image(hollow_jpeg(), kMostDamagedPixels),
                       "damaged or truncated JPEG (parts of its data are invalid)", Error);
}

TEST_CASE("stray bytes between the segments of a JPEG are skipped") {
  const Bytes file = opencv_file(".jpg", random_mat(16, 16, CV_8UC1));
  Bytes padded = file;
  padded.insert(padded.begin() + 20, 5, std::byte{0});  // after the JFIF segment of 18 bytes
  const auto expected = try_decode(file), got = try_decode(padded);
  REQUIRE(got.has_value());
  CHECK(*got == *expected);
}

TEST_CASE("a compressed TIFF with overwritten bytes in its middle is damaged") {
  struct Kind {
    std::string name;
    Bytes file;
  };
  std::vector<Kind> kinds;
  for (const int type : {CV_8UC1, CV_8UC3, CV_8UC4, CV_16UC1, CV_16UC3}) {
    const cv::Mat noise = random_mat(96, 80, type);
    const std::string name = cv::typeToString(type);
    kinds.push_back({"lzw " + name, opencv_file(".tif", noise)});
    kinds.push_back({"deflate " + name, opencv_file(".tif", noise, {cv::IMWRITE_TIFF_COMPRESSION, 8})});
  }
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    REQUIRE(try_decode(kind.file).has_value());
    for (std::size_t tenth = 1; tenth < 10; ++tenth) {
      CAPTURE(tenth);
      Bytes damaged = kind.file;
      std::mt19937 random(5);
      for (std::size_t i = 0; i < 400; ++i)
        damaged[damaged.size() * tenth / 10 - 200 + i] = static_cast<std::byte>(random());
      CHECK_FALSE(try_decode(damaged).has_value());
    }
  }
}

TEST_CASE("any changed byte of a Deflate TIFF is damage or changes no pixel") {
  const Bytes block = zlib_stored(counting_bytes(256)), wide = zlib_stored(counting_bytes(512));
  for (const TiffParts& parts :
       {TiffParts{.width = 16, .height = 16, .compression = 8, .blocks = {block}},
        TiffParts{.width = 16, .height = 32, .tile = 16, .compression = 8, .blocks = {block, block}},
        TiffParts{.width = 16, .height = 16, .bits = 16, .compression = 8, .blocks = {wide}}}) {
    const Bytes file = tiff_file(parts);
    const auto whole = try_decode(file);
    REQUIRE(whole.has_value());
    const std::size_t last = 8 + parts.blocks[0].size();  // of the first block, which begins after the file's header
    for (std::size_t at = 8; at < last; ++at)
      for (const unsigned change : {0x01u, 0x10u, 0x80u, 0xffu}) {
        CAPTURE(at);
        CAPTURE(change);
        Bytes damaged = file;
        damaged[at] ^= static_cast<std::byte>(change);
        const auto got = try_decode(damaged);
        const bool is_pixel = at >= 8 + 7 && at < last - 4;  // between zlib's header and the checksum
        if (is_pixel) REQUIRE_FALSE(got.has_value());
        if (got) REQUIRE(*got == *whole);
      }
  }
}

TEST_CASE("a PackBits TIFF with any other run length is damage, or has the same pixels") {
  // A single literal run of bytes 0x80, which mean "no operation" in place of a length. So nothing compensates for a
  // wrong length.
  constexpr std::size_t kCount = 64;
  const Bytes strip = ByteWriter().u8(kCount - 1).append(Bytes(kCount, std::byte{0x80})).bytes();
  Bytes file = tiff_file({.width = kCount, .height = 1, .compression = 32773, .blocks = {strip}});
  const auto whole = try_decode(file);
  REQUIRE(whole.has_value());
  for (unsigned length = 0; length < 256; ++length) {
    CAPTURE(length);
    file[8] = static_cast<std::byte>(length);
    const bool is_right = length == kCount - 1 || length == 257 - kCount;  // all bytes literal, or one byte repeated
    const auto got = try_decode(file);
    REQUIRE(got.has_value() == is_right);
    if (got) CHECK(*got == *whole);
  }
}

TEST_CASE("an invalid fax or JPEG inside a TIFF is damage") {
  const auto fax = [](unsigned first_rows) {  // ITU-T T.6: a bit 1 repeats the row above; EOFB ends the data
    const Bytes strip = ByteWriter().u8(first_rows).u8(0x00).u8(0x10).u8(0x01).bytes();
    return tiff_file({.width = 16, .height = 8, .bits = 1, .photometric = 0, .compression = 4, .blocks = {strip}});
  };
  const auto white = try_decode(fax(0xff));
  REQUIRE(white.has_value());
  for (const unsigned rows : {0x00u, 0x55u, 0x12u, 0xfeu, 0x7fu}) {
    CAPTURE(rows);
    CHECK_FALSE(try_decode(fax(rows)).has_value());
  }

  for (const int type : {CV_8UC1, CV_8UC3}) {
    const Bytes file = opencv_file(".tif", random_mat(32, 32, type), {cv::IMWRITE_TIFF_COMPRESSION, 7});
    REQUIRE(try_decode(file).has_value());
    const Bytes start_of_scan = to_bytes("\xff\xda");
    const auto scan = std::search(file.begin(), file.end(), start_of_scan.begin(), start_of_scan.end());
    REQUIRE(scan != file.end());
    for (const std::ptrdiff_t distance : {30, 100, 300}) {
      CAPTURE(distance);
      Bytes damaged = file;
      const auto at = damaged.begin() + (scan - file.begin()) + distance;
      at[0] = std::byte{0xff}, at[1] = std::byte{0xd9};  // the end of the picture, too early
      CHECK_THROWS_WITH_AS(decode_image(damaged, kMostDamagedPixels),
                           "damaged or truncated TIFF (parts of its data are invalid)", Error);
    }
  }
}

TEST_CASE("messages of a decoder that concern no pixel do not mean damage") {
  // libtiff has messages about these: a fourth sample of unknown meaning; an unknown tag, out of order.
  CHECK(try_decode(opencv_file(".tif", random_mat(9, 7, CV_8UC4))).has_value());
  Bytes odd_tag = tiff_file({.width = 2, .height = 1, .sample_format = 1, .extra = {0}, .blocks = {Bytes(2)}});
  const Bytes extra_samples = ByteWriter().u16(338).u16(3).bytes();
  const auto at = std::search(odd_tag.begin(), odd_tag.end(), extra_samples.begin(), extra_samples.end());
  REQUIRE(at != odd_tag.end());
  at[0] = std::byte{0xe8}, at[1] = std::byte{0xfd};
  CHECK(try_decode(odd_tag).has_value());
}

TEST_CASE("each of several threads gets the damage of its own picture") {
  Bytes good_tiff = opencv_file(".tif", random_mat(64, 64, CV_8UC1)), bad_tiff = good_tiff;
  std::fill_n(bad_tiff.begin() + 1000, 400, std::byte{0x5a});
  const Bytes good[] = {opencv_file(".jpg", random_mat(64, 64, CV_8UC1)), good_tiff};
  const Bytes bad[] = {hollow_jpeg(), bad_tiff};
  const std::optional<std::vector<std::byte>> expected[] = {try_decode(good[0]), try_decode(good[1])};
  std::vector<int> wrong(8, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 50; ++i) {
        const std::size_t kind = i / 2 % 2;
        const bool is_good = (t + i) % 2 == 0;
        const auto got = try_decode(is_good ? good[kind] : bad[kind]);
        if (is_good ? got != expected[kind] : got.has_value()) ++wrong[t];
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(std::count(wrong.begin(), wrong.end(), 0) == static_cast<std::ptrdiff_t>(wrong.size()));
  CHECK(cv::utils::logging::getLogLevel() == cv::utils::logging::LOG_LEVEL_SILENT);
}

// The child of the test below: OpenCV reports the first use of its threads, once per process.
TEST_CASE("decodes one picture" * doctest::skip()) {
  const char* const path = std::getenv("TEST_FILE");
  REQUIRE(path != nullptr);
  CHECK(try_decode(read_file(path)).has_value());
}

TEST_CASE("OpenCV writes nothing to standard output while it decodes a TIFF") {
  // LogLuv, large enough for OpenCV to convert its colours on several threads.
  const Bytes file = opencv_file(".tif", random_mat(700, 700, CV_32FC3));
  const int picture = memfd_create("picture", 0), output = memfd_create("output", 0);
  REQUIRE(write(picture, file.data(), file.size()) == static_cast<ssize_t>(file.size()));
  const std::string path = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(picture);
  const pid_t child = fork();
  if (child == 0) {
    setenv("TEST_FILE", path.c_str(), 1);
    dup2(output, STDOUT_FILENO);
    execl("/proc/self/exe", "test", "--no-skip", "--test-case=decodes one picture", nullptr);
    _exit(1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  std::string text(static_cast<std::size_t>(lseek(output, 0, SEEK_END)), '\0');
  CHECK(pread(output, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  CHECK(text.find("1 passed") != std::string::npos);
  CHECK(text.find("parallel") == std::string::npos);
  close(picture);
  close(output);
}

TEST_CASE("the output of codecs does not reach the user, that of print_to_stderr() does") {
  const StderrWatch watch;
  for (const Sample& sample : sample_pictures()) try_decode(std::span(sample.file).first(sample.file.size() - 10));
  try_decode(hollow_jpeg());
  CHECK(watch.seen() == "");

  {
    const StderrCapture capture;
    print_to_stderr("for the user\n");
    REQUIRE(write(STDERR_FILENO, "for nobody\n", 11) == 11);
    CHECK(capture.text() == "for nobody\n");
    const StderrCapture second;
    REQUIRE(write(STDERR_FILENO, "more\n", 5) == 5);
    CHECK(capture.text() == "for nobody\nmore\n");
    CHECK(second.text() == "more\n");
  }
  print_to_stderr("afterwards\n");
  CHECK(watch.seen() == "for the user\nafterwards\n");
}

TEST_CASE("a randomly changed file is an error or a picture of the size in its header") {
  std::mt19937 random(20240607);
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    for (int round = 0; round < 150; ++round) {
      Bytes file = sample.file;
      // The fields that can mislead are mostly at the start or end.
      const std::size_t reach = round % 2 == 0 ? std::min<std::size_t>(file.size(), 64) : file.size();
      for (std::size_t changes = 1 + random() % 4; changes > 0; --changes) {
        const std::size_t at = random() % reach;
        file[round % 3 == 0 ? file.size() - 1 - at : at] = static_cast<std::byte>(random());
      }
      CAPTURE(round);
      try {
        const PictureHeader header = read_picture_header(file);
        const Image image = decode_image(file, kMostDamagedPixels);
        const Shape shape = image.all().shape;
        CHECK(shape.h * shape.w == header.height * header.width);
        CHECK_FALSE(content(image).empty());
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::input);
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
      }
    }
  }
}
