// Inflater against zlib, the definition of what is accepted, on streams of every kind.
#include <doctest/doctest.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pictures/compression.h"
#include "pictures/inflate.h"
#include "support/random.h"
#include "support/zlib_stream.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

using Inflated = std::optional<Bytes>;  ///< nothing: refused

constexpr std::size_t kMostText = 1 << 20;

/// The text of a stream by zlib. With raw, the stream has no header and no checksum; `used` is its size.
Inflated by_zlib(std::span<const std::byte> stream, bool raw = false, std::size_t* used = nullptr) {
  constexpr int kOfHeader = 0, kRaw = -15;
  z_stream state = {};
  REQUIRE(inflateInit2(&state, raw ? kRaw : kOfHeader) == Z_OK);
  const auto text = std::make_unique_for_overwrite<std::byte[]>(kMostText);
  state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream.data()));
  state.avail_in = static_cast<uInt>(stream.size());
  state.next_out = reinterpret_cast<Bytef*>(text.get());
  state.avail_out = static_cast<uInt>(kMostText);
  const bool is_accepted = inflate(&state, Z_FINISH) == Z_STREAM_END;
  if (used != nullptr) *used = state.total_in;
  inflateEnd(&state);
  return is_accepted ? Inflated(Bytes(text.get(), text.get() + state.total_out)) : std::nullopt;
}

/// The text of a raw stream by ISA-L itself, which accepts more than zlib.
Inflated by_isal(std::span<const std::byte> stream, std::size_t& used) {
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  const auto text = std::make_unique_for_overwrite<std::byte[]>(kMostText);
  state->next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(stream.data()));
  state->avail_in = static_cast<std::uint32_t>(stream.size());
  state->next_out = reinterpret_cast<std::uint8_t*>(text.get());
  state->avail_out = static_cast<std::uint32_t>(kMostText);
  if (isal_inflate(state.get()) != ISAL_DECOMP_OK || state->block_state != ISAL_BLOCK_FINISH) return std::nullopt;
  const auto ahead = static_cast<std::size_t>(state->read_in_length / 8);  // bytes that it has read too far
  used = stream.size() - state->avail_in - ahead;
  return Bytes(text.get(), text.get() + state->total_out);
}

/// The text of a stream that comes in parts of `part` bytes.
Inflated by_inflater(std::span<const std::byte> stream, std::size_t part, bool* has_rest = nullptr) {
  Inflater inflater([&] {
    const auto next = stream.first(std::min(part, stream.size()));
    stream = stream.subspan(next.size());
    return next;
  });
  Bytes text;
  while (const auto piece = inflater.next()) {
    if (piece->empty()) {
      if (has_rest != nullptr) *has_rest = inflater.has_rest();
      return text;
    }
    text.insert(text.end(), piece->begin(), piece->end());
  }
  CHECK_FALSE(inflater.next().has_value());  // for good
  return std::nullopt;
}

/// A zlib stream with this raw stream. The checksum is that of the text which zlib or, failing that, ISA-L makes of it.
Bytes with_frame(std::span<const std::byte> raw) {
  std::size_t used = raw.size();
  Inflated text = by_zlib(raw, true, &used);
  if (!text) text = by_isal(raw, used);
  Bytes stream = {std::byte{0x78}, std::byte{0x01}};
  stream.insert(stream.end(), raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(text ? used : raw.size()));
  const std::uint32_t sum = text ? adler32_of(*text, kAdler32OfNothing) : 0;
  for (int shift = 24; shift >= 0; shift -= 8) stream.push_back(static_cast<std::byte>(sum >> shift));
  return stream;
}

Bytes random_text(Random& random, std::int64_t most) {
  Bytes text(static_cast<std::size_t>(random.between(0, most)));
  const std::int64_t kind = random.between(0, 3);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::int64_t value = kind == 0   ? random.between(0, 255)
                               : kind == 1 ? random.between(0, 3)
                               : kind == 2 ? random.between(0, 7) / 7
                                           : random.between(97, 117);
    text[i] = static_cast<std::byte>(value);
    if (kind == 3 && i > 20 && random.chance(2)) text[i] = text[i - static_cast<std::size_t>(random.between(1, 20))];
  }
  return text;
}

/// A raw stream, bit by bit.
class BitWriter {
 public:
  BitWriter& bits(unsigned value, int count) {
    for (int i = 0; i < count; ++i) {
      if (used_ % 8 == 0) bytes_.push_back(std::byte{0});
      if ((value >> i & 1) != 0) bytes_.back() |= std::byte{1} << used_ % 8;
      ++used_;
    }
    return *this;
  }
  /// A Huffman code, whose highest bit comes first.
  BitWriter& code(unsigned value, int count) {
    for (int i = count - 1; i >= 0; --i) bits(value >> i, 1);
    return *this;
  }
  BitWriter& align() { return bits(0, static_cast<int>((8 - used_ % 8) % 8)); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::size_t used_ = 0;
};

using CodeLengths = std::vector<int>;

/// The codes of lengths (RFC 1951, 3.2.2), also of too many.
std::vector<unsigned> codes_of(const CodeLengths& lengths) {
  std::vector<unsigned> codes(lengths.size());
  unsigned code = 0;
  for (int length = 1; length <= 15; ++length, code <<= 1)
    for (std::size_t i = 0; i < lengths.size(); ++i)
      if (lengths[i] == length) codes[i] = code++;
  return codes;
}

void put_symbol(BitWriter& out, const CodeLengths& lengths, std::size_t symbol) {
  out.code(codes_of(lengths)[symbol], lengths[symbol]);
}

/// The header of a block whose code lengths are `symbols`, pairs of a symbol of the code of lengths and its extra bits.
struct DynamicHeader {
  bool is_last = true;
  unsigned literals = 257, distances = 1;
  std::vector<std::pair<std::size_t, unsigned>> symbols;
  CodeLengths of_lengths = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 3, 3, 3};

  void put(BitWriter& out) const {
    constexpr std::array kOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    out.bits(is_last ? 1 : 0, 1).bits(2, 2).bits(literals - 257, 5).bits(distances - 1, 5).bits(15, 4);
    for (const int symbol : kOrder) out.bits(static_cast<unsigned>(of_lengths[static_cast<std::size_t>(symbol)]), 3);
    for (const auto& [symbol, extra] : symbols) {
      put_symbol(out, of_lengths, symbol);
      if (symbol >= 16) out.bits(extra, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
    }
  }

  /// One symbol for each length.
  void set(const CodeLengths& of_literals, const CodeLengths& of_distances) {
    literals = static_cast<unsigned>(of_literals.size());
    distances = static_cast<unsigned>(of_distances.size());
    symbols.clear();
    for (const CodeLengths* lengths : {&of_literals, &of_distances})
      for (const int length : *lengths) symbols.emplace_back(static_cast<std::size_t>(length), 0);
  }
};

/// Compares the verdicts on streams, and counts them.
struct Comparison {
  int accepted = 0, refused = 0, refused_with_isal = 0;

  /// `stream` is a zlib stream.
  void check(const Bytes& stream) {
    const Inflated expected = by_zlib(stream);
    for (const std::size_t part : {stream.size() + 1, std::size_t{1}, std::size_t{7}}) {
      const Inflated got = by_inflater(stream, part);
      REQUIRE(got.has_value() == expected.has_value());
      if (got) REQUIRE((*got == *expected));
    }
    expected ? ++accepted : ++refused;
    std::size_t used = 0;
    if (!expected && by_isal(std::span(stream).subspan(2), used)) ++refused_with_isal;
  }
  void check_raw(const Bytes& raw) { check(with_frame(raw)); }
};

/// Random lengths of `count` codes that make up a complete set, then changed, mostly, in one place.
CodeLengths random_lengths(Random& random, std::size_t count, int longest) {
  CodeLengths used = {0};  // of codes: one of no bits
  const auto wanted = static_cast<std::size_t>(random.between(1, static_cast<std::int64_t>(count)));
  while (used.size() < wanted) {
    int& split = used[static_cast<std::size_t>(random.between(0, std::ssize(used) - 1))];
    if (split == longest) break;
    used.push_back(++split);
  }
  if (used.size() == 1) used[0] = 1;  // the only code has one bit
  CodeLengths lengths(count, 0);
  for (const int length : used) {
    std::size_t at = static_cast<std::size_t>(random.between(0, std::ssize(lengths) - 1));
    while (lengths[at] != 0) at = (at + 1) % count;
    lengths[at] = length;
  }
  if (!random.chance(3)) {
    int& changed = lengths[static_cast<std::size_t>(random.between(0, std::ssize(lengths) - 1))];
    changed = static_cast<int>(random.between(0, longest));
  }
  return lengths;
}

}  // namespace

TEST_CASE("streams of zlib give their text, in any parts") {
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    const Bytes text = random_text(random, random.chance(10) ? 300000 : 3000);
    const int level = static_cast<int>(random.between(0, 9)), memory = static_cast<int>(random.between(1, 9));
    const int strategy = static_cast<int>(random.between(0, 4));
    const Bytes stream = zlib_stream(text, level, 15, memory, strategy);
    for (const std::int64_t part :
         {std::int64_t{1}, std::int64_t{300}, random.between(2, 70000), std::int64_t{1 << 20}})
      CHECK((by_inflater(stream, static_cast<std::size_t>(part)) == text));
    Bytes whole(text.size());
    CHECK(inflate_whole(stream, whole));
    CHECK((whole == text));
    whole.resize(text.size() + 1);
    CHECK_FALSE(inflate_whole(stream, whole));
    if (!text.empty()) {
      whole.resize(text.size() - 1);
      CHECK_FALSE(inflate_whole(stream, whole));
    }
  }
}

TEST_CASE("bytes after a stream are its rest") {
  const Bytes stream = zlib_stream(Bytes(1000, std::byte{7}), 6, 15, 8, 0);
  for (const std::size_t more : {0u, 1u, 2u, 9u, 500000u})
    for (const std::size_t part : {1u, 100u, 1u << 20}) {
      Bytes longer = stream;
      longer.resize(stream.size() + more);
      bool has_rest = false;
      CHECK(by_inflater(longer, part, &has_rest).has_value());
      CHECK(has_rest == (more > 0));
    }
}

TEST_CASE("every start of a stream is damage") {
  Random random(2);
  for (int i = 0; i < 20; ++i) {
    const Bytes text = random_text(random, 400),
                stream = zlib_stream(text, static_cast<int>(random.between(0, 9)), 15, 9, 0);
    for (std::size_t size = 0; size < stream.size(); ++size)
      for (const std::size_t part : {1u, 1u << 20})
        REQUIRE_FALSE(by_inflater(std::span(stream).first(size), part).has_value());
  }
}

TEST_CASE("changed streams are refused exactly when zlib refuses them") {
  Random random(3);
  Comparison comparison;
  for (int i = 0; i < 6000; ++i) {
    CAPTURE(i);
    const Bytes text = random_text(random, random.chance(50) ? 100000 : 1500);
    Bytes stream = zlib_stream(text, static_cast<int>(random.between(0, 9)), 15, static_cast<int>(random.between(1, 9)),
                               static_cast<int>(random.between(0, 4)));
    for (std::int64_t changes = random.between(1, 3); changes > 0; --changes) {
      const std::int64_t last = std::ssize(stream) - 1;
      auto& byte = stream[static_cast<std::size_t>(
          random.between(0, random.chance(2) ? std::min<std::int64_t>(last, 80) : last))];
      byte = random.chance(3) ? static_cast<std::byte>(random.between(0, 255))
                              : byte ^ std::byte{1} << random.between(0, 7);
    }
    const bool has_same_header = stream[0] == std::byte{0x78};  // a smaller window is tested below
    if (random.chance(4) && has_same_header) comparison.check(stream);
    comparison.check_raw(Bytes(stream.begin() + 2, stream.end()));
  }
  CHECK(comparison.accepted > 1000);
  CHECK(comparison.refused > 1000);
  CHECK(comparison.refused_with_isal > 10);
}

TEST_CASE("codes of any lengths are refused exactly when zlib refuses them") {
  Random random(4);
  Comparison comparison;
  for (int i = 0; i < 6000; ++i) {
    CAPTURE(i);
    CodeLengths literals = random_lengths(random, static_cast<std::size_t>(random.between(257, 288)), 15);
    if (!random.chance(20) && literals[256] == 0) {
      const auto used = std::find_if(literals.begin(), literals.end(), [](int length) { return length > 0; });
      if (used != literals.end()) std::swap(*used, literals[256]);
    }
    const CodeLengths distances = random_lengths(random, static_cast<std::size_t>(random.between(1, 32)), 15);
    DynamicHeader header;
    header.set(literals, distances);
    header.is_last = random.chance(2);
    if (random.chance(5)) header.of_lengths = random_lengths(random, 19, 7);
    BitWriter out;
    header.put(out);
    for (std::int64_t count = random.between(0, 40); count > 0; --count) {
      // Any bits are codes, or show that there is no such code.
      if (random.chance(3))
        out.bits(static_cast<unsigned>(random.between(0, 0xffff)), 16);
      else
        put_symbol(out, literals, static_cast<std::size_t>(random.between(0, 255)));
    }
    put_symbol(out, literals, 256);
    out.bits(1, 1).bits(1, 2).code(0, 7);  // a last block, empty
    comparison.check_raw(out.bytes());
  }
  CHECK(comparison.accepted > 150);
  CHECK(comparison.refused > 2000);
  CHECK(comparison.refused_with_isal > 100);
}

TEST_CASE("the code of the lengths is complete, also if the rest of it is not used") {
  Comparison comparison;
  for (std::size_t without = 2; without < 16; ++without) {  // the header below uses 0, 1 and 18
    DynamicHeader header{.symbols = {{18, 127}, {18, 107}, {1, 0}, {0, 0}}};
    header.of_lengths[without] = 0;
    BitWriter out;
    header.put(out);
    comparison.check_raw(out.bits(0, 16).bytes());
  }
  CHECK(comparison.refused == 14);
  CHECK(comparison.refused_with_isal == 14);
}

TEST_CASE("the lengths of codes are repeated within their bounds only") {
  Comparison comparison;
  const auto check = [&](unsigned literals, unsigned distances, std::vector<std::pair<std::size_t, unsigned>> symbols) {
    DynamicHeader header{.literals = literals, .distances = distances, .symbols = std::move(symbols)};
    BitWriter out;
    header.put(out);
    out.bits(0, 16);
    const int before = comparison.accepted;
    comparison.check_raw(out.bytes());
    return comparison.accepted > before;
  };
  // 256 zeros, then the end of the block as the only code, and no distances.
  CHECK(check(257, 1, {{18, 127}, {18, 107}, {1, 0}, {0, 0}}));
  CHECK_FALSE(check(257, 1, {{16, 0}, {18, 127}, {18, 104}, {1, 0}, {0, 0}}));  // nothing before
  CHECK(check(257, 1, {{0, 0}, {16, 0}, {18, 127}, {18, 103}, {1, 0}, {0, 0}}));
  for (unsigned more = 0; more < 8; ++more) {
    CHECK(check(257, 1 + more + 3, {{18, 127}, {18, 107}, {1, 0}, {0, 0}, {17, more}}));
    CHECK_FALSE(check(257, more + 3, {{18, 127}, {18, 107}, {1, 0}, {0, 0}, {17, more}}));  // one too many
  }
  CHECK_FALSE(check(257, 10, {{18, 127}, {18, 107}, {1, 0}, {18, 0}}));
  CHECK(check(257, 11, {{18, 127}, {18, 107}, {1, 0}, {18, 0}}));
  CHECK(check(258, 4, {{18, 127}, {18, 107}, {1, 0}, {16, 0}, {0, 0}}) == false);  // four codes of one bit, across sets
  CHECK(check(258, 2, {{18, 127}, {18, 107}, {1, 0}, {16, 0}}));                   // two each
  CHECK_FALSE(check(257, 1, {{18, 127}, {18, 107}, {0, 0}, {1, 0}}));              // no end of the block
  CHECK_FALSE(check(257, 1, {{18, 127}, {18, 107}, {2, 0}, {0, 0}}));              // one code of two bits
  CHECK(check(257, 1, {{18, 127}, {18, 107}, {1, 0}, {1, 0}}));                    // one distance of one bit
  CHECK_FALSE(check(257, 1, {{18, 127}, {18, 107}, {1, 0}, {2, 0}}));              // of two
  for (unsigned literals = 284; literals <= 288; ++literals)
    CHECK(check(literals, 1, {{18, 127}, {18, 107}, {1, 0}, {18, literals - 257 - 11}, {0, 0}}) == (literals <= 286));
  for (unsigned distances = 28; distances <= 32; ++distances)
    CHECK(check(257, distances, {{18, 127}, {18, 107}, {1, 0}, {18, distances - 11}}) == (distances <= 30));
}

TEST_CASE("stored, fixed and empty blocks follow each other at any bit") {
  Random random(5);
  Comparison comparison;
  for (int i = 0; i < 5000; ++i) {
    CAPTURE(i);
    BitWriter out;
    for (std::int64_t count = random.between(1, 8); count > 0; --count) {
      out.bits(count == 1 ? 1 : 0, 1);
      switch (random.between(0, 20) == 0 ? 3 : random.between(0, 1)) {
        case 0: {
          out.bits(0, 2).align();
          const auto size = static_cast<unsigned>(random.chance(2) ? 0 : random.between(0, 40));
          out.bits(size, 16).bits(random.chance(40) ? size : ~size, 16);
          for (unsigned k = 0; k < size; ++k) out.bits(k, 8);
          break;
        }
        case 1:
          out.bits(1, 2);
          for (std::int64_t k = random.between(0, 5); k > 0; --k) {
            const auto kind = random.between(0, 9);
            if (kind < 6) out.code(0x30 + static_cast<unsigned>(random.between(0, 0x8f)), 8);  // a literal
            if (kind == 6) out.code(static_cast<unsigned>(random.between(1, 23)), 7);          // a length
            if (kind == 7) out.code(0xc0 + static_cast<unsigned>(random.between(0, 7)), 8);    // a long one, or none
            if (kind >= 6) out.bits(static_cast<unsigned>(random.between(0, 0x3ff)), random.chance(2) ? 5 : 10);
          }
          out.code(0, 7);
          break;
        default: out.bits(3, 2);  // no such block
      }
    }
    comparison.check_raw(out.bytes());
  }
  CHECK(comparison.accepted > 1000);
  CHECK(comparison.refused > 1000);
}

TEST_CASE("distances reach to the start of the text and no further") {
  Comparison comparison;
  // Distances of 1 to 4 have codes without extra bits. The text before is of `before` bytes, in one block or two.
  for (unsigned before = 0; before <= 5; ++before)
    for (unsigned distance = 1; distance <= 4; ++distance)
      for (const bool stored : {false, true}) {
        BitWriter out;
        if (stored) {
          out.bits(0, 3).align().bits(before, 16).bits(~before, 16);
          for (unsigned i = 0; i < before; ++i) out.bits(i, 8);
        }
        out.bits(1, 1).bits(1, 2);
        for (unsigned i = 0; i < before && !stored; ++i) out.code(0x30 + i, 8);
        out.code(1, 7).code(distance - 1, 5).code(0, 7);
        const int accepted = comparison.accepted;
        comparison.check_raw(out.bytes());
        CHECK((comparison.accepted > accepted) == (distance <= before));
      }
  // The largest distance, 32768, has code 29 and 13 extra bits. It is within reach from the 32769th byte on.
  for (const unsigned before : {32767u, 32768u, 32769u, 65000u}) {
    BitWriter out;
    out.bits(0, 3).align().bits(before, 16).bits(~before, 16);
    for (unsigned i = 0; i < before; ++i) out.bits(i * 7 % 251, 8);
    out.bits(1, 1).bits(1, 2).code(1, 7).code(29, 5).bits(0x1fff, 13).code(0, 7);
    const int accepted = comparison.accepted;
    comparison.check_raw(out.bytes());
    CHECK((comparison.accepted > accepted) == (before >= 32768));
  }
}

TEST_CASE("the header of a stream has the values that zlib accepts") {
  const Bytes stream = zlib_stream(Bytes(50, std::byte{1}), 6, 15, 8, 0);
  int accepted = 0;
  for (unsigned method = 0; method < 256; ++method)
    for (unsigned flags = 0; flags < 256; ++flags) {
      Bytes changed = stream;
      changed[0] = static_cast<std::byte>(method), changed[1] = static_cast<std::byte>(flags);
      const bool is_accepted = by_inflater(changed, 1000).has_value();
      REQUIRE(is_accepted == by_zlib(changed).has_value());
      accepted += is_accepted ? 1 : 0;
    }
  CHECK(accepted == 8 * 4);  // windows and levels, each with the one value that makes up a multiple of 31
}

TEST_CASE("a text longer than its stream's window is left to zlib") {
  for (int window = 9; window <= 15; ++window)
    for (const std::size_t more : {0u, 1u, 40000u}) {
      CAPTURE(window);
      CAPTURE(more);
      Random random(6);
      Bytes text((std::size_t{1} << window) + more);
      for (std::byte& byte : text) byte = static_cast<std::byte>(random.between(0, 3));
      const Bytes stream = zlib_stream(text, 6, window, 8, 0);
      REQUIRE((std::to_integer<int>(stream[0]) >> 4) == window - 8);
      CHECK(by_inflater(stream, 1000).has_value() == (more == 0 || window == 15));
    }
}

TEST_CASE("a wrong checksum is damage") {
  const Bytes stream = zlib_stream(Bytes(50, std::byte{1}), 6, 15, 8, 0);
  for (std::size_t at = stream.size() - 4; at < stream.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes changed = stream;
      changed[at] ^= std::byte{1} << bit;
      CHECK_FALSE(by_inflater(changed, 1000).has_value());
    }
}
