// Numbers in headers that lie: 0, the largest, negative, and such that a product of them wraps.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"
#include "support/random.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

/// A tag of a BigTIFF. Type 3: 16 bits, 4: 32, 16: 64.
struct BigEntry {
  unsigned tag, type;
  std::uint64_t value;
  std::uint64_t count = 1;
};

ByteWriter& put_u64(ByteWriter& file, std::uint64_t value) { return file.u32(value).u32(value >> 32); }

/// A little-endian BigTIFF of a grey picture of 2 x 1 pixels in a strip or, with `tiled`, in a tile of 16 x 16.
/// `changed` replaces its tags or is added to them. The directory has `count` entries, if given, and points to `next`.
Bytes big_tiff(bool tiled, std::vector<BigEntry> changed, std::optional<std::uint64_t> count = std::nullopt,
               std::uint64_t next = 0) {
  std::vector<BigEntry> entries = {{256, 4, 2}, {257, 4, 1}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {277, 3, 1}};
  const std::vector<BigEntry> where =
      tiled ? std::vector<BigEntry>{{322, 4, 16}, {323, 4, 16}, {324, 4, 16}, {325, 4, 256}}
            : std::vector<BigEntry>{{273, 4, 16}, {278, 4, 1}, {279, 4, 2}};
  entries.insert(entries.end(), where.begin(), where.end());
  for (const BigEntry& entry : changed) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const BigEntry& own) { return own.tag == entry.tag; });
    if (found == entries.end())
      entries.push_back(entry);
    else
      *found = entry;
  }
  std::sort(entries.begin(), entries.end(), [](const BigEntry& a, const BigEntry& b) { return a.tag < b.tag; });
  ByteWriter file;
  file.text("II").u16(43).u16(8).u16(0);
  put_u64(file, 16 + 256).append(counting_bytes(256));  // the pixels come first
  put_u64(file, count.value_or(entries.size()));
  for (const BigEntry& entry : entries) {
    put_u64(file.u16(entry.tag).u16(entry.type), entry.count);
    put_u64(file, entry.value);
  }
  return put_u64(file, next).bytes();
}

constexpr std::uint64_t kBad[] = {0,
                                  2,
                                  0x7fff,
                                  0x8000,
                                  0xffff,
                                  0x10000,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  std::uint64_t{1} << 32,
                                  std::uint64_t{1} << 59,  // 32 bytes each, and 64 bits wrap
                                  std::uint64_t{1} << 60,
                                  std::uint64_t{1} << 61,
                                  std::uint64_t{1} << 63,
                                  ~std::uint64_t{0}};

/// Processor time of this thread.
double seconds_used() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// The outcome of a file, which takes less than a second: most take microseconds.
std::string quick_outcome(std::span<const std::byte> file) {
  const double start = seconds_used();
  const std::string text = outcome(file);
  CHECK(seconds_used() - start < 1.0);
  return text;
}

bool is_refused(const std::string& text) {
  return !text.starts_with("u8 ") && !text.starts_with("u16 ") && !text.starts_with("f32 ");
}

}  // namespace

TEST_CASE("a TIFF of samples without bits is refused, in every interpretation and compression") {
  const auto file = [](unsigned photometric, unsigned compression, BigEntry bits) {
    const std::uint64_t samples = photometric == 2 || photometric == 6 || photometric == 8 || photometric == 32845 ? 3
                                  : photometric == 5                                                               ? 4
                                                                                                                   : 1;
    return big_tiff(false, {{262, 3, photometric}, {259, 3, compression}, {277, 3, samples}, bits});
  };
  for (const unsigned photometric : {0u, 1u, 2u, 3u, 5u, 6u, 8u, 9u, 32844u, 32845u})
    for (const unsigned compression : {1u, 5u, 7u, 8u, 32773u, 34676u, 34677u, 34925u, 50000u})
      for (const std::uint64_t bits : kBad) {
        CAPTURE(photometric);
        CAPTURE(compression);
        CAPTURE(bits);
        if (bits == 2) continue;  // which exist
        for (const unsigned type : {3u, 4u, 16u}) {
          const std::string got = quick_outcome(file(photometric, compression, {258, type, bits}));
          CHECK(is_refused(got));
        }
      }
  CHECK(outcome(file(32845, 1, {258, 3, 0})) ==
        "a TIFF of 3 sample(s) of 0 bits (unsigned), photometric interpretation 32845 cannot be read; convert it, for "
        "example to 16-bit RGB");
  CHECK(outcome(file(1, 1, {258, 16, (std::uint64_t{1} << 61) + 8})) ==
        "a TIFF of 1 sample(s) of 2305843009213693960 bits (unsigned), photometric interpretation 1 cannot be read; "
        "convert it, for example to 16-bit RGB");
}

TEST_CASE("any number in a tag of a BigTIFF is read or refused") {
  CHECK(outcome(big_tiff(false, {})) == "u8 grey 0 7");
  CHECK(outcome(big_tiff(true, {})) == "u8 grey 0 7");
  int refused = 0;
  for (const bool tiled : {false, true})
    for (const unsigned tag : {256u, 257u, 258u, 259u, 262u, 266u, 273u, 274u, 277u, 278u, 279u,  284u,
                               317u, 320u, 322u, 323u, 324u, 325u, 332u, 338u, 339u, 530u, 34675u})
      for (const std::uint64_t value : kBad)
        for (const unsigned type : {3u, 4u, 16u}) {
          CAPTURE(tag);
          CAPTURE(value);
          refused += is_refused(quick_outcome(big_tiff(tiled, {{tag, type, value}}))) ? 1 : 0;      // as a value
          refused += is_refused(quick_outcome(big_tiff(tiled, {{tag, type, 16, value}}))) ? 1 : 0;  // as a count
          quick_outcome(big_tiff(tiled, {{tag, type, value}, {34675, 7, 16, 100}, {256, 16, 1}}));
        }
  CHECK(refused > 1000);
  const std::string impossible = "damaged or truncated TIFF (strips or tiles of impossible size)";
  CHECK(outcome(big_tiff(false, {{278, 4, 0}})) == impossible);
  for (const unsigned tag : {322u, 323u}) {
    CHECK(outcome(big_tiff(true, {{tag, 4, 0}})) == impossible);
    CHECK(outcome(big_tiff(true, {{tag, 4, 0xffffffff}})) == impossible);
    CHECK(outcome(big_tiff(true, {{tag, 16, std::uint64_t{1} << 60}})) == impossible);
  }
  CHECK(outcome(big_tiff(false, {{277, 3, 0}})).starts_with("a TIFF of 0 sample(s)"));
  CHECK(outcome(big_tiff(false, {{256, 16, std::uint64_t{1} << 32}})) ==
        "damaged or truncated TIFF (impossible width)");
}

TEST_CASE("directories without an end, in a circle, or of more entries than the file has") {
  for (const std::uint64_t count : kBad)
    CHECK((count == 2 || quick_outcome(big_tiff(false, {}, count)).starts_with("damaged or truncated TIFF")));
  // Chains of directories that come back to the first one, to themselves, or leave the file.
  constexpr std::uint64_t kDirectory = 16 + 256;
  for (const std::uint64_t next :
       {kDirectory, std::uint64_t{16}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{1} << 63})
    CHECK(quick_outcome(big_tiff(false, {}, std::nullopt, next)) == "u8 grey 0 7");
  CHECK(read_picture_header(big_tiff(false, {}, std::nullopt, kDirectory)).pages == 65536);
}

TEST_CASE("scans of more components than a JPEG may have in one are refused at once") {
  // A frame of 255 components of one name, and scans of all of them: to find each takes the square of their number.
  ByteWriter jpeg(true);
  jpeg.u16(0xffd8).u16(0xffc0).u16(8 + 3 * 255).u8(8).u16(8).u16(8).u8(255);
  for (int i = 0; i < 255; ++i) jpeg.u8(1).u8(0x11).u8(0);
  ByteWriter scan(true);
  scan.u16(0xffda).u16(6 + 2 * 255).u8(255);
  for (int i = 0; i < 255; ++i) scan.u8(1).u8(0);
  scan.u8(0).u8(63).u8(0);
  for (int i = 0; i < 5000; ++i) jpeg.append(scan.bytes());
  jpeg.u16(0xffd9);
  CHECK(quick_outcome(jpeg.bytes()) == "damaged or truncated JPEG (a scan of 255 components)");
}

TEST_CASE("compressed strips that share data of gigabytes in all are refused at once") {
  constexpr std::uint64_t kStrips = 1 << 16, kShared = 1 << 15;
  // All strips begin at byte 16. Their sizes are those bytes, too, as LONGs: 0x8000.
  ByteWriter file;
  file.text("II").u16(43).u16(8).u16(0);
  put_u64(file, 16 + 4 * kStrips);
  for (std::uint64_t i = 0; i < kStrips; ++i) file.u32(kShared);
  const auto entry = [&](unsigned tag, unsigned type, std::uint64_t count, std::uint64_t value) {
    put_u64(put_u64(file.u16(tag).u16(type), count), value);
  };
  put_u64(file, 8);
  entry(256, 4, 1, 1);
  entry(257, 4, 1, kStrips);
  entry(258, 3, 1, 8);
  entry(259, 3, 1, 8);  // Deflate
  entry(262, 3, 1, 1);
  entry(273, 4, kStrips, 16);
  entry(278, 4, 1, 1);
  entry(279, 4, kStrips, 16);
  put_u64(file, 0);
  const double start = seconds_used();
  CHECK_THROWS_WITH_AS(decode_image(file.bytes(), kStrips),
                       "damaged or truncated TIFF (strips or tiles that share too much data)", Error);
  CHECK(seconds_used() - start < 1.0);
}

TEST_CASE("a sampling rate of 0 in an OpenEXR") {
  const Bytes plain = exr_file({{"Y", {1, 2}}}, 2, 1);
  REQUIRE(outcome(plain) == "f32 grey 1 2");
  const Bytes channel = ByteWriter().text("Y").u8(0).u32(2).u32(0).u32(1).bytes();
  const auto at = std::search(plain.begin(), plain.end(), channel.begin(), channel.end()) - plain.begin();
  for (const std::ptrdiff_t step : {10, 14})
    for (const std::uint32_t value : {0u, 0x80000000u, 0xffffffffu}) {
      Bytes file = plain;
      for (int i = 0; i < 4; ++i)
        file[static_cast<std::size_t>(at + step + i)] = static_cast<std::byte>(value >> 8 * i);
      CHECK(outcome(file) == "damaged or truncated OpenEXR (a channel without a sampling rate)");
    }
}

TEST_CASE("any field of a header, of 1 to 8 bytes, may have any value") {
  constexpr std::size_t kReach = 160, kEnd = 24;
  Random random(1);  // a quarter of the values at each place: all of them take a minute
  int refused = 0, read = 0;
  double slowest = 0;
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    for (std::size_t at = 2; at < sample.file.size(); ++at) {
      if (at == kReach && sample.file.size() > kReach + kEnd) at = sample.file.size() - kEnd;
      for (const std::size_t width : {1u, 2u, 4u, 8u}) {
        if (at + width > sample.file.size()) continue;
        for (const unsigned first : {0x00u, 0x01u, 0x7fu, 0x80u, 0xffu})
          for (const unsigned rest : {0x00u, 0xffu}) {
            if (!random.chance(4)) continue;
            Bytes file = sample.file;
            std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), width, static_cast<std::byte>(rest));
            const bool big_endian = (first + rest + at) % 2 == 0;  // both, in turn
            file[big_endian ? at : at + width - 1] = static_cast<std::byte>(first);
            const double start = seconds_used();
            try {
              const PictureHeader header = read_small_header(file, 1 << 16);
              const Image image = decode_image(file, header);
              const Shape& shape = image.all().shape;
              const bool agrees = shape.h * shape.w == header.height * header.width && shape.c == header.channels &&
                                  image.dtype() == header.dtype;
              if (!agrees) CHECK(agrees);
              ++read;
            } catch (const Error& error) {
              if (error.kind() != ErrorKind::input) CHECK(error.kind() == ErrorKind::input);
              ++refused;
            }
            slowest = std::max(slowest, seconds_used() - start);
          }
      }
    }
  }
  CHECK(refused > 10000);
  CHECK(read > 10000);
  CHECK(slowest < 5.0);
}
