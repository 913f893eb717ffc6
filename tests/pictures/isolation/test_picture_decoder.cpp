#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pictures/compression.h"
#include "pictures/decode_image.h"
#include "pictures/image_header.h"
#include "pictures/isolation/picture_decoder.h"
#include "pictures/pixel_values.h"
#include "pictures/sample_pictures.h"
#include "support/picture_bytes.h"
#include "support/program.h"
#include "support/skip.h"

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

TEST_CASE("a child process decodes a TIFF on as many threads as it is told, to the same picture or error") {
  isolated();
  std::vector<Bytes> blocks;
  for (std::size_t i = 0; i < 100; ++i) blocks.push_back(deflate(testing::counting_bytes(12000 + i), 1, std::nullopt));
  for (const bool is_damaged : {false, true}) {
    if (is_damaged) blocks[77].resize(20);
    const Bytes file =
        testing::tiff_file({.width = 1200, .height = 1000, .rows_per_strip = 10, .compression = 8, .blocks = blocks});
    const PictureHeader header = read_small_header(file, 1 << 21);
    CHECK(header.most_threads == 2);  // for 1.2 MB
    const std::string expected = outcome([&] { return decode_image(file, header); });
    for (const int threads : {1, 2, 16, 0})
      CHECK((outcome([&] { return isolated().decode({.bytes = file, .file = {}}, header, threads); }) == expected));
  }
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

namespace {

/// What `work` returns under a limit on the size of files, which holds for memory that is shared, too.
template <class Work>
auto with_small_files(rlim_t limit, const Work& work) {
  struct rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const struct rlimit small = {limit, before.rlim_max};
  void (*const handler)(int) = signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto result = work();
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, handler);
  return result;
}

}  // namespace

TEST_CASE("where no memory can be shared, auto decodes in this process with a warning, and always is an error") {
  isolated();
  const Bytes file = testing::tiff_file({.width = 3, .height = 2, .blocks = {testing::counting_bytes(6)}});
  const PictureHeader header = read_small_header(file, 1000);
  for (const bool is_prepared : {true, false}) {
    CAPTURE(is_prepared);
    PictureDecoder automatic(Isolation::automatic), always(Isolation::always);
    const std::string with_auto = with_small_files(0, [&] {
      if (is_prepared) automatic.prepare();
      return outcome([&] { return automatic.decode({.bytes = file, .file = {}}, header); });
    });
    CHECK(with_auto == plain_outcome(file));
    const std::optional<Remark> remark = automatic.remark_on(PictureType::tiff);
    REQUIRE(remark);
    CHECK(remark->once);
    CHECK(remark->text.find("decoded in the program itself, which a damaged file may crash: the system grants no") ==
          0);
    CHECK(!automatic.remark_on(PictureType::png));
    const std::string with_always = with_small_files(0, [&] {
      return outcome([&] {
        if (is_prepared) always.prepare();
        return always.decode({.bytes = file, .file = {}}, header);
      });
    });
    CHECK(with_always.find("usage: --isolate: the system grants no process for a decoder (") == 0);
  }
}

TEST_CASE("a picture that gets no process although others can is an error, and is not decoded in this process") {
  const Bytes file = testing::tiff_file({.width = 3, .height = 2, .blocks = {testing::counting_bytes(6)}});
  const PictureHeader header = read_small_header(file, 1000);
  const std::string got = with_small_files(
      1, [&] { return outcome([&] { return isolated().decode({.bytes = file, .file = {}}, header); }); });
  CHECK(got.find("input: the process that decodes it needs 1 MiB of shared memory, more than 'ulimit -f' allows") == 0);
  CHECK(!isolated().remark_on(PictureType::tiff));
  CHECK(isolated_outcome(file) == plain_outcome(file));
}

TEST_CASE("where a library has started a thread, that is the reason") {
  if (!kHasSandbox) return skip("sanitizers have a thread of their own");
  std::atomic<bool> ends = false;
  const std::jthread thread([&] { ends.wait(false); });
  PictureDecoder automatic(Isolation::automatic), always(Isolation::always);
  automatic.prepare();
  const std::string refused = outcome([&]() -> Image {
    always.prepare();
    throw Error(ErrorKind::internal, "", "not refused");
  });
  ends = true;
  ends.notify_all();
  const std::string reason = "a library has started a thread";
  CHECK(refused.find("usage: --isolate: " + reason) == 0);
  REQUIRE(automatic.remark_on(PictureType::webp));
  CHECK(automatic.remark_on(PictureType::webp)->text.find(reason) != std::string::npos);
}

}  // namespace convtool
