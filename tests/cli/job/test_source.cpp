// Inputs that can be read in bands, recognised by their headers.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "cli/job/source.h"
#include "support/error_text.h"
#include "support/program.h"

using namespace convtool;
using convtool::testing::error_text;

namespace {

constexpr std::int64_t kMany = std::int64_t{1} << 60;

std::string npy_text(const std::string& shape, std::size_t bytes) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + std::string(bytes, '\0');
}

}  // namespace

TEST_CASE("an input is a raster by its content; where a name decides on its kind, by that") {
  const TempFolder folder;
  const auto is_raster = [&](const std::string& name, const std::string& content) {
    return open_raster_source(folder.write(name, content), kMany).has_value();
  };
  const std::string grey = "P5\n10 10\n255\n" + std::string(100, 'x'), tensor = npy_text("(2, 3, 5)", 120);
  CHECK(is_raster("a.pgm", grey));
  CHECK(is_raster("a.png", grey));
  CHECK(is_raster("a", tensor));
  CHECK(is_raster("a.json", tensor));
  CHECK(!is_raster("a.npy", grey));
  CHECK(!is_raster("a.json", grey));
  CHECK(!is_raster("b.pgm", grey.substr(0, 112)));
  CHECK(!is_raster("b.npy", npy_text("(2, 3, 5)", 119)));
  CHECK(!is_raster("b.pgm", "P2\n10 10\n255\n" + std::string(100, '7')));
  CHECK(!is_raster("b", std::string(100, ' ') + "[[1]]"));
  CHECK(!is_raster("b", "BM" + std::string(100, 'x')));
  CHECK(!is_raster("b", ""));
  CHECK(!open_raster_source(folder.file("none"), kMany));
  CHECK(!open_raster_source(folder.path().string(), kMany));
  CHECK(!open_raster_source("-", kMany));
  CHECK(!open_raster_source("/dev/null", kMany));
  REQUIRE(mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK(!open_raster_source(folder.file("pipe"), kMany));
}

TEST_CASE("the header of a raster is that of the whole file") {
  const TempFolder folder;
  for (const std::string& content :
       {"P6\n6 7\n255\n" + std::string(126, 'x'), "P5\n10 10\n1023\n" + std::string(200, 'x') + "P4 1 1 x",
        "P4\n100 10\n" + std::string(130, 'x'), "PF\n6 7\n1\n" + std::string(504, 'x'), npy_text("(2, 3, 5)", 120),
        npy_text("(2, 3, 5, 1)", 120), npy_text("(6, 5)", 120)}) {
    CAPTURE(content.substr(0, 80));
    const std::optional<RasterSource> source = open_raster_source(folder.write("input", content), kMany);
    REQUIRE(source);
    const SourceHeader whole = read_source_header(std::as_bytes(std::span(content)), "input", 1000);
    CHECK(source->header.shape == whole.shape);
    CHECK(source->header.rank == whole.rank);
    CHECK(source->header.dtype == whole.dtype);
    CHECK(source->header.format.name() == whole.format.name());
    REQUIRE(source->header.picture.has_value() == whole.picture.has_value());
    if (whole.picture) CHECK(source->header.picture->pages == whole.picture->pages);
    CHECK(source->reader.layout().shape == whole.shape);
    CHECK(source->reader.layout().dtype == whole.dtype);
  }
}

TEST_CASE("a raster has no limit of pixels but --max-pixels") {
  const TempFolder folder;
  const std::string picture = folder.write("large.pgm", "P5\n100000 100000\n255\n");
  REQUIRE(truncate(picture.c_str(), 21 + std::int64_t{10'000'000'000}) == 0);
  CHECK(open_raster_source(picture, 10'000'000'000));
  CHECK(error_text(ErrorKind::input, [&] { open_raster_source(picture, 9'999'999'999); }) ==
        "100000x100000 is 10000000000 pixels (at most 9999999999); raise --max-pixels");
  const std::string tensor = folder.write("large.npy", npy_text("(100000, 100000)", 0));
  REQUIRE(truncate(tensor.c_str(), 128 + std::int64_t{40'000'000'000}) == 0);
  CHECK(open_raster_source(tensor, 10'000'000'000));
  CHECK(error_text(ErrorKind::input, [&] { open_raster_source(tensor, 9'999'999'999); }) ==
        "100000x100000 is more than 9999999999 pixels; raise --max-pixels");
}
