// Rows of pictures against the whole pictures.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <new>
#include <random>
#include <string>

#include "pictures/picture_rows.h"
#include "pictures/sample_pictures.h"
#include "support/program.h"
#include "support/random.h"
#include "support/row_comparison.h"
#include "support/skip.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr std::int64_t kMostRowPixels = 1 << 20;

std::optional<Image> decode_or_refuse(std::span<const std::byte> file) {
  try {
    return decode_image(file, kMostRowPixels);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("rows of PNG and JPEG of every kind are those of the whole picture") {
  Random random(1);
  int pictures = 0;
  for (const int type : {CV_8UC1, CV_8UC3, CV_8UC4, CV_16UC1, CV_16UC3, CV_16UC4})
    for (const std::string extension : {".png", ".jpg"})
      for (const auto& size : {std::pair{1, 1}, {1, 300}, {90, 1}, {33, 57}, {200, 1001}}) {
        const int height = size.first, width = size.second;
        if (extension == ".jpg" && type != CV_8UC1 && type != CV_8UC3) continue;
        const Bytes file = opencv_file(extension, random_mat(height, width, type));
        const PictureHeader header = read_picture_header(file);
        const Image whole = decode_image(file, kMostRowPixels);
        for (const std::int64_t part : {std::int64_t{1}, random.between(1, 40), std::int64_t{height}}) {
          CAPTURE(type);
          CAPTURE(extension);
          CAPTURE(height);
          CAPTURE(part);
          REQUIRE(read_rows(file, header, part).has_value());
          CHECK(compare_rows(file, header, whole, part) == "");
          ++pictures;
        }
      }
  CHECK(pictures == 8 * 5 * 3);
}

TEST_CASE("rows of samples of every kind, truncated and changed, are those of the whole picture or left to it") {
  std::mt19937 random(20261128);
  int by_rows = 0, damaged = 0;
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    const std::optional<Image> whole = decode_or_refuse(sample.file);
    REQUIRE(whole.has_value());
    const PictureHeader header = read_picture_header(sample.file);
    const bool is_by_rows = open_picture_rows(sample.file, header, ColourOrder::rgb) != nullptr;
    CHECK(compare_rows(sample.file, header, whole, 2) == "");
    by_rows += is_by_rows ? 1 : 0;
    if (!is_by_rows) continue;
    for (int round = 0; round < 300; ++round) {
      CAPTURE(round);
      Bytes file = sample.file;
      if (round % 3 == 0)
        file.resize(random() % file.size());
      else
        file[random() % file.size()] ^= static_cast<std::byte>(1 + random() % 255);
      try {
        const PictureHeader changed = read_small_header(file, kMostRowPixels);
        const std::optional<Image> decoded = decode_or_refuse(file);
        damaged += decoded ? 0 : 1;
        CHECK(compare_rows(file, changed, decoded, 3) == "");
      } catch (const Error&) {  // by the header
      }
    }
  }
  CHECK(by_rows >= 9);  // 3 of PNG, 6 of JPEG
  CHECK(damaged > 100);
}

TEST_CASE("nothing of a JPEG is decoded before the first row is read") {
  for (const int progressive : {0, 1}) {
    CAPTURE(progressive);
    Bytes file = opencv_file(".jpg", random_mat(90, 70, CV_8UC3), {cv::IMWRITE_JPEG_PROGRESSIVE, progressive});
    const PictureHeader header = read_picture_header(file);
    file.resize(file.size() / 2);  // which decoding finds
    const std::unique_ptr<PictureRows> rows = open_picture_rows(file, header, ColourOrder::rgb);
    REQUIRE(rows != nullptr);
    Tensor memory(DType::u8, {.n = 1, .c = 3, .h = 90, .w = 70});
    CHECK(!rows->read(channels_last(memory)));
  }
}

TEST_CASE("rows for which libjpeg has no memory are not taken for damage") {
  if (!kMemoryIsTheProgramsOwn) return skip("sanitizers reserve more than any limit allows, QEMU ignores limits");
  // A small file whose frame header claims a side of 20,000 pixels: the coefficients of luma take 800 MB.
  constexpr int kSide = 20'000;
  Bytes file = opencv_file(".jpg", random_mat(16, 16, CV_8UC3), {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const std::byte frame[] = {std::byte{0xff}, std::byte{0xc2}};  // then its size, the precision, height and width
  const auto at = std::search(file.begin(), file.end(), std::begin(frame), std::end(frame));
  REQUIRE(at != file.end());
  for (const std::ptrdiff_t side : {5, 7}) {
    at[side] = static_cast<std::byte>(kSide >> 8);
    at[side + 1] = static_cast<std::byte>(kSide & 0xff);
  }
  const PictureHeader header = read_picture_header(file);
  const std::unique_ptr<PictureRows> rows = open_picture_rows(file, header, ColourOrder::rgb);
  REQUIRE(rows != nullptr);
  Tensor memory(DType::u8, {.n = 1, .c = 3, .h = 1, .w = kSide});
  struct rlimit before;
  REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  REQUIRE(pages > 0);
  struct rlimit tight = before;
  tight.rlim_cur = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (10 << 20);
  REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
  bool has_no_memory = false;
  try {
    static_cast<void>(rows->read(channels_last(memory)));
  } catch (const std::bad_alloc&) {
    has_no_memory = true;
  }
  setrlimit(RLIMIT_AS, &before);
  CHECK(has_no_memory);
}

TEST_CASE("pictures that are not upright or not in rows are left to decode_image()") {
  const auto is_left = [](const Bytes& file) {
    return open_picture_rows(file, read_picture_header(file), ColourOrder::rgb) == nullptr;
  };
  CHECK(is_left(opencv_file(".tif", random_mat(7, 9, CV_8UC3))));
  CHECK(is_left(opencv_file(".webp", random_mat(7, 9, CV_8UC3))));
  for (const Sample& sample : sample_pictures())
    if (sample.name == "png interlaced") CHECK(is_left(sample.file));
  const Bytes upright = opencv_file(".png", random_mat(7, 9, CV_8UC3));
  PictureHeader turned = read_picture_header(upright);
  CHECK(open_picture_rows(upright, turned, ColourOrder::rgb) != nullptr);
  turned.orientation = Orientation::right_top;
  CHECK(open_picture_rows(upright, turned, ColourOrder::rgb) == nullptr);
}
