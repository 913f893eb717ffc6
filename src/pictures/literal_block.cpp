#include "pictures/literal_block.h"

#include <algorithm>

namespace convtool {
namespace {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr std::size_t kEndOfBlock = 256;
constexpr int kLongestCode = 14;    // of Deflate's 15: four of them fit into BitPacker::put()
constexpr int kLongestRunCode = 7;  // of Deflate
constexpr std::size_t kStored = 6;  // bytes of a stored block beside its data: type and padding, the size twice
constexpr u8 kRepeat = 16, kZeros = 17, kManyZeros = 18;
constexpr u8 kExtraBits[] = {2, 3, 7};  // of these

/// The order in which the lengths of the codes of runs are written (RFC 1951, 3.2.7).
constexpr std::array<u8, 19> kOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

/// How often each byte occurs. In four tables, since processors wait when they count the same byte twice in a row.
std::array<u32, 256> count_bytes(std::span<const std::byte> data) {
  std::array<std::array<u32, 256>, 4> parts = {};
  std::size_t i = 0;
  for (; i + 4 <= data.size(); i += 4)
    for (std::size_t part = 0; part < 4; ++part) ++parts[part][std::to_integer<u8>(data[i + part])];
  for (; i < data.size(); ++i) ++parts[0][std::to_integer<u8>(data[i])];
  for (std::size_t value = 0; value < 256; ++value)
    for (std::size_t part = 1; part < 4; ++part) parts[0][value] += parts[part][value];
  return parts[0];
}

/// The lengths of a Huffman code for symbols that occur this often, each at most `longest`; 0 for symbols that do not
/// occur. At least two do, and none more than 2^16 times.
template <std::size_t size>
void make_lengths(const std::array<u32, size>& counts, int longest, u8* lengths) {
  constexpr u32 kSymbols = 512;
  std::array<u32, size> sorted;  // counts, each with its symbol
  std::size_t used = 0;
  for (std::size_t symbol = 0; symbol < size; ++symbol)
    if (counts[symbol] > 0) sorted[used++] = counts[symbol] * kSymbols + static_cast<u32>(symbol);
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(used));

  // The tree: leaves in the order of their counts, then inner nodes, whose counts grow in the order in which they are
  // made. So the two rarest nodes are always among the first leaf and the first inner node without a parent.
  const std::size_t root = 2 * used - 2;
  std::array<u32, 2 * size> weights;
  std::array<std::uint16_t, 2 * size> parents;
  std::array<u8, 2 * size> depths;
  for (std::size_t leaf = 0; leaf < used; ++leaf) weights[leaf] = sorted[leaf] / kSymbols;
  for (;;) {
    std::size_t leaf = 0, inner = used;
    for (std::size_t node = used; node <= root; ++node) {
      weights[node] = 0;
      for (int child = 0; child < 2; ++child) {
        const bool is_leaf = leaf < used && (inner == node || weights[leaf] <= weights[inner]);
        const std::size_t rarest = is_leaf ? leaf++ : inner++;
        weights[node] += weights[rarest];
        parents[rarest] = static_cast<std::uint16_t>(node);
      }
    }
    depths[root] = 0;
    for (std::size_t node = root; node-- > 0;) depths[node] = static_cast<u8>(depths[parents[node]] + 1);
    if (depths[0] <= longest) break;                                           // of the rarest symbol
    for (std::size_t i = 0; i < used; ++i) weights[i] = (weights[i] + 1) / 2;  // more alike, and so will be the depths
  }
  for (std::size_t i = 0; i < used; ++i) lengths[sorted[i] % kSymbols] = depths[i];
}

struct Code {
  std::uint16_t bits, length;
};

/// The codes of these lengths (3.2.2). Their highest bit is written first.
template <std::size_t size>
std::array<Code, size> make_codes(const u8* lengths) {
  std::array<unsigned, 16> next = {};
  for (std::size_t symbol = 0; symbol < size; ++symbol) ++next[lengths[symbol]];
  next[0] = 0;
  unsigned code = 0;
  for (unsigned& of_length : next) {
    const unsigned count = of_length;
    of_length = code;
    code = (code + count) << 1;
  }
  std::array<Code, size> codes;
  for (std::size_t symbol = 0; symbol < size; ++symbol) {
    const int length = lengths[symbol];
    const unsigned value = length > 0 ? next[lengths[symbol]]++ : 0;
    unsigned reversed = 0;
    for (int bit = 0; bit < length; ++bit) reversed |= (value >> bit & 1) << (length - 1 - bit);
    codes[symbol] = {.bits = static_cast<std::uint16_t>(reversed), .length = static_cast<std::uint16_t>(length)};
  }
  return codes;
}

}  // namespace

LiteralBlock::LiteralBlock(std::span<const std::byte> data) : data_(data) {
  std::array<u32, kLiterals> counts;
  const std::array<u32, 256> bytes = count_bytes(data);
  std::copy(bytes.begin(), bytes.end(), counts.begin());
  counts[kEndOfBlock] = 1;
  if (data.empty()) counts[0] = 1;  // a code needs two symbols
  make_lengths(counts, kLongestCode, lengths_.data());
  std::fill_n(lengths_.begin() + kLiterals, kDistances, u8{1});
  for (std::size_t symbol = 0; symbol < kLiterals; ++symbol) bits_ += std::size_t{counts[symbol]} * lengths_[symbol];
  plan_header();
}

void LiteralBlock::plan_header() {
  std::array<u32, kLengthCodes> counts = {};
  const auto add = [&](u8 symbol, std::size_t extra) {
    runs_[run_count_++] = {.symbol = symbol, .extra = static_cast<u8>(extra)};
    ++counts[symbol];
  };
  for (std::size_t i = 0; i < lengths_.size();) {
    const u8 length = lengths_[i];
    const auto other = std::find_if(lengths_.begin() + static_cast<std::ptrdiff_t>(i), lengths_.end(),
                                    [&](u8 next) { return next != length; });
    std::size_t run = static_cast<std::size_t>(other - lengths_.begin()) - i;
    i += run;
    if (length > 0) {
      add(length, 0);
      --run;
    }
    while (run >= 3) {
      const std::size_t part = std::min<std::size_t>(run, length > 0 ? 6 : 138);
      if (length > 0)
        add(kRepeat, part - 3);
      else if (part <= 10)
        add(kZeros, part - 3);
      else
        add(kManyZeros, part - 11);
      run -= part;
    }
    for (; run > 0; --run) add(length, 0);
  }
  make_lengths(counts, kLongestRunCode, run_lengths_.data());
  run_lengths_written_ = kLengthCodes;
  while (run_lengths_[kOrder[run_lengths_written_ - 1]] == 0) --run_lengths_written_;

  bits_ += 3 + 14 + 3 * run_lengths_written_;
  for (std::size_t symbol = 0; symbol < kLengthCodes; ++symbol) {
    const std::size_t extra = symbol < kRepeat ? 0 : kExtraBits[symbol - kRepeat];
    bits_ += counts[symbol] * (run_lengths_[symbol] + extra);
  }
}

bool LiteralBlock::is_coded() const { return bits_ < 8 * (kStored + data_.size()); }

std::size_t LiteralBlock::size() const { return is_coded() ? bits_ / 8 + 1 : kStored + data_.size(); }

void LiteralBlock::write(bool is_last, BitPacker& to) const {
  enum Type : u64 { stored, fixed_codes, dynamic_codes };
  to.put(u64{is_last} | (is_coded() ? dynamic_codes : stored) << 1, 3);
  if (is_coded()) return write_codes(to);
  to.align();
  to.put(data_.size() | (~data_.size() & 0xffff) << 16, 32);
  to.put_bytes(data_);
}

void LiteralBlock::write_codes(BitPacker& stream) const {
  BitPacker to = stream;  // stores of bytes cannot change its members, so that they stay in registers
  to.put((kLiterals - 257) | (kDistances - 1) << 5 | (run_lengths_written_ - 4) << 10, 14);
  for (std::size_t i = 0; i < run_lengths_written_; ++i) to.put(run_lengths_[kOrder[i]], 3);
  const auto run_codes = make_codes<kLengthCodes>(run_lengths_.data());
  for (std::size_t i = 0; i < run_count_; ++i) {
    const auto [symbol, extra] = runs_[i];
    to.put(run_codes[symbol].bits, run_codes[symbol].length);
    if (symbol >= kRepeat) to.put(extra, kExtraBits[symbol - kRepeat]);
  }

  const auto codes = make_codes<kLiterals>(lengths_.data());
  const auto code_of = [&](std::size_t i) { return codes[std::to_integer<u8>(data_[i])]; };
  std::size_t i = 0;
  for (; i + 4 <= data_.size(); i += 4) {  // in pairs, so that few operations wait for another
    const Code first = code_of(i), second = code_of(i + 1), third = code_of(i + 2), fourth = code_of(i + 3);
    const u64 low = first.bits | u64{second.bits} << first.length, high = third.bits | u64{fourth.bits} << third.length;
    const int low_length = first.length + second.length;
    to.put(low | high << low_length, low_length + third.length + fourth.length);
  }
  for (; i < data_.size(); ++i) to.put(code_of(i).bits, code_of(i).length);
  to.put(codes[kEndOfBlock].bits, codes[kEndOfBlock].length);
  stream = to;
}

}  // namespace convtool
