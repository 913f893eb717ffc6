// Where a TIFF ends: every file of libtiff and OpenCV at its last byte, and the parts that others put after the pixels.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/picture_type.h"
#include "pictures/sample_pictures.h"
#include "pictures/stream/joined_bytes.h"
#include "pictures/stream/lone_picture.h"
#include "pictures/stream/tiff_end.h"
#include "pictures/tiff/libtiff_file.h"
#include "support/error_text.h"

namespace convtool {
namespace {

using namespace testing;

constexpr std::size_t kSide = 32;  // of the pictures that libtiff writes

enum class Layout { strips, tiles, planes };

struct Kind {
  bool big = false;
  Layout layout = Layout::strips;
  int compression = COMPRESSION_NONE;
  int pages = 1;
  bool has_profile = false, has_thumbnail = false, has_exif = false;
};

/// Sets the tags of a page of RGB, and writes its pixels.
void write_pixels(TIFF* tiff, const Kind& kind, std::uint8_t first) {
  const bool planar = kind.layout == Layout::planes;
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, kSide);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, kSide);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 3);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, kind.compression);
  if (kind.layout == Layout::tiles) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 8);
  }
  Bytes block(kSide * kSide * 3);
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>(first + i * i / 7);
  const std::uint32_t blocks = kind.layout == Layout::tiles ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const tmsize_t size = kind.layout == Layout::tiles ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    REQUIRE((kind.layout == Layout::tiles ? TIFFWriteEncodedTile(tiff, i, block.data(), size)
                                          : TIFFWriteEncodedStrip(tiff, i, block.data(), size)) == size);
  }
}

/// A file as libtiff writes it.
Bytes libtiff_file(const Kind& kind) {
  TiffOutput output(kind.big, 0);
  TIFF* const tiff = output.get();
  const Bytes profile = counting_bytes(301);
  for (int page = 0; page < kind.pages; ++page) {
    if (kind.has_thumbnail) {
      std::uint64_t place = 0;
      REQUIRE(TIFFSetField(tiff, TIFFTAG_SUBIFD, 1, &place) == 1);
    }
    if (kind.has_profile)
      TIFFSetField(tiff, TIFFTAG_ICCPROFILE, static_cast<std::uint32_t>(profile.size()), profile.data());
    write_pixels(tiff, kind, static_cast<std::uint8_t>(page));
    REQUIRE(TIFFWriteDirectory(tiff) == 1);
    if (!kind.has_thumbnail) continue;
    write_pixels(tiff, kind, 77);
    REQUIRE(TIFFWriteDirectory(tiff) == 1);
  }
  if (kind.has_exif) {
    std::uint64_t place = 0;
    REQUIRE(TIFFCreateEXIFDirectory(tiff) == 0);
    REQUIRE(TIFFSetField(tiff, EXIFTAG_SPECTRALSENSITIVITY, "a text that does not fit into the entry") == 1);
    REQUIRE(TIFFWriteCustomDirectory(tiff, &place) == 1);
    REQUIRE(TIFFSetDirectory(tiff, 0) == 1);
    REQUIRE(TIFFSetField(tiff, TIFFTAG_EXIFIFD, place) == 1);
    REQUIRE(TIFFRewriteDirectory(tiff) == 1);
  }
  const Bytes file = output.finish();
  REQUIRE_FALSE(file.empty());
  return file;
}

/// Whether the end is found, whatever follows.
void check_tiff_end(const Bytes& file) {
  CHECK(find_tiff_end(file) == file.size());
  CHECK(find_tiff_end(file + to_bytes("x")) == file.size());
  CHECK(find_tiff_end(file + file) == file.size());
}

/// A picture of two pixels, its pixels last.
Bytes small_file(const std::vector<TiffEntry>& more, bool big_endian = false) {
  return tiff_file({.big_endian = big_endian,
                    .width = 2,
                    .height = 1,
                    .directory_first = true,
                    .more = more,
                    .blocks = {to_bytes("ab")}});
}

std::string message(std::span<const std::byte> file) {
  return error_text(ErrorKind::input, [&] { find_tiff_end(file); });
}

}  // namespace

TEST_CASE("files of libtiff end at their last byte") {
  for (const bool big : {false, true})
    for (const Layout layout : {Layout::strips, Layout::tiles, Layout::planes})
      for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_JPEG})
        for (const int pages : {1, 3})
          for (int parts = 0; parts < 8; ++parts) {
            CAPTURE(big);
            CAPTURE(static_cast<int>(layout));
            CAPTURE(compression);
            CAPTURE(pages);
            CAPTURE(parts);
            check_tiff_end(libtiff_file({.big = big,
                                         .layout = layout,
                                         .compression = compression,
                                         .pages = pages,
                                         .has_profile = (parts & 1) != 0,
                                         .has_thumbnail = (parts & 2) != 0,
                                         .has_exif = (parts & 4) != 0}));
          }
}

TEST_CASE("sample pictures in TIFF, those of OpenCV among them, end with their file, and zeros are padding") {
  int found = 0;
  for (const Sample& sample : sample_pictures()) {
    if (sniff_picture_type(sample.file) != PictureType::tiff) continue;
    CAPTURE(sample.name);
    ++found;
    check_tiff_end(sample.file);
    CHECK(find_lone_picture_end(sample.file) == sample.file.size());
    CHECK(find_lone_picture_end(sample.file + Bytes(3)) == sample.file.size() + 3);
    CHECK(find_lone_picture_end(sample.file + Bytes(3) + to_bytes("x")) == sample.file.size());
    // The link at the end of a directory may be missing.
    for (std::size_t size = 8; size + 4 < sample.file.size(); ++size)
      CHECK_FALSE(find_lone_picture_end(std::span(sample.file).first(size)));
  }
  CHECK(found >= 15);
}

TEST_CASE("whatever a directory points to belongs to the file") {
  const auto at_end = [](std::uint32_t tag, std::uint32_t type, const std::vector<TiffEntry>& sizes = {}) {
    const auto with = [&](std::uint32_t place) {
      std::vector<TiffEntry> more = {{tag, type, {place}}};
      more.insert(more.end(), sizes.begin(), sizes.end());
      return small_file(more);
    };
    return with(static_cast<std::uint32_t>(with(0).size()));
  };
  const Bytes directory = ByteWriter().u16(1).u16(37500).u16(7).u32(4).text("abcd").u32(0).bytes();
  const Bytes codes = ByteWriter().text(std::string(15, '\1')).u8(5).text("the twenty values...").bytes();
  struct Part {
    std::string name;
    Bytes before, part;
  };
  std::vector<Part> parts = {
      {"pages below this one", at_end(330, 4), directory},
      {"pages below this one, by type", at_end(330, 13), directory},
      {"EXIF", at_end(34665, 4), directory},
      {"GPS", at_end(34853, 4), directory},
      {"a private directory", at_end(65000, 13), directory},
      {"a thumbnail in JPEG", at_end(513, 4, {{514, 4, {7}}}), to_bytes("\xff\xd8???\xff\xd9")},
      {"free space", at_end(288, 4, {{289, 4, {3}}}), to_bytes("abc")},
      {"factors of old-style JPEG", at_end(519, 4), counting_bytes(64)},
      {"codes of old-style JPEG", at_end(520, 4), codes},
      {"more codes of old-style JPEG", at_end(521, 4), codes},
  };
  // A directory whose value, and one whose directory is last.
  const Bytes exif = at_end(34665, 4);
  const auto after = static_cast<std::uint32_t>(exif.size() + directory.size());
  parts.push_back({"the value of an EXIF tag", exif,
                   ByteWriter().u16(1).u16(37500).u16(7).u32(5).u32(after).u32(0).text("abcde").bytes()});
  parts.push_back({"interoperability of EXIF", exif,
                   ByteWriter().u16(1).u16(40965).u16(4).u32(1).u32(after).u32(0).append(directory).bytes()});
  for (const Part& part : parts) {
    CAPTURE(part.name);
    check_tiff_end(part.before + part.part);
    message(part.before);
    const Bytes whole = part.before + part.part;
    message(std::span(whole).first(whole.size() - 5));
  }
}

TEST_CASE("a single strip without a size ends with its rows") {
  for (const unsigned bits : {1u, 8u, 16u}) {
    Bytes file = tiff_file({.width = 9,
                            .height = 7,
                            .bits = bits,
                            .directory_first = true,
                            .blocks = {counting_bytes(7 * ((9 * bits + 7) / 8))}});
    // The tag StripByteCounts becomes a private one.
    const Bytes tag = ByteWriter().u16(279).u16(4).bytes();
    const auto found = std::search(file.begin(), file.end(), tag.begin(), tag.end());
    REQUIRE(found != file.end());
    std::copy_n(ByteWriter().u16(65001).bytes().begin(), 2, found);
    check_tiff_end(file);
  }
}

TEST_CASE("chains of directories that have no end are followed once") {
  for (const bool big_endian : {false, true}) {
    const Bytes file = small_file({{330, 4, {8}}}, big_endian);  // the directory is a page below itself
    check_tiff_end(file);
    // The link after 8 + 2 + 9 * 12 bytes points to its own directory.
    Bytes linked = small_file({}, big_endian);
    const std::size_t entries = static_cast<std::size_t>(linked[big_endian ? 9 : 8]), link = 8 + 2 + 12 * entries;
    linked[link + (big_endian ? 3 : 0)] = std::byte{8};
    check_tiff_end(linked);
  }
  // A link that is not one: directories of EXIF have none.
  const auto exif_at = static_cast<std::uint32_t>(small_file({{34665, 4, {0}}}).size());
  check_tiff_end(small_file({{34665, 4, {exif_at}}}) +
                 ByteWriter().u16(1).u16(37500).u16(7).u32(4).text("abcd").u32(0xdeadbeef).bytes());
}

TEST_CASE("parts that are not in the file, or have no size, leave the end unknown") {
  CHECK(message(small_file({{330, 4, {99999}}})) == "damaged or truncated TIFF (it ends too early)");
  CHECK(message(small_file({{513, 4, {8}}, {514, 4, {0xffffffff}}})) ==
        "damaged or truncated TIFF (a part outside of the file)");
  CHECK(message(small_file({{513, 4, {8}}})) == "damaged or truncated TIFF (strips or tiles without a size)");
  CHECK(message(small_file({{520, 4, {0xfffffff0}}})) == "damaged or truncated TIFF (a part outside of the file)");
  CHECK(message(ByteWriter().text("II").u16(42).u32(0).bytes()) == "damaged or truncated TIFF (no directory)");
  // A strip at 2^64 - 1, a value of 2^61 numbers, and more tags than libtiff reads.
  const auto big = [](std::uint64_t tags, const ByteWriter& entries) {
    return ByteWriter()
        .text("II")
        .u16(43)
        .u16(8)
        .u16(0)
        .u32(16)
        .u32(0)
        .u32(tags)
        .u32(0)
        .append(entries.bytes())
        .bytes();
  };
  const auto entry = [](ByteWriter& to, std::uint64_t tag, std::uint64_t count, std::uint64_t value) {
    to.u16(tag).u16(16).u32(count).u32(count >> 32).u32(value).u32(value >> 32);
  };
  ByteWriter strip, value;
  entry(strip, 273, 1, ~std::uint64_t{0});
  entry(strip, 279, 1, 2);
  CHECK(message(big(2, strip)) == "damaged or truncated TIFF (a part outside of the file)");
  entry(value, 65000, std::uint64_t{1} << 61, 16);
  CHECK(message(big(1, value)) == "damaged or truncated TIFF (a value outside of the file)");
  CHECK(message(big(5000, value)) == "damaged or truncated TIFF (too many tags)");
}

TEST_CASE("directories that share their bytes are not read for hours") {
  // 30,000 pages below the first, each of which is the same list of 4,000 private tags, from another byte on.
  constexpr std::uint32_t kPages = 30'000, kTags = 4'000;
  const auto file = [](std::uint32_t first) {
    std::vector<std::uint32_t> pages(kPages);
    for (std::uint32_t i = 0; i < kPages; ++i) pages[i] = first + 2 * i;
    return small_file({{330, 4, pages}});
  };
  const auto first = static_cast<std::uint32_t>(file(0).size());
  ByteWriter lists;
  for (std::uint32_t i = 0; i < kPages + 6 * kTags; ++i) lists.u16(kTags);
  CHECK(message(file(first) + lists.bytes()) == "damaged or truncated TIFF (directories that share too much data)");
}

TEST_CASE("the last bytes of a Cloud Optimized GeoTIFF are repeated after it") {
  const auto with_note = [](const std::string& note) {
    TiffEntry words{65000, 4, {}};
    for (std::size_t i = 0; i + 4 <= note.size(); i += 4)
      words.values.push_back(
          load_number<std::uint32_t>(reinterpret_cast<const std::byte*>(note.data()) + i, std::endian::little));
    return tiff_file(
        {.width = 5, .height = 1, .directory_first = true, .more = {words}, .blocks = {to_bytes("abcde")}});
  };
  const std::string note = "GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n   ";
  const Bytes file = with_note(note), repeated = file + to_bytes("bcde");
  CHECK(find_tiff_end(file) == file.size());
  check_tiff_end(repeated);
  CHECK(find_tiff_end(file + to_bytes("bcdf")) == file.size());
  CHECK(find_tiff_end(with_note("BLOCK_TRAILER=LAST_4_BYTES_REPEATED\n") + to_bytes("bcde")) ==
        with_note("BLOCK_TRAILER=LAST_4_BYTES_REPEATED\n").size());
}

}  // namespace convtool
