// Blocks of literals, read back by zlib, and compared with its own in size.
#include <doctest/doctest.h>
#include <zlib.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "pictures/literal_block.h"
#include "support/random.h"

using namespace convtool;

namespace {

using Data = std::vector<std::byte>;

constexpr int kRaw = -15;

/// The raw stream of these blocks.
Data stream_of(std::span<const Data> texts) {
  std::vector<LiteralBlock> blocks(texts.begin(), texts.end());
  std::size_t bound = 8;
  for (const LiteralBlock& block : blocks) bound += block.size();
  const auto stream = std::make_unique<std::byte[]>(bound);
  BitPacker packer(stream.get());
  for (const LiteralBlock& block : blocks) block.write(&block == &blocks.back(), packer);
  packer.align();
  CHECK(packer.end() + 8 <= stream.get() + bound);
  return {stream.get(), packer.end()};
}

/// The text of a raw stream, by zlib.
Data text_of(const Data& stream, std::size_t size) {
  Data text(size + 1);
  z_stream state = {};
  REQUIRE(inflateInit2(&state, kRaw) == Z_OK);
  state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream.data()));
  state.avail_in = static_cast<uInt>(stream.size());
  state.next_out = reinterpret_cast<Bytef*>(text.data());
  state.avail_out = static_cast<uInt>(text.size());
  CHECK(inflate(&state, Z_FINISH) == Z_STREAM_END);
  CHECK(state.avail_in == 0);
  inflateEnd(&state);
  text.resize(state.total_out);
  return text;
}

/// The size of a text by zlib's strategy without a search.
std::size_t size_by_zlib(const Data& text) {
  z_stream state = {};
  REQUIRE(deflateInit2(&state, 6, Z_DEFLATED, kRaw, 9, Z_HUFFMAN_ONLY) == Z_OK);
  Data stream(deflateBound(&state, text.size()));
  state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(text.data()));
  state.avail_in = static_cast<uInt>(text.size());
  state.next_out = reinterpret_cast<Bytef*>(stream.data());
  state.avail_out = static_cast<uInt>(stream.size());
  REQUIRE(deflate(&state, Z_FINISH) == Z_STREAM_END);
  deflateEnd(&state);
  return state.total_out;
}

Data random_bytes(Random& random, std::size_t size, std::int64_t values, std::int64_t spread) {
  const std::int64_t first = random.between(0, 255);
  Data text(size);
  for (std::byte& byte : text) {
    std::int64_t value = 0;
    for (std::int64_t i = 0; i < spread; ++i) value += random.between(0, values - 1);
    byte = static_cast<std::byte>(first + value / spread);
  }
  return text;
}

}  // namespace

TEST_CASE("blocks of literals give back their bytes, and are as small as zlib's") {
  Random random(1);
  for (int i = 0; i < 600; ++i) {
    CAPTURE(i);
    const auto size = static_cast<std::size_t>(random.between(0, random.chance(3) ? 300 : 30000));
    const Data text = random_bytes(random, size, random.between(1, random.chance(2) ? 256 : 6), random.between(1, 3));
    const Data stream = stream_of({&text, 1});
    CHECK((text_of(stream, size) == text));
    // zlib has fixed codes too, with which a byte takes at least 8 bits, and a block 10 more: 3 bytes less than stored.
    CHECK(stream.size() <= size_by_zlib(text) + 3);
  }
}

TEST_CASE("every number of bytes in a block, and every number of values") {
  Random random(2);
  for (std::size_t size = 0; size < 40; ++size) {
    CAPTURE(size);
    const Data text = random_bytes(random, size, 3, 1);
    CHECK((text_of(stream_of({&text, 1}), size) == text));
  }
  for (const std::size_t size : {LiteralBlock::kMost - 1, LiteralBlock::kMost})
    for (std::int64_t values = 1; values <= 256; values += values < 8 ? 1 : 31) {
      CAPTURE(values);
      const Data text = random_bytes(random, size, values, 1);
      CHECK((text_of(stream_of({&text, 1}), size) == text));
    }
}

TEST_CASE("the longest codes are shortened to what Deflate allows") {
  // Counts that are Fibonacci's numbers give the longest codes. The end of the block is the first 1 of them.
  Data text;
  std::size_t count = 1, next = 2;
  for (int value = 0; text.size() + count <= LiteralBlock::kMost; ++value) {
    text.insert(text.end(), count, static_cast<std::byte>(value));
    next += std::exchange(count, next);
  }
  CHECK((text_of(stream_of({&text, 1}), text.size()) == text));

  // So do, for the codes of lengths, these numbers of codes of each length. The sum of 2^-length over all codes is 1,
  // with the end of the block as a 34th code of 13 bits.
  struct Codes {
    std::size_t number, length;
  };
  std::vector<std::size_t> counts;
  for (const auto& [number, length] : {Codes{3, 2}, {5, 6}, {8, 7}, {13, 8}, {21, 9}, {55, 12}, {33, 13}})
    counts.insert(counts.end(), number, std::size_t{1} << (13 - length));
  text.clear();
  for (std::size_t value = 0; value < counts.size(); ++value)  // no more than two of a length follow each other
    text.insert(text.end(), counts[value * 47 % counts.size()], static_cast<std::byte>(value));
  CHECK((text_of(stream_of({&text, 1}), text.size()) == text));
}

TEST_CASE("blocks of any kind follow each other") {
  Random random(3);
  for (int i = 0; i < 60; ++i) {
    CAPTURE(i);
    std::vector<Data> texts;
    Data all;
    for (std::int64_t blocks = random.between(1, 6); blocks > 0; --blocks) {
      texts.push_back(random_bytes(random, static_cast<std::size_t>(random.between(0, 2000)),
                                   random.chance(3) ? 256 : random.between(1, 30), 1));
      all.insert(all.end(), texts.back().begin(), texts.back().end());
    }
    CHECK((text_of(stream_of(texts), all.size()) == all));
  }
}

TEST_CASE("a block is stored where codes would not make it smaller") {
  Random random(4);
  const Data noise = random_bytes(random, 60000, 256, 1);
  const Data stream = stream_of({&noise, 1});
  CHECK(stream.size() == noise.size() + 5);
  CHECK(LiteralBlock(noise).size() == noise.size() + 6);  // the type may begin with the last bits of a byte
}
