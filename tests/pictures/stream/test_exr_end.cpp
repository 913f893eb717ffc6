// Where an OpenEXR file ends, of every kind that OpenEXR writes.
#include <ImfArray.h>
#include <ImfChannelList.h>
#include <ImfDeepFrameBuffer.h>
#include <ImfDeepScanLineOutputPart.h>
#include <ImfDeepTiledOutputPart.h>
#include <ImfFrameBuffer.h>
#include <ImfIO.h>
#include <ImfMultiPartOutputFile.h>
#include <ImfOutputPart.h>
#include <ImfPartType.h>
#include <ImfTiledOutputPart.h>
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "pictures/decode_image.h"
#include "pictures/exr_file.h"
#include "pictures/picture_type.h"
#include "pictures/sample_pictures.h"
#include "pictures/stream/exr_end.h"
#include "pictures/stream/joined_bytes.h"
#include "pictures/stream/lone_picture.h"
#include "support/error_text.h"

namespace convtool {
namespace {

using namespace testing;

class MemoryOutput : public Imf::OStream {
 public:
  MemoryOutput() : OStream("memory") {}
  void write(const char from[], int count) override {
    const auto size = static_cast<std::size_t>(count);
    bytes.resize(std::max(bytes.size(), at_ + size));
    std::memcpy(bytes.data() + at_, from, size);
    at_ += size;
  }
  std::uint64_t tellp() override { return at_; }
  void seekp(std::uint64_t position) override { at_ = position; }

  Bytes bytes;

 private:
  std::size_t at_ = 0;
};

struct Part {
  std::string type = Imf::SCANLINEIMAGE;
  int width = 9, height = 7;
  Imf::Compression compression = Imf::ZIP_COMPRESSION;
  Imf::TileDescription tiles = Imf::TileDescription(4, 3);
};

constexpr const char* kChannel = "Y";

Imf::Header header_of(const Part& part, const std::string& name) {
  const Imath::Box2i window({-2, 3}, {part.width - 3, part.height + 2});
  Imf::Header header(window, window);
  header.setName(name);
  header.setType(part.type);
  header.compression() = part.compression;
  header.channels().insert(kChannel, Imf::Channel(Imf::HALF));
  if (part.type == Imf::TILEDIMAGE || part.type == Imf::DEEPTILE) header.setTileDescription(part.tiles);
  return header;
}

/// Writes all tiles of all levels.
template <class TiledPart>
void write_levels(TiledPart& part) {
  for (int down = 0; down < part.numYLevels(); ++down)
    for (int across = 0; across < part.numXLevels(); ++across)
      if (part.isValidLevel(across, down))
        part.writeTiles(0, part.numXTiles(across) - 1, 0, part.numYTiles(down) - 1, across, down);
}

void write_part(Imf::MultiPartOutputFile& file, int number, const Part& part) {
  const auto count = static_cast<std::size_t>(part.width * part.height), row = static_cast<std::size_t>(part.width);
  constexpr std::uint16_t kOne = 0x3c00;  // in half
  // Where the pixel (0, 0) is, or would be: the window begins at (-2, 3).
  const auto origin = [&](auto& pixels) { return reinterpret_cast<char*>(pixels.data() + (2 - 3 * part.width)); };
  std::vector<std::uint16_t> pixels(count, kOne);
  if (part.type == Imf::SCANLINEIMAGE || part.type == Imf::TILEDIMAGE) {
    Imf::FrameBuffer buffer;
    buffer.insert(kChannel, Imf::Slice(Imf::HALF, origin(pixels), sizeof kOne, row * sizeof kOne));
    if (part.type == Imf::SCANLINEIMAGE) {
      Imf::OutputPart output(file, number);
      output.setFrameBuffer(buffer);
      output.writePixels(part.height);
    } else {
      Imf::TiledOutputPart output(file, number);
      output.setFrameBuffer(buffer);
      write_levels(output);
    }
    return;
  }
  std::vector<unsigned> samples(count, 1);
  std::vector<char*> places(count);
  for (std::size_t i = 0; i < count; ++i) places[i] = reinterpret_cast<char*>(&pixels[i]);
  Imf::DeepFrameBuffer buffer;
  buffer.insertSampleCountSlice(Imf::Slice(Imf::UINT, origin(samples), sizeof(unsigned), row * sizeof(unsigned)));
  buffer.insert(kChannel, Imf::DeepSlice(Imf::HALF, origin(places), sizeof(char*), row * sizeof(char*), sizeof kOne));
  if (part.type == Imf::DEEPSCANLINE) {
    Imf::DeepScanLineOutputPart output(file, number);
    output.setFrameBuffer(buffer);
    output.writePixels(part.height);
  } else {
    Imf::DeepTiledOutputPart output(file, number);
    output.setFrameBuffer(buffer);
    write_levels(output);
  }
}

Bytes written(const std::vector<Part>& parts) {
  std::vector<Imf::Header> headers;
  for (const Part& part : parts)
    headers.push_back(header_of(part, std::string(1, static_cast<char>('a' + headers.size()))));
  MemoryOutput output;
  {
    Imf::MultiPartOutputFile file(output, headers.data(), static_cast<int>(headers.size()));
    for (std::size_t i = 0; i < parts.size(); ++i) write_part(file, static_cast<int>(i), parts[i]);
  }
  return output.bytes;
}

/// Whether the end is found, whatever follows, and no file that lacks a byte has one.
void check_exr_end(const Bytes& file) {
  CHECK(find_exr_end(file) == file.size());
  CHECK(find_exr_end(file + to_bytes("x")) == file.size());
  CHECK(find_exr_end(file + file) == file.size());
  for (std::size_t size = 8; size < file.size(); size += 1 + size / 16)
    error_text(ErrorKind::input, [&] { find_exr_end(std::span(file).first(size)); });
  error_text(ErrorKind::input, [&] { find_exr_end(std::span(file).first(file.size() - 1)); });
}

}  // namespace

TEST_CASE("rows of every compression end with their file") {
  for (int compression = 0; compression < Imf::NUM_COMPRESSION_METHODS; ++compression)
    for (const int height : {1, 7, 33, 300}) {
      CAPTURE(compression);
      CAPTURE(height);
      check_exr_end(written({{.height = height, .compression = static_cast<Imf::Compression>(compression)}}));
    }
}

TEST_CASE("tiles of every kind of level end with their file") {
  for (const Imf::LevelMode mode : {Imf::ONE_LEVEL, Imf::MIPMAP_LEVELS, Imf::RIPMAP_LEVELS})
    for (const Imf::LevelRoundingMode rounding : {Imf::ROUND_DOWN, Imf::ROUND_UP})
      for (const auto& size : {std::pair{1, 1}, {8, 8}, {9, 7}, {1, 33}, {31, 2}, {64, 65}}) {
        const int width = size.first, height = size.second;
        CAPTURE(mode);
        CAPTURE(rounding);
        CAPTURE(width);
        check_exr_end(
            written({{.type = Imf::TILEDIMAGE, .width = width, .height = height, .tiles = {4, 3, mode, rounding}}}));
      }
}

TEST_CASE("a file without the end of levels or parts that are not decoded is damaged") {
  const Part rows = {.width = 31, .height = 40};
  for (const Imf::LevelMode mode : {Imf::MIPMAP_LEVELS, Imf::RIPMAP_LEVELS}) {
    const Part tiles = {.type = Imf::TILEDIMAGE, .width = 31, .height = 40, .tiles = {4, 3, mode}};
    for (const std::vector<Part>& parts : {std::vector<Part>{tiles}, {rows, rows}, {rows, tiles}}) {
      const Bytes file = written(parts);
      CHECK(decode_image(file, 1 << 20).dtype() == DType::f32);
      for (std::size_t missing : {std::size_t{1}, std::size_t{50}, file.size() / 4})
        CHECK(error_text(ErrorKind::input, [&] {
                decode_image(std::span(file).first(file.size() - missing), 1 << 20);
              }).find("damaged or truncated") != std::string::npos);
    }
  }
}

TEST_CASE("deep pixels, and files of several parts end with their file") {
  const Part rows, tiles = {.type = Imf::TILEDIMAGE, .tiles = {4, 3, Imf::RIPMAP_LEVELS}},
                   deep_rows = {.type = Imf::DEEPSCANLINE, .compression = Imf::ZIPS_COMPRESSION},
                   deep_tiles = {.type = Imf::DEEPTILE, .compression = Imf::NO_COMPRESSION};
  check_exr_end(written({deep_rows}));
  check_exr_end(written({deep_tiles}));
  check_exr_end(written({rows, tiles}));
  check_exr_end(written({deep_tiles, rows, deep_rows}));
  check_exr_end(written({tiles, tiles, rows}));
}

TEST_CASE("sample pictures in OpenEXR end with their file, and zeros are padding") {
  int found = 0;
  for (const Sample& sample : sample_pictures()) {
    if (sniff_picture_type(sample.file) != PictureType::exr) continue;
    CAPTURE(sample.name);
    ++found;
    CHECK(find_lone_picture_end(sample.file) == sample.file.size());
    CHECK(find_lone_picture_end(sample.file + Bytes(3)) == sample.file.size() + 3);
    CHECK(find_lone_picture_end(sample.file + Bytes(3) + to_bytes("x")) == sample.file.size());
    CHECK_FALSE(find_lone_picture_end(std::span(sample.file).first(sample.file.size() - 1)));
  }
  CHECK(found >= 6);
}

TEST_CASE("an OpenEXR without the offset of a chunk, or with a false number of chunks, has no end") {
  const Bytes file = exr_file({{"Y", std::vector<float>(6, 1)}}, 2, 3);
  constexpr std::size_t kRow = 8 + 2 * 4, kOffset = 8;
  const std::size_t table = file.size() - 3 * (kRow + kOffset);
  const auto message = [&](std::size_t at, std::uint64_t offset) {
    Bytes changed = file;
    for (std::size_t i = 0; i < kOffset; ++i) changed[at + i] = static_cast<std::byte>(offset >> (8 * i));
    return error_text(ErrorKind::input, [&] { find_exr_end(changed); });
  };
  REQUIRE(find_exr_end(file) == file.size());
  CHECK(message(table + kOffset, 0) == "damaged or truncated OpenEXR (a chunk without an offset)");
  CHECK(message(table + kOffset, file.size() - 7) == "damaged or truncated OpenEXR (it ends too early)");
  CHECK(message(table + kOffset, ~std::uint64_t{0}) == "damaged or truncated OpenEXR (it ends too early)");
  const Bytes count = exr_attribute("chunkCount", "int", ByteWriter().u32(4).bytes());
  CHECK(error_text(ErrorKind::input, [&] {
          find_exr_end(exr_file({{"Y", std::vector<float>(6, 1)}}, 2, 3, 1, count));
        }) == "damaged or truncated OpenEXR (another number of chunks than its size)");
}

}  // namespace convtool
