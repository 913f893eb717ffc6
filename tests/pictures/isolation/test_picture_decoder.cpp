#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>

#include "pictures/decode_image.h"
#include "pictures/image_header.h"
#include "pictures/isolation/picture_decoder.h"
#include "pictures/pixel_values.h"
#include "pictures/sample_pictures.h"
#include "support/program.h"

namespace convtool {
namespace {

using testing::sample_pictures;

/// Ready before OpenCV, which makes the pictures of these tests, has threads.
PictureDecoder& isolated() {
  static PictureDecoder decoder(Isolation::always);
  decoder.prepare();
  return decoder;
}

/// The picture, its type and its channels in words, or the error and its kind.
std::string outcome(const std::function<Image()>& decode) {
  try {
    const Image image = decode();
    std::string text = std::string(to_string(image.dtype())) + " " + std::string(to_string(image.format())) + " " +
                       to_string(image.all().shape);
    for (const double value : testing::values(image.all())) text += " " + std::to_string(value);
    return text;
  } catch (const Error& error) {
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
}

std::string isolated_outcome(const Bytes& file) {
  return outcome([&] { return isolated().decode({.bytes = file, .file = {}}, read_small_header(file, 1000)); });
}

std::string plain_outcome(const Bytes& file) {
  return outcome([&] { return decode_image(file, read_small_header(file, 1000)); });
}

}  // namespace

TEST_CASE("every kind of picture is the same in a child process, and so are the errors of damaged ones") {
  isolated();
  int pictures = 0, errors = 0;
  for (const testing::Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    const std::string whole = isolated_outcome(sample.file);
    CHECK(whole == plain_outcome(sample.file));
    pictures += whole.find("input: ") != 0;
    Bytes cut = sample.file;
    cut.resize(cut.size() * 9 / 10);
    const std::string damaged = isolated_outcome(cut);
    CHECK(damaged == plain_outcome(cut));
    errors += damaged.find("input: ") == 0;
  }
  CHECK(pictures > 40);
  CHECK(errors > 40);
}

TEST_CASE("turned pictures and grey with alpha, which are copies of what is decoded, are the same") {
  isolated();
  const Bytes pixels = testing::counting_bytes(6);
  for (std::uint32_t orientation = 1; orientation <= 8; ++orientation) {
    const Bytes file = testing::tiff_file({.width = 3, .height = 2, .orientation = orientation, .blocks = {pixels}});
    CHECK(isolated_outcome(file) == plain_outcome(file));
  }
  testing::ByteWriter rows;
  for (int y = 0; y < 2; ++y) rows.u8(0).append(testing::counting_bytes(6));
  const Bytes grey_alpha = testing::png_file({.width = 3, .height = 2, .colour_type = 4, .rows = rows.bytes()});
  CHECK(isolated_outcome(grey_alpha) == plain_outcome(grey_alpha));
  CHECK(isolated_outcome(grey_alpha).find("u8 grey and alpha 2x2x3") == 0);
}

TEST_CASE("a regular file is read by the child itself; if it changes, that is the error") {
  isolated();
  const TempFolder folder;
  const Bytes file = testing::tiff_file({.width = 3, .height = 2, .blocks = {testing::counting_bytes(6)}});
  const std::string path = folder.file("a.tif");
  write_file(path, file);
  FileContent content = read_and_keep_file(path);
  REQUIRE(content.file);
  const PictureHeader header = read_small_header(content.bytes, 1000);
  CHECK(outcome([&] { return isolated().decode(content, header); }) == plain_outcome(file));
  std::filesystem::resize_file(path, file.size() - 1);
  CHECK(outcome([&] { return isolated().decode(content, header); }) ==
        "input: changed while it was being read; run again when it is complete");
  std::filesystem::resize_file(path, 0);  // reading it ends the child by SIGBUS
  CHECK(outcome([&] { return isolated().decode(content, header); }) ==
        "input: changed while it was being read; run again when it is complete");
}

TEST_CASE("pixels in shared memory can be written to, and outlive the decoder") {
  isolated();
  const Bytes file = testing::tiff_file({.width = 3, .height = 2, .blocks = {testing::counting_bytes(6)}});
  const Image image = isolated().decode({.bytes = file, .file = {}}, read_small_header(file, 1000));
  const Image copy = image;
  *static_cast<std::uint8_t*>(image.all().data) = 99;
  CHECK(testing::values(copy.all()) == std::vector<double>{99, 7, 14, 21, 28, 35});
}

// A limit on the size of files holds for memory that is shared, too.
TEST_CASE("where no memory can be shared, auto decodes in this process, and always is an error") {
  PictureDecoder automatic(Isolation::automatic);
  isolated();
  const Bytes file = testing::tiff_file({.width = 3, .height = 2, .blocks = {testing::counting_bytes(6)}});
  const PictureHeader header = read_small_header(file, 1000);
  struct rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const struct rlimit none = {0, before.rlim_max};
  void (*const handler)(int) = signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
  const std::string with_auto = outcome([&] { return automatic.decode({.bytes = file, .file = {}}, header); });
  const std::string with_always = outcome([&] { return isolated().decode({.bytes = file, .file = {}}, header); });
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, handler);
  CHECK(with_auto == plain_outcome(file));
  CHECK(with_always.find("usage: --isolate: the system grants no process for a decoder (") == 0);
}

}  // namespace convtool
