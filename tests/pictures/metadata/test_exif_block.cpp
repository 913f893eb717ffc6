// EXIF blocks: what is changed, what stays where it is, and damage.
#include <doctest/doctest.h>

#include "core/error.h"
#include "files/byte_reader.h"
#include "pictures/headers/exif.h"
#include "pictures/metadata/exif_block.h"
#include "pictures/metadata/parts.h"
#include "support/random.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

void put(Bytes& block, std::size_t at, std::uint64_t number, int size, bool big_endian) {
  ByteWriter bytes(big_endian);
  size == 2 ? bytes.u16(number) : bytes.u32(number);
  std::copy(bytes.bytes().begin(), bytes.bytes().end(), block.begin() + static_cast<std::ptrdiff_t>(at));
}

/// exif_block() as it is to be kept.
Bytes cleaned(bool big_endian) {
  Bytes block = exif_block(big_endian, 1);
  block.resize(kExifWithoutThumbnail);
  put(block, kLinkAt, 0, 4, big_endian);
  return block;
}

std::string damage(std::span<const std::byte> block) {
  try {
    clean_exif(block);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
}

}  // namespace

TEST_CASE("EXIF becomes upright and loses its thumbnail; other bytes stay in their places") {
  for (const bool big_endian : {false, true})
    for (unsigned orientation = 0; orientation <= 9; ++orientation) {
      CAPTURE(big_endian);
      CAPTURE(orientation);
      const Bytes block = exif_block(big_endian, orientation);
      CHECK((clean_exif(block) == cleaned(big_endian)));
      CHECK((clean_exif(ByteWriter().text("Exif").u16(0).append(block).bytes()) == cleaned(big_endian)));
      CHECK((clean_exif(cleaned(big_endian)) == cleaned(big_endian)));
    }
}

TEST_CASE("EXIF: with rows and columns, the resolutions in x and y change places") {
  constexpr std::size_t kXAt = 42, kYAt = 54, kOther = 132;  // of the values' places; there is 1/250
  for (const bool big_endian : {false, true}) {
    Bytes block = exif_block(big_endian), turned = cleaned(big_endian);
    put(block, kYAt, kOther, 4, big_endian);
    put(turned, kXAt, kOther, 4, big_endian);
    CHECK((clean_exif(block, true) == turned));
    put(turned, kXAt, 94, 4, big_endian);
    put(turned, kYAt, kOther, 4, big_endian);
    CHECK((clean_exif(block, false) == turned));
    // One alone stays.
    put(block, kYAt - 8, 284, 2, big_endian);
    put(turned, kYAt - 8, 284, 2, big_endian);
    CHECK((clean_exif(block, true) == turned));
  }
}

TEST_CASE("EXIF: an orientation of a wrong type becomes a right one") {
  Bytes block = exif_block(false);
  put(block, kOrientationAt - 6, 4, 2, false);  // type LONG
  put(block, kOrientationAt - 4, 3, 4, false);  // of three values, elsewhere
  CHECK((clean_exif(block) == cleaned(false)));
}

TEST_CASE("EXIF: a thumbnail that claims other parts takes nothing from them") {
  constexpr std::size_t kThumbnailAt = 160, kThumbnailSize = 172;
  Bytes block = exif_block(false);
  put(block, kThumbnailAt, 0, 4, false);
  put(block, kThumbnailSize, 0xffffffff, 4, false);
  CHECK((clean_exif(block) == cleaned(false)));
  // A thumbnail inside is cleared, not cut out: what follows it stays in its place.
  Bytes followed = exif_block(false);
  followed.resize(followed.size() + 20, std::byte{0xee});
  const Bytes result = clean_exif(followed);
  REQUIRE(result.size() == followed.size());
  CHECK(std::count(result.begin(), result.end(), std::byte{0xee}) == 20);
  CHECK(std::count(result.begin() + 149, result.end() - 20, std::byte{0}) == 41);
}

TEST_CASE("EXIF: a chain of thumbnails that is damaged or has no end is cut") {
  for (const unsigned link : {8u, 150u, 0xfffffff0u, 1u}) {
    CAPTURE(link);
    Bytes block = exif_block(true);
    put(block, kLinkAt, link, 4, true);
    const Bytes result = clean_exif(block);
    CHECK(
        std::all_of(result.begin() + kLinkAt, result.begin() + kLinkAt + 4, [](auto b) { return b == std::byte{0}; }));
    CHECK(std::equal(result.begin(), result.begin() + kLinkAt, cleaned(true).begin()));
  }
}

TEST_CASE("EXIF without a link after its only directory") {
  ByteWriter block(true);
  block.text("MM").u16(42).u32(8).u16(1).u16(274).u16(3).u32(1).u16(6).u16(0);
  const Bytes result = clean_exif(block.bytes());
  CHECK(result.size() == block.size());
  CHECK(read_exif_orientation(block.bytes()) == Orientation::right_top);
  CHECK(read_exif_orientation(result) == Orientation::top_left);
}

TEST_CASE("EXIF that ends too early, or has a value outside, is damaged") {
  const Bytes block = exif_block(true);
  for (std::size_t size = 0; size < kExifWithoutThumbnail; ++size) {
    CAPTURE(size);
    // The directory of the camera ends at 128, and its link is not needed.
    CHECK(damage(std::span(block).first(size)) != "");
  }
  for (std::size_t size = kExifWithoutThumbnail; size < block.size(); ++size)
    CHECK(damage(std::span(block).first(size)) == "");
  CHECK(damage(to_bytes("a comment")) != "");
  CHECK(damage(ByteWriter().text("II").u16(43).u16(8).u16(0).u32(16).u32(0).bytes()) != "");
  CHECK(damage({}) != "");
}

TEST_CASE("EXIF whose values share too many bytes is damaged: copies of it would be much larger") {
  const auto shared = [](unsigned entries) {
    ByteWriter block;
    block.text("II").u16(42).u32(8).u16(entries);
    for (unsigned i = 0; i < entries; ++i) block.u16(40000 + i).u16(1).u32(1000).u32(0);
    block.u32(0);
    while (block.size() < 2000) block.u8(0);
    return block.bytes();
  };
  CHECK(damage(shared(3)) == "");
  CHECK(damage(shared(100)).find("share") != std::string::npos);
}

TEST_CASE("EXIF whose directories overlap is damaged: a change to one would change another") {
  // The camera's directory begins at the number of orientations, which is 0 before and 1 afterwards: no entries, and
  // one that is damaged.
  constexpr std::size_t kCameraAt = 78;
  Bytes block = exif_block(false);
  put(block, kCameraAt, kOrientationAt - 4, 4, false);
  put(block, kOrientationAt - 4, 0, 4, false);
  CHECK(damage(block) != "");
  put(block, kOrientationAt - 4, 1, 4, false);
  put(block, kCameraAt, 102, 4, false);
  CHECK(damage(block) == "");
}

TEST_CASE("EXIF in the first of two pages leaves the second one alone") {
  ByteWriter file;
  file.text("II").u16(42).u32(8);
  file.u16(1).u16(256).u16(3).u32(1).u32(5).u32(26);
  file.u16(1).u16(257).u16(3).u32(1).u32(6).u32(0);
  Bytes pages = file.bytes();
  add_exif_to_tiff(pages, cleaned(true));
  const TiffStructure tiff(pages);
  const Directory first = tiff.directory(tiff.first());
  CHECK(first.find(256) != nullptr);
  CHECK(first.find(271) != nullptr);
  REQUIRE(tiff.next(first) == 26);
  const Directory second = tiff.directory(tiff.next(first));
  REQUIRE(second.entries.size() == 1);
  CHECK(tiff.number(second.entries[0]) == 6);
  CHECK(tiff.next(second) == 0);
}

TEST_CASE("EXIF with any bytes changed is damaged, or becomes upright") {
  Random random(1);
  int sound = 0;
  for (int i = 0; i < 20000; ++i) {
    const bool big_endian = random.between(0, 1) == 1;
    Bytes block = exif_block(big_endian);
    for (int changes = static_cast<int>(random.between(1, 4)); changes > 0; --changes)
      block[static_cast<std::size_t>(random.between(0, std::ssize(block) - 1))] =
          static_cast<std::byte>(random.between(0, 255));
    try {
      const Bytes result = clean_exif(block, random.between(0, 1) == 1);
      ++sound;
      REQUIRE(result.size() <= block.size());
      REQUIRE(read_exif_orientation(result) == Orientation::top_left);
      Bytes tiff = cleaned(big_endian);
      if (tiff[0] == std::byte{'I'}) add_exif_to_tiff(tiff, result);
      resolution_in(result);
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::input);
    }
  }
  CHECK(sound > 5000);
  CHECK(sound < 19000);
}
