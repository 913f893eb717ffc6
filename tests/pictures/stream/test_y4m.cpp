// YUV4MPEG2: headers, frames and planes.
#include <doctest/doctest.h>

#include <string>

#include "files/raster_values.h"
#include "pictures/stream/y4m.h"
#include "support/error_text.h"
#include "support/program.h"

namespace convtool {
namespace {

using testing::error_text;

Y4mHeader header_of(const std::string& line) {
  const TempFolder folder;
  StreamReader stream(folder.write("v", line));
  return read_y4m_header(stream);
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a header has the sizes of its planes, and comes back as it was") {
  struct Expected {
    std::string colours;
    int bits;
    std::vector<std::array<std::int64_t, 2>> sizes;  // of 7 x 5 luma, width and height
  };
  for (const Expected& expected :
       {Expected{"420", 8, {{7, 5}, {4, 3}, {4, 3}}}, Expected{"420jpeg", 8, {{7, 5}, {4, 3}, {4, 3}}},
        Expected{"420mpeg2", 8, {{7, 5}, {4, 3}, {4, 3}}}, Expected{"420paldv", 8, {{7, 5}, {4, 3}, {4, 3}}},
        Expected{"411", 8, {{7, 5}, {2, 5}, {2, 5}}}, Expected{"422", 8, {{7, 5}, {4, 5}, {4, 5}}},
        Expected{"444", 8, {{7, 5}, {7, 5}, {7, 5}}}, Expected{"444alpha", 8, {{7, 5}, {7, 5}, {7, 5}, {7, 5}}},
        Expected{"mono", 8, {{7, 5}}}, Expected{"mono16", 16, {{7, 5}}}, Expected{"420p9", 9, {{7, 5}, {4, 3}, {4, 3}}},
        Expected{"422p10", 10, {{7, 5}, {4, 5}, {4, 5}}}, Expected{"444p14", 14, {{7, 5}, {7, 5}, {7, 5}}}}) {
    CAPTURE(expected.colours);
    const std::string line = "YUV4MPEG2 W7 H5 F25:1 Ip A1:1 C" + expected.colours + " XYSCSS=any\n";
    const Y4mHeader header = header_of(line + "FRAME");
    CHECK(text_of(header.line()) == line);
    CHECK(header.bits == expected.bits);
    REQUIRE(header.planes.size() == expected.sizes.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < expected.sizes.size(); ++i) {
      const auto [width, height] = expected.sizes[i];
      CHECK(header.shape(i) == Shape{.n = 1, .c = 1, .h = height, .w = width});
      CHECK(header.layout(i).offset == size);
      size += static_cast<std::size_t>(width * height) * (expected.bits > 8 ? 2 : 1);
    }
    CHECK(header.frame_size() == size);
  }
  CHECK(header_of("YUV4MPEG2 H5 W7\n").planes.size() == 3);  // 4:2:0 where nothing is said
  CHECK(text_of(header_of("YUV4MPEG2 W7 H5 F25:1\n").resized(3, 2).line()) == "YUV4MPEG2 W3 H2 F25:1\n");
}

TEST_CASE("a damaged header is an error") {
  const auto message = [](const std::string& line) { return error_text(ErrorKind::input, [&] { header_of(line); }); };
  CHECK(message("YUV4MPEG2 W7") == "damaged or truncated YUV4MPEG2 (its first line has no end)");
  CHECK(message("YUV4MPEG2 W7 " + std::string(5000, 'X') + "\n") ==
        "damaged or truncated YUV4MPEG2 (its first line has no end)");
  CHECK(message("YUV4MPEG2 W7\n") == "damaged or truncated YUV4MPEG2 (a first line without width and height)");
  for (const std::string side : {"W0", "W-3", "W", "W7x", "W1048577", "W99999999999999999999"})
    CHECK(message("YUV4MPEG2 " + side + " H5\n") == "damaged or truncated YUV4MPEG2 (a size of '" + side + "')");
  for (const std::string colours : {"", "410", "420p11", "411p10", "420jpegp10", "444alphap10", "mono8", "444p"})
    CHECK(message("YUV4MPEG2 W7 H5 C" + colours + "\n") ==
          "a YUV4MPEG2 video of colours '" + colours +
              "' cannot be read (expected 420, 422, 444 or mono, of 8 to 16 bits, or 411); convert it, for example "
              "with ffmpeg -pix_fmt yuv420p");
}

TEST_CASE("frames are read with their lines, and errors name the frame and its offset") {
  const TempFolder folder;
  const std::string start = "YUV4MPEG2 W2 H1 Cmono\n", frames = "FRAME\nabFRAME Ip XC=1\ncd";
  const auto after = [&](const std::string& rest) {
    StreamReader stream(folder.write("v", start + frames + rest));
    const Y4mHeader header = read_y4m_header(stream);
    Y4mReader reader(stream, header);
    std::optional<Y4mFrame> frame = reader.next();
    REQUIRE(frame);
    CHECK(text_of({frame->line.data(), frame->line.size()}) == "FRAME\n");
    CHECK(text_of({frame->planes.data(), frame->planes.size()}) == "ab");
    frame = reader.next();
    REQUIRE(frame);
    CHECK(frame->number == 2);
    CHECK(text_of({frame->line.data(), frame->line.size()}) == "FRAME Ip XC=1\n");
    CHECK(text_of({frame->planes.data(), frame->planes.size()}) == "cd");
    if (rest.empty()) {
      CHECK_FALSE(reader.next());
      return std::string();
    }
    return error_text(ErrorKind::input, [&] { reader.next(); });
  };
  after("");
  const std::string where = "frame 3, at byte 46: ";
  for (const std::string cut : {"F", "FRAME", "FRAME Ip", "FRAME\n", "FRAME\nx"})
    CHECK(after(cut) == where + "the stream ends in the middle of it");
  for (const std::string other : {"\n", "x", "FRAMES\nxy", "frame\nxy", "P5 1 1 255\nx"})
    CHECK(after(other) == where + "expected a frame, which begins with FRAME");
  CHECK(after(start) == where + "another video begins; filter one at a time");
  CHECK(after("FRAME " + std::string(5000, 'x')) == where + "expected a frame, which begins with FRAME");
}

TEST_CASE("samples of every depth survive being loaded and stored") {
  for (const std::string colours : {"mono", "mono9", "mono10", "mono12", "mono14", "mono16"}) {
    CAPTURE(colours);
    const Y4mHeader probe = header_of("YUV4MPEG2 W1 H1 C" + colours + "\n");
    const std::int64_t count = std::int64_t{1} << probe.bits;
    const Y4mHeader header = probe.resized(count / 2, 2);  // every value once
    Bytes planes;
    for (std::int64_t value = 0; value < count; ++value)
      for (int i = 0; i < (probe.bits > 8 ? 2 : 1); ++i) planes.push_back(static_cast<std::byte>(value >> (8 * i)));
    const RasterLayout layout = header.layout(0);
    Tensor values(layout.dtype, layout.shape);
    load_raster(planes, layout, values.ref());
    Bytes stored(planes.size());
    store_y4m_plane(layout, std::as_const(values).ref(), stored);
    CHECK(stored == planes);
    if (probe.bits > 8) CHECK(values.data<std::uint16_t>()[count - 1] == probe.largest());
  }
}

}  // namespace convtool
