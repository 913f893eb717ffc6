// Every compression of TIFF that this build decodes: whole files come back, and files with missing or changed data
// never become half a picture. A codec that a newer libtiff adds fails here until it has a case.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"
#include "pictures/tiff/compressions.h"
#include "pictures/tiff/libtiff_file.h"
#include "support/picture_bytes.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr std::uint32_t kColumns = 64, kRows = 48;

struct Codec {
  std::string name;
  std::uint16_t compression;
  int bits = 8, samples = 1, photometric = PHOTOMETRIC_MINISBLACK;
  int format = SAMPLEFORMAT_UINT;
  double largest_error = 0;  ///< of a lossy codec, in the units of the picture
  std::map<std::uint32_t, int> tags = {};

  /// Whether a checksum covers the data.
  bool has_checksum() const { return is_deflate(compression) || compression == COMPRESSION_LERC; }
  /// Whether changed data may become zeros: in a JPEG an error in one block shifts the values of all that follow, and
  /// in LogLuv a changed sign makes a luminance negative, which is black.
  bool may_become_black() const {
    return compression == COMPRESSION_JPEG || compression == COMPRESSION_SGILOG || compression == COMPRESSION_SGILOG24;
  }
};

const std::vector<Codec>& codecs() {
  constexpr int kRgb = PHOTOMETRIC_RGB;
  static const std::vector<Codec> kCodecs = {
      {"none", COMPRESSION_NONE},
      {"run lengths", COMPRESSION_CCITTRLE, 1},
      {"group 3", COMPRESSION_CCITTFAX3, 1},
      {"group 3, 2-D", COMPRESSION_CCITTFAX3, 1, 1, 1, 1, 0, {{TIFFTAG_GROUP3OPTIONS, GROUP3OPT_2DENCODING}}},
      {"group 4", COMPRESSION_CCITTFAX4, 1},
      {"lzw", COMPRESSION_LZW, 8, 3, kRgb},
      {"lzw, differences", COMPRESSION_LZW, 16, 1, 1, 1, 0, {{TIFFTAG_PREDICTOR, 2}}},
      // Quality 75 is libtiff's default. Most of the noise of up to 20 levels is lost.
      {"jpeg", COMPRESSION_JPEG, 8, 1, 1, 1, 40},
      {"jpeg rgb", COMPRESSION_JPEG, 8, 3, kRgb, 1, 60},
      {"deflate", COMPRESSION_ADOBE_DEFLATE, 8, 3, kRgb},
      {"deflate, floats", COMPRESSION_ADOBE_DEFLATE, 32, 1, 1, SAMPLEFORMAT_IEEEFP, 0, {{TIFFTAG_PREDICTOR, 3}}},
      {"old deflate", COMPRESSION_DEFLATE},
      {"packbits", COMPRESSION_PACKBITS},
      // 11 bits of logarithm for a range of 25: steps of 25^(1/2048) = 0.16 %, and rounding to 8 bits.
      {"pixarlog", COMPRESSION_PIXARLOG, 8, 3, kRgb, 1, 2},
      // LogLuv: 16 bits of logarithm in steps of 0.27 %, colour in steps of 0.0024 u' and v'; XYZ of up to 1 become
      // RGB with weights of up to 3.24.
      {"sgilog", COMPRESSION_SGILOG, 32, 3, PHOTOMETRIC_LOGLUV, SAMPLEFORMAT_IEEEFP, 0.1},
      {"sgilog24", COMPRESSION_SGILOG24, 32, 3, PHOTOMETRIC_LOGLUV, SAMPLEFORMAT_IEEEFP, 0.2},
      {"sgilog grey", COMPRESSION_SGILOG, 32, 1, PHOTOMETRIC_LOGL, SAMPLEFORMAT_IEEEFP, 0.003},
      {"jbig", COMPRESSION_JBIG, 1},
      {"lzma", COMPRESSION_LZMA, 8, 3, kRgb},
      {"zstd", COMPRESSION_ZSTD, 8, 3, kRgb},
      {"webp", COMPRESSION_WEBP, 8, 3, kRgb, 1, 0, {{TIFFTAG_WEBP_LOSSLESS, 1}}},
      {"webp, lossy", COMPRESSION_WEBP, 8, 4, kRgb, 1, 80},
      {"lerc", COMPRESSION_LERC, 8, 3, kRgb},
      {"lerc, floats", COMPRESSION_LERC, 32, 1, 1, SAMPLEFORMAT_IEEEFP},
  };
  return kCodecs;
}

/// Whether this libtiff has the codec, and writes tiles with it.
bool is_testable(const Codec& codec, bool tiled) {
  const bool only_strips = codec.compression == COMPRESSION_JBIG || codec.compression == COMPRESSION_PIXARLOG;
  return is_decodable(codec.compression) && !(tiled && only_strips);
}

/// Values that compress, but not to nothing: a slope with noise. None is near 0, so a lost row of zeros shows.
std::vector<double> picture_of(const Codec& codec) {
  std::mt19937 random(5);
  std::vector<double> values;
  for (std::uint32_t y = 0; y < kRows; ++y)
    for (std::uint32_t x = 0; x < kColumns; ++x)
      for (int c = 0; c < codec.samples; ++c) {
        const double value = 100 + x + y / 2.0 + static_cast<double>(random() % 20);
        if (codec.bits == 1)
          values.push_back((x / 5 + y / 3 + (random() % 16 == 0)) % 2);
        else if (codec.format == SAMPLEFORMAT_IEEEFP)
          values.push_back(value / 256);
        else
          values.push_back(codec.bits == 16 ? std::floor(value) * 200 : std::floor(value));
      }
  return values;
}

/// The samples in the machine's byte order.
Bytes packed(const Codec& codec, const std::vector<double>& values) {
  ByteWriter writer;
  if (codec.bits == 1) {
    for (std::size_t i = 0; i < values.size(); i += 8) {
      std::uint64_t byte = 0;
      for (std::size_t bit = 0; bit < 8; ++bit) byte = byte << 1 | static_cast<std::uint64_t>(values[i + bit]);
      writer.u8(byte);
    }
    return writer.bytes();
  }
  for (const double value : values) {
    if (codec.bits == 8) writer.u8(static_cast<std::uint64_t>(value));
    if (codec.bits == 16) writer.u16(static_cast<std::uint64_t>(value));
    if (codec.bits == 32) writer.u32(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  }
  return writer.bytes();
}

/// The file as libtiff writes it, in one strip or in one tile.
Bytes encoded(const Codec& codec, bool tiled) {
  Bytes samples = packed(codec, picture_of(codec));
  TiffOutput output(false, 0);
  TIFF* const tiff = output.get();
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, kColumns);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, kRows);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, codec.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, codec.samples);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, codec.format);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, codec.photometric);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  if (tiled) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, kColumns);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, kRows);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, kRows);
  }
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, codec.compression);
  const bool is_log = codec.photometric == PHOTOMETRIC_LOGLUV || codec.photometric == PHOTOMETRIC_LOGL;
  if (is_log) TIFFSetField(tiff, TIFFTAG_SGILOGDATAFMT, SGILOGDATAFMT_FLOAT);
  std::uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
  if (codec.samples == 4) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha);
  for (const auto& [tag, value] : codec.tags) TIFFSetField(tiff, tag, value);
  const auto size = static_cast<tmsize_t>(samples.size());
  const tmsize_t written = tiled ? TIFFWriteEncodedTile(tiff, 0, samples.data(), size)
                                 : TIFFWriteEncodedStrip(tiff, 0, samples.data(), size);
  Bytes file = output.finish();
  if (written != size) file.clear();
  return file;
}

/// The position of the value of a tag that has one, in a little-endian file.
std::size_t value_at(const Bytes& file, std::uint32_t tag) {
  ByteReader reader("TIFF", file, ByteReader::Order::little, 4);
  reader.seek(reader.u32());
  for (std::uint32_t entries = reader.u16(); entries > 0; --entries) {
    if (reader.u16() == tag) return reader.position() + 6;
    reader.skip(10);
  }
  FAIL("a tag is missing");
  return 0;
}

struct Block {
  std::size_t at, size, size_at;  ///< size_at: where the directory stores the size, in 4 bytes or in 2
};

Block only_block(const Bytes& file, bool tiled) {
  const std::size_t size_at = value_at(file, tiled ? TIFFTAG_TILEBYTECOUNTS : TIFFTAG_STRIPBYTECOUNTS);
  ByteReader offset("TIFF", file, ByteReader::Order::little,
                    value_at(file, tiled ? TIFFTAG_TILEOFFSETS : TIFFTAG_STRIPOFFSETS));
  ByteReader size("TIFF", file, ByteReader::Order::little, size_at);
  return {offset.u32(), size.u32(), size_at};
}

void set_size(Bytes& file, const Block& block, std::size_t size) {
  for (std::size_t i = 0; i < 4; ++i) file[block.size_at + i] = static_cast<std::byte>(size >> 8 * i);
}

/// The decoded values, row by row, or nothing if the file is refused as damaged.
std::vector<double> try_values(const Bytes& file) {
  try {
    return values(decode_image(file, 1 << 20).all());
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(std::string(error.what()).starts_with("damaged or truncated TIFF"));
    return {};
  }
}

/// Whether the last third of the rows is zero throughout, as libtiff leaves what it cannot decode.
bool ends_in_zeros(const std::vector<double>& values) {
  return std::all_of(values.begin() + static_cast<std::ptrdiff_t>(values.size() / 3 * 2), values.end(),
                     [](double value) { return value == 0; });
}

/// CIE XYZ to linear RGB of the sRGB primaries (IEC 61966-2-1).
void convert_xyz(std::vector<double>& values) {
  constexpr double kMatrix[3][3] = {
      {3.240479, -1.537150, -0.498535}, {-0.969256, 1.875991, 0.041556}, {0.055648, -0.204043, 1.057311}};
  for (std::size_t i = 0; i < values.size(); i += 3) {
    const double x = values[i], y = values[i + 1], z = values[i + 2];
    for (std::size_t c = 0; c < 3; ++c) values[i + c] = kMatrix[c][0] * x + kMatrix[c][1] * y + kMatrix[c][2] * z;
  }
}

/// A file of each compression that libtiff reads but does not write, or (words) does not always read back.
std::vector<std::pair<std::string, Bytes>> files_of_other_codecs() {
  ByteWriter thunder, words;
  for (std::uint32_t y = 0; y < kRows; ++y) {
    words.u8(0x1b).u8(0);  // T.4: 32 white pixels, and the rest of a word of 16 bits
    for (std::uint32_t x = 0; x < kColumns; ++x) thunder.u8(0xc0 | (1 + (x + y) % 15));  // a literal pixel
  }
  const auto file = [](std::uint32_t width, unsigned bits, unsigned compression, const Bytes& block) {
    return tiff_file({.width = width, .height = kRows, .bits = bits, .compression = compression, .blocks = {block}});
  };
  return {{"run lengths, words", file(32, 1, COMPRESSION_CCITTRLEW, words.bytes())},
          {"thunderscan", file(kColumns, 4, COMPRESSION_THUNDERSCAN, thunder.bytes())}};
}

/// A TIFF in old-style JPEG (TIFF 6.0, section 22): tags point to a whole JPEG file, and the strip to its scan, of
/// which the first `scan` bytes count; by default all of them.
Bytes old_jpeg_file(const Bytes& jpeg, unsigned photometric, unsigned samples, std::optional<std::size_t> scan = {}) {
  const Bytes marker = bytes({0xff, 0xda});
  const auto start = std::search(jpeg.begin(), jpeg.end(), marker.begin(), marker.end()) - jpeg.begin();
  ByteReader segment("JPEG", jpeg, ByteReader::Order::big, static_cast<std::uint64_t>(start + 2));
  const std::size_t scan_at = static_cast<std::size_t>(start) + 2 + segment.u16();
  const std::size_t directory_at = 8 + jpeg.size() + jpeg.size() % 2, tags = samples == 1 ? 11 : 12;
  ByteWriter file;
  file.text("II").u16(42).u32(directory_at).append(jpeg);
  if (jpeg.size() % 2 != 0) file.u8(0);
  file.u16(tags);
  const auto entry = [&](unsigned tag, unsigned type, std::size_t count, std::size_t value) {
    file.u16(tag).u16(type).u32(count).u32(value);
  };
  entry(256, 4, 1, kColumns);
  entry(257, 4, 1, kRows);
  entry(258, 3, samples, samples == 1 ? 8 : directory_at + 2 + 12 * tags + 4);
  entry(259, 3, 1, COMPRESSION_OJPEG);
  entry(262, 3, 1, photometric);
  entry(273, 4, 1, 8 + scan_at);
  entry(277, 3, 1, samples);
  entry(278, 4, 1, kRows);
  entry(279, 4, 1, scan.value_or(jpeg.size() - scan_at));
  entry(513, 4, 1, 8);
  entry(514, 4, 1, scan ? scan_at + *scan : jpeg.size());
  if (samples == 3) entry(530, 3, 2, 2 | 2 << 16);  // chroma of half width and height
  file.u32(0).u16(8).u16(8).u16(8);
  return file.bytes();
}

}  // namespace

TEST_CASE("every codec of libtiff has a case here") {
  std::set<std::uint16_t> tested = {COMPRESSION_CCITTRLEW, COMPRESSION_OJPEG, COMPRESSION_THUNDERSCAN};
  for (const Codec& codec : codecs()) tested.insert(codec.compression);
  TIFFCodec* const configured = TIFFGetConfiguredCODECs();
  REQUIRE(configured != nullptr);
  for (const TIFFCodec* codec = configured; codec->name != nullptr; ++codec) {
    CAPTURE(codec->name);
    if (codec->scheme == COMPRESSION_NEXT) continue;  // refused
    CHECK(is_decodable(codec->scheme));
    CHECK(tested.contains(codec->scheme));
    CHECK_FALSE(name_of_compression(codec->scheme).starts_with("compression "));
  }
  _TIFFfree(configured);
}

TEST_CASE("a TIFF of any compression comes back") {
  int decoded = 0;
  for (const Codec& codec : codecs())
    for (const bool tiled : {false, true}) {
      if (!is_testable(codec, tiled)) continue;
      CAPTURE(codec.name);
      CAPTURE(tiled);
      const Bytes file = encoded(codec, tiled);
      REQUIRE_FALSE(file.empty());
      std::vector<double> expected = picture_of(codec);
      if (codec.photometric == PHOTOMETRIC_LOGLUV) convert_xyz(expected);
      if (codec.bits == 1)
        for (double& value : expected) value *= 255;
      const std::vector<double> got = try_values(file);
      REQUIRE(got.size() == expected.size());
      double error = 0;
      for (std::size_t i = 0; i < got.size(); ++i)
        error = std::max(error, std::abs(got[i] - (codec.format == SAMPLEFORMAT_IEEEFP ? static_cast<float>(expected[i])
                                                                                       : expected[i])));
      CHECK(error <= codec.largest_error);
      ++decoded;
    }
  CHECK(decoded > 20);
}

TEST_CASE("a strip or tile that lacks data is an error in every codec") {
  const auto check = [](const Bytes& file, bool tiled) {
    const Block block = only_block(file, tiled);
    const std::vector<double> whole = try_values(file);
    REQUIRE_FALSE(whole.empty());
    int refused = 0, tried = 0;
    for (std::size_t size = 1; size < block.size; size += 1 + block.size / 300) {
      CAPTURE(size);
      Bytes cut = file;
      set_size(cut, block, size);
      const std::vector<double> got = try_values(cut);
      if (got.empty())
        ++refused;
      else
        CHECK(got == whole);  // what is missing is an end marker or a checksum
      ++tried;
    }
    CHECK(refused >= tried - 2);
  };
  for (const Codec& codec : codecs())
    for (const bool tiled : {false, true}) {
      if (!is_testable(codec, tiled)) continue;
      CAPTURE(codec.name);
      CAPTURE(tiled);
      check(encoded(codec, tiled), tiled);
    }
  for (const auto& [codec, file] : files_of_other_codecs()) {
    const std::string name = codec;
    CAPTURE(name);
    check(file, false);
  }
}

TEST_CASE("changed data is an error, or every pixel has a value, in every codec") {
  std::mt19937 random(3);
  for (const Codec& codec : codecs())
    for (const bool tiled : {false, true}) {
      if (!is_testable(codec, tiled)) continue;
      CAPTURE(codec.name);
      CAPTURE(tiled);
      const Bytes file = encoded(codec, tiled);
      const Block block = only_block(file, tiled);
      const std::vector<double> whole = try_values(file);
      for (int round = 0; round < 40; ++round) {
        CAPTURE(round);
        Bytes damaged = file;
        const std::size_t first = random() % block.size, count = 1 + random() % 40;
        for (std::size_t i = first; i < std::min(block.size, first + count); ++i)
          damaged[block.at + i] = static_cast<std::byte>(random());
        const std::vector<double> got = try_values(damaged);
        if (codec.has_checksum()) CHECK((got.empty() || got == whole));
        if (!got.empty() && codec.bits > 1 && !codec.may_become_black()) CHECK_FALSE(ends_in_zeros(got));
      }
    }
}

TEST_CASE("old-style JPEG in TIFF is the picture of its JPEG, or damaged") {
  for (const int type : {CV_8UC1, CV_8UC3}) {
    CAPTURE(type);
    cv::Mat flat(static_cast<int>(kRows), static_cast<int>(kColumns), type, cv::Scalar(60, 90, 200));
    if (type == CV_8UC1) flat.colRange(0, 32).setTo(cv::Scalar(180));
    const Bytes jpeg = opencv_file(".jpg", flat);
    const bool grey = type == CV_8UC1;
    const auto file = [&](std::optional<std::size_t> scan) {
      return old_jpeg_file(jpeg, grey ? 1 : 6, grey ? 1 : 3, scan);
    };
    // In one colour, chroma does not depend on the way in which it is enlarged. libtiff rounds colours by itself.
    const std::vector<double> expected = values(decode_image(jpeg, 1 << 20).all()), got = try_values(file({}));
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - expected[i]) <= (grey ? 0 : 1));
    for (const std::size_t scan : {1u, 5u, 10u}) CHECK(try_values(file(scan)).empty());
  }
}

TEST_CASE("compressions that libtiff lacks are refused by name, in strips and tiles of any depth") {
  const auto refusal = [](unsigned compression, unsigned bits, std::uint32_t tile) {
    const std::uint32_t side = tile == 0 ? 4 : tile;
    return outcome(tiff_file({.width = 4,
                              .height = 4,
                              .bits = bits,
                              .tile = tile,
                              .compression = compression,
                              .blocks = {Bytes(side * side * bits / 8, std::byte{200})}}));
  };
  const std::pair<unsigned, const char*> kinds[] = {{33003, "JPEG 2000 in TIFF"},
                                                    {33005, "JPEG 2000 in TIFF"},
                                                    {34712, "JPEG 2000 in TIFF"},
                                                    {50002, "JPEG XL in TIFF"},
                                                    {22610, "JPEG XR in TIFF"},
                                                    {32908, "PixarFilm in TIFF"},
                                                    {34933, "PNG in TIFF"},
                                                    {9, "JBIG (T.85) in TIFF"},
                                                    {32766, "NeXT run lengths in TIFF"},
                                                    {12345, "compression 12345 of TIFF"},
                                                    {0, "compression 0 of TIFF"}};
  for (const auto& [code, name] : kinds)
    for (const unsigned bits : {8u, 16u, 32u})
      for (const std::uint32_t tile : {0u, 16u}) {
        const auto compression = code;
        CAPTURE(compression);
        CHECK(refusal(compression, bits, tile) ==
              name + std::string(" cannot be read; convert it, for example to Deflate or LZW"));
      }
  if (is_decodable(COMPRESSION_WEBP))
    CHECK(outcome(tiff_file({.width = 1,
                             .height = 1,
                             .samples = 3,
                             .photometric = 2,
                             .planar = true,
                             .compression = COMPRESSION_WEBP,
                             .blocks = {Bytes(9), Bytes(9), Bytes(9)}})) ==
          "WebP of one plane per sample in TIFF cannot be read; convert it, for example to Deflate or LZW");
  if (is_decodable(COMPRESSION_JBIG))
    CHECK(outcome(tiff_file({.width = 40,
                             .height = 16,
                             .bits = 1,
                             .tile = 16,
                             .compression = COMPRESSION_JBIG,
                             .blocks = {Bytes(9), Bytes(9), Bytes(9)}})) ==
          "JBIG in TIFF can be read from a single strip only; convert it");
  CHECK(outcome(tiff_file({.width = 8, .height = 1, .compression = 4, .blocks = {Bytes(4)}})) ==
        "CCITT Group 4 of 8-bit samples in TIFF cannot be read (1 can); convert it, for example to Deflate or LZW");
}
