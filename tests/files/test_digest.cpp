// Digests: a known value, and equal digests of a file and of its content in memory.
#include <doctest/doctest.h>

#include "core/error.h"
#include "files/digest.h"
#include "support/program.h"

namespace convtool {
namespace {

TEST_CASE("a digest is XXH3's of 128 bits, as xxh128sum prints it") {
  CHECK(digest_of({}) == "xxh128:99aa06d3014798d86001c324468d497f");
}

TEST_CASE("the digest of a file, computed in pieces, is that of its content") {
  const TempFolder folder;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20, (std::size_t{1} << 20) + 1, (std::size_t{5} << 19) + 7}) {
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * i >> 3);
    CHECK(digest_of_file(folder.write("f", content)) == digest_of(std::as_bytes(std::span(content))));
  }
  CHECK_THROWS_AS(digest_of_file(folder.file("missing")), Error);
}

}  // namespace
}  // namespace convtool
