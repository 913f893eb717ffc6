// Where a picture ends that no other may follow.
#include <doctest/doctest.h>

#include <string>

#include "pictures/picture_type.h"
#include "pictures/sample_pictures.h"
#include "pictures/stream/joined_bytes.h"
#include "pictures/stream/lone_picture.h"
#include "pictures/stream/picture_stream.h"
#include "support/picture_bytes.h"

namespace convtool {
namespace {

using namespace testing;

/// `file` with another number at `at`, of four bytes.
Bytes with_number(Bytes file, std::size_t at, std::uint32_t number) {
  for (int i = 0; i < 4; ++i) file[at + static_cast<std::size_t>(i)] = static_cast<std::byte>(number >> (8 * i));
  return file;
}

constexpr std::size_t kBmpFileSize = 2, kBmpPixelBytes = 34;

}  // namespace

TEST_CASE("a picture alone ends with its file, whatever follows") {
  int found = 0;
  for (const Sample& sample : sample_pictures()) {
    const std::optional<PictureType> type = sniff_picture_type(sample.file);
    if (type != PictureType::bmp && type != PictureType::webp && type != PictureType::pfm) continue;
    if (sample.name.find("run lengths") != std::string::npos) continue;  // below
    CAPTURE(sample.name);
    ++found;
    CHECK(find_lone_picture_end(sample.file) == sample.file.size());
    CHECK(find_lone_picture_end(sample.file + to_bytes("x")) == sample.file.size());
    CHECK(find_lone_picture_end(sample.file + sample.file) == sample.file.size());
    for (std::size_t size = 2; size < sample.file.size(); ++size)
      CHECK_FALSE(find_lone_picture_end(std::span(sample.file).first(size)));
  }
  CHECK(found >= 10);
}

TEST_CASE("the end of other pictures is not looked for here") {
  for (const Sample& sample : sample_pictures())
    if (PictureStream::can_follow(sample.file)) CHECK_FALSE(find_lone_picture_end(sample.file));
  CHECK_FALSE(find_lone_picture_end({}));
}

TEST_CASE("a BMP ends after its pixels where its header has no size, and zeros are padding") {
  const Bytes file = opencv_file(".bmp", random_mat(7, 9, CV_8UC3));
  for (const std::uint32_t size : {0u, 1u, 54u}) {
    const Bytes changed = with_number(file, kBmpFileSize, size);
    CHECK(find_lone_picture_end(changed) == file.size());
    CHECK(find_lone_picture_end(changed + to_bytes("x")) == file.size());
    CHECK(find_lone_picture_end(changed + changed) == file.size());
    CHECK(find_lone_picture_end(changed + Bytes(5)) == file.size() + 5);
  }
  // What the size covers belongs to the file, pixels or not.
  const Bytes longer = with_number(file + to_bytes("ab"), kBmpFileSize, static_cast<std::uint32_t>(file.size() + 2));
  CHECK(find_lone_picture_end(longer + to_bytes("c")) == file.size() + 2);
  // A size of 2^64 bytes, and a profile outside the file.
  CHECK_FALSE(find_lone_picture_end(with_number(with_number(file, 18, 0x7fffffff), 22, 0x80000000)));

  const Bytes lengths = bmp_file({.width = 2, .height = 1, .bits = 8, .compression = 1, .pixels = to_bytes("\2\1")});
  CHECK_FALSE(find_lone_picture_end(with_number(lengths, kBmpPixelBytes, 0)));
  CHECK(find_lone_picture_end(with_number(lengths, kBmpPixelBytes, 2) + to_bytes("x")) == lengths.size());
}

TEST_CASE("a WebP of odd size has a byte of padding, which may be missing") {
  const Bytes file = to_bytes(std::string("RIFF\x05\0\0\0WEBPx", 13));
  CHECK(find_lone_picture_end(file) == 13);
  CHECK(find_lone_picture_end(file + Bytes(1)) == 14);
  CHECK(find_lone_picture_end(file + Bytes(2)) == 14);
}

}  // namespace convtool
