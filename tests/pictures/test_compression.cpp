// Parts of Deflate streams, read back by zlib.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "pictures/compression.h"
#include "support/byte_difference.h"
#include "support/random.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

/// What the data of a random part is like.
enum class Kind { noise, few_values, repetitions, flat };

Bytes data_of(Random& random, std::size_t size, Kind kind) {
  Bytes data(size);
  const std::int64_t values = kind == Kind::flat ? 1 : kind == Kind::few_values ? random.between(2, 16) : 256;
  for (std::size_t i = 0; i < size; ++i) {
    const bool is_copy = kind == Kind::repetitions && i > 0 && !random.chance(6);
    const auto back = is_copy ? random.between(1, static_cast<std::int64_t>(std::min<std::size_t>(i, 40000))) : 0;
    data[i] = is_copy ? data[i - static_cast<std::size_t>(back)] : static_cast<std::byte>(random.between(1, values));
  }
  return data;
}

}  // namespace

TEST_CASE("parts of any size and kind, one after another, are a stream of their texts") {
  Random random(31);
  for (int round = 0; round < 400; ++round) {
    CAPTURE(round);
    Bytes text, stream;
    for (std::int64_t left = random.between(1, 4); left > 0; --left) {
      const auto size = static_cast<std::size_t>(random.between(1, random.chance(20) ? 300'000 : round + 1));
      const Bytes data = data_of(random, size, static_cast<Kind>(random.between(0, 3)));
      const Bytes part = deflate_part(data, left == 1);
      text.insert(text.end(), data.begin(), data.end());
      stream.insert(stream.end(), part.begin(), part.end());
    }
    Bytes back(text.size());
    CHECK(inflate_raw(stream, back));
    CHECK(byte_difference(back, text) == "");
  }
}

TEST_CASE("a part is the same wherever memory for it is found") {
  // All from byte 2 on comes again, so that an encoder which finds it at times only makes other streams.
  constexpr std::size_t kSize = 60;
  Random random(33);
  Bytes data = data_of(random, kSize, Kind::noise);
  for (std::size_t i = 2; i < kSize; ++i) data.push_back(data[i]);

  // Memory that stays in use moves the next: here through 64 MiB, of which almost nothing is written.
  const Bytes expected = deflate_part(data, true);
  std::vector<std::unique_ptr<std::byte[]>> used;
  int differing = 0;
  for (int i = 0; i < 1024; ++i) {
    used.push_back(std::make_unique_for_overwrite<std::byte[]>(std::size_t{1} << 16));
    differing += deflate_part(data, true) != expected;
  }
  CHECK(differing == 0);
}
