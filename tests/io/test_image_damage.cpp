// Files that are cut short, broken or made to mislead: never half a picture, never a crash, never a word on stderr.
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>

#include "core/error.h"
#include "io/image_header.h"
#include "io/image_io.h"
#include "io/sample_pictures.h"
#include "io/stderr_capture.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr std::int64_t kManyPixels = 1 << 20;

/// Every value of the picture, and its shape, in a form that can be compared.
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
    return content(decode_image(file, kManyPixels));
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return std::nullopt;
  }
}

/// A JPEG with whole headers and an end marker, but without the second half of its pixels.
Bytes hollow_jpeg() {
  Bytes file = opencv_file(".jpg", random_mat(64, 64, CV_8UC1));
  file.erase(file.begin() + static_cast<std::ptrdiff_t>(file.size() / 2), file.end() - 2);
  return file;
}

/// Collects what reaches standard error while it lives.
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

TEST_CASE("a picture cut at any length is an error or, short of spare bytes only, the same picture") {
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

TEST_CASE("a JPEG that ends in order but lacks data is damaged") {
  CHECK_FALSE(try_decode(hollow_jpeg()).has_value());
  CHECK_THROWS_WITH_AS(decode_image(hollow_jpeg(), kManyPixels),
                       "damaged or truncated JPEG (parts of its data make no sense)", Error);
}

TEST_CASE("stray bytes between the segments of a JPEG are passed over") {
  const Bytes file = opencv_file(".jpg", random_mat(16, 16, CV_8UC1));
  Bytes padded = file;
  padded.insert(padded.begin() + 20, 5, std::byte{0});  // after the JFIF segment of 18 bytes
  const auto expected = try_decode(file), got = try_decode(padded);
  REQUIRE(got.has_value());
  CHECK(*got == *expected);
}

TEST_CASE("each of several threads is told of its own picture's damage") {
  const Bytes good = opencv_file(".jpg", random_mat(64, 64, CV_8UC1)), bad = hollow_jpeg();
  const auto expected = try_decode(good);
  std::vector<int> wrong(8, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const bool is_good = (t + static_cast<std::size_t>(i)) % 2 == 0;
        const auto got = try_decode(is_good ? good : bad);
        if (is_good ? !got || *got != *expected : got.has_value()) ++wrong[t];
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(std::count(wrong.begin(), wrong.end(), 0) == static_cast<std::ptrdiff_t>(wrong.size()));
}

TEST_CASE("nothing that a codec prints reaches the user, but print_to_stderr() does") {
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

TEST_CASE("random changes to a file are an error or some picture of the size in the header") {
  std::mt19937 random(20240607);
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    for (int round = 0; round < 150; ++round) {
      Bytes file = sample.file;
      // Most of what can mislead stands at either end.
      const std::size_t reach = round % 2 == 0 ? std::min<std::size_t>(file.size(), 64) : file.size();
      for (std::size_t changes = 1 + random() % 4; changes > 0; --changes) {
        const std::size_t at = random() % reach;
        file[round % 3 == 0 ? file.size() - 1 - at : at] = static_cast<std::byte>(random());
      }
      CAPTURE(round);
      try {
        const PictureHeader header = read_picture_header(file);
        const Image image = decode_image(file, kManyPixels);
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
