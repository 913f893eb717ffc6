// PNG whose texts are far larger than its picture.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <zlib.h>

#include "pictures/decode_image.h"
#include "pictures/outcome.h"
#include "pictures/pixel_values.h"
#include "support/picture_bytes.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

/// A chunk with `size` zeros, compressed, as text or profile.
Bytes large_chunk(const std::string& type, std::size_t size) {
  const Bytes zeros(size);
  Bytes packed(compressBound(size));
  uLongf length = packed.size();
  REQUIRE(compress2(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(zeros.data()),
                    size, 9) == Z_OK);
  packed.resize(length);
  ByteWriter chunk;
  chunk.text("Comment").u8(0);
  if (type == "iTXt") chunk.u8(1);
  chunk.u8(0);
  if (type == "iTXt") chunk.u8(0).u8(0);
  return png_chunk(type, chunk.append(packed).bytes());
}

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("compressed texts and profiles of a PNG are not expanded") {
  const Bytes plain = png_file({.width = 2, .height = 1, .rows = bytes({0, 7, 9})});
  constexpr std::size_t kAfterHeader = 8 + 25, kEach = 4 << 20;
  for (const std::string type : {"zTXt", "iTXt", "iCCP"}) {
    CAPTURE(type);
    const Bytes chunk = large_chunk(type, kEach);
    Bytes file(plain.begin(), plain.begin() + kAfterHeader);
    for (int i = 0; i < 50; ++i) file.insert(file.end(), chunk.begin(), chunk.end());
    file.insert(file.end(), plain.begin() + kAfterHeader, plain.end());
    const long before = peak_kilobytes();
    CHECK(values(decode_image(file, 10).all()) == std::vector<double>{7, 9});
    CHECK(peak_kilobytes() - before < 20 << 10);  // the texts have 200 MiB
  }
}
