// ISA-L decodes one block at a time, into its own buffer (isal_inflate() in igzip_inflate.c, versions 2.30 to 2.32).
// Before each block, its header is checked by zlib's rules (inflate.c, inftrees.c), since ISA-L also accepts codes that
// are not complete. ISA-L is told that each block is the last one, so that it stops before the next header. After a
// last block it forgets its place in the last byte as soon as its buffer is empty. Here the buffer never seems empty to
// it: the count of bytes taken from there stays at -1.
#include "pictures/inflate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "pictures/compression.h"

namespace convtool {
namespace {

using u8 = std::uint8_t;

constexpr std::size_t kInput = std::size_t{1} << 17;  // fits into the caches of a core, beside the output
constexpr std::size_t kWindow = ISAL_DEF_HIST_SIZE;   // the largest distance
constexpr int kBuffer = 2 * ISAL_DEF_HIST_SIZE;       // ISA-L stops here, or within a look-ahead of its buffer after it

/// Bytes of the longest header of a block: 3 bits, 14 bits, 19 lengths of 3 bits, 286 + 30 lengths of at most 7 bits.
constexpr std::size_t kLongestHeader = (3 + 14 + 19 * 3 + 316 * 7 + 7) / 8;

/// Bits of a stream, lowest first. After the end there are zeros.
class BitReader {
 public:
  /// The lowest `count` bits of `bits`, then `bytes`.
  BitReader(std::uint64_t bits, int count, std::span<const u8> bytes)
      : bits_(count == 64 ? bits : bits & ((std::uint64_t{1} << count) - 1)), count_(count), bytes_(bytes) {}

  /// The next `count` bits, at most 16, which stay the next ones.
  unsigned peek(int count) {
    while (count_ < count && !bytes_.empty()) {
      bits_ |= std::uint64_t{bytes_.front()} << count_;
      bytes_ = bytes_.subspan(1);
      count_ += 8;
    }
    return static_cast<unsigned>(bits_ & ((1u << count) - 1));
  }

  /// The next `count` bits, at most 16.
  unsigned take(int count) {
    const unsigned taken = peek(count);
    bits_ >>= count;
    count_ -= count;
    return taken;
  }

  /// Skips the rest of a byte.
  void align() {
    if (count_ > 0) take(count_ % 8);
  }

  bool is_past_end() const { return count_ < 0; }
  bool has_more() const { return count_ > 0 || !bytes_.empty(); }

 private:
  std::uint64_t bits_;
  int count_;  // negative after the end
  std::span<const u8> bytes_;
};

/// The space that codes of these lengths (0: no code) take up: 2^15 if the set is complete.
int used_space(std::span<const u8> lengths) {
  int used = 0;
  for (const u8 length : lengths)
    if (length > 0) used += 1 << (15 - length);
  return used;
}

/// Whether a set of codes for literals and lengths or for distances is complete, or has at most one code, of one bit.
bool is_code_set(std::span<const u8> lengths) {
  const int used = used_space(lengths);
  return used == 1 << 15 || (used < 1 << 15 && *std::max_element(lengths.begin(), lengths.end()) <= 1);
}

/// The code of the lengths of codes: for each 7 bits, the symbol they begin with, and its length.
struct LengthCode {
  std::array<u8, 128> symbol, length;
};

/// `lengths` are a complete set of at most 7 bits.
LengthCode make_length_code(const std::array<u8, 19>& lengths) {
  LengthCode result;
  unsigned code = 0;  // of 7 bits, highest first (RFC 1951, 3.2.2)
  for (u8 length = 1; length <= 7; ++length)
    for (u8 symbol = 0; symbol < 19; ++symbol) {
      if (lengths[symbol] != length) continue;
      for (const unsigned end = code + (128u >> length); code < end; ++code) {
        unsigned reversed = 0;
        for (int bit = 0; bit < 7; ++bit) reversed |= (code >> bit & 1) << (6 - bit);
        result.symbol[reversed] = symbol;
        result.length[reversed] = length;
      }
    }
  return result;
}

/// Reads the codes of a block with dynamic codes (RFC 1951, 3.2.7), and returns whether zlib accepts them.
bool are_dynamic_codes(BitReader& bits) {
  constexpr std::array<u8, 19> kOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  constexpr std::size_t kEndOfBlock = 256;
  const std::size_t literals = bits.take(5) + 257, distances = bits.take(5) + 1, lengths = bits.take(4) + 4;
  if (literals > 286 || distances > 30) return false;
  std::array<u8, 19> length_code = {};
  for (std::size_t i = 0; i < lengths; ++i) length_code[kOrder[i]] = static_cast<u8>(bits.take(3));
  if (used_space(length_code) != 1 << 15) return false;
  const LengthCode code = make_length_code(length_code);

  std::array<u8, 286 + 30> all;
  const std::size_t count = literals + distances;
  for (std::size_t done = 0; done < count;) {
    const unsigned next = bits.peek(7);
    const u8 symbol = code.symbol[next];
    bits.take(code.length[next]);
    std::size_t repeat = 1;
    if (symbol == 16) repeat = 3 + bits.take(2);
    if (symbol == 17) repeat = 3 + bits.take(3);
    if (symbol == 18) repeat = 11 + bits.take(7);
    if (repeat > count - done || (symbol == 16 && done == 0)) return false;
    const u8 length = symbol < 16 ? symbol : symbol == 16 ? all[done - 1] : u8{0};
    std::fill_n(all.begin() + static_cast<std::ptrdiff_t>(done), repeat, length);
    done += repeat;
  }
  const auto of_all = std::span(all).first(count);
  return all[kEndOfBlock] > 0 && is_code_set(of_all.first(literals)) && is_code_set(of_all.subspan(literals)) &&
         !bits.is_past_end();
}

/// Reads the header of a block, and returns whether zlib accepts it.
bool is_block_header(BitReader bits) {
  enum Type { stored, fixed_codes, dynamic_codes };
  bits.take(1);
  switch (bits.take(2)) {
    case stored: {
      bits.align();
      const unsigned size = bits.take(16), complement = bits.take(16);
      return !bits.is_past_end() && size == (complement ^ 0xffff);
    }
    case fixed_codes: return !bits.is_past_end();
    case dynamic_codes: return are_dynamic_codes(bits);
    default: return false;
  }
}

BitReader bits_of(const inflate_state& state) {
  return {state.read_in, state.read_in_length, {state.next_in, state.avail_in}};
}

}  // namespace

Inflater::Inflater(std::function<std::span<const std::byte>()> next_part)
    : next_part_(std::move(next_part)),
      input_(std::make_unique_for_overwrite<u8[]>(kInput)),
      state_(std::make_unique_for_overwrite<inflate_state>()),
      checksum_(kAdler32OfNothing) {
  isal_inflate_init(state_.get());
  state_->next_in = input_.get();
  state_->next_out = state_->tmp_out_buffer;  // where it writes nothing
  state_->tmp_out_processed = -1;
}

/// Fills input_, as far as the stream goes.
void Inflater::refill() {
  inflate_state& state = *state_;
  std::memmove(input_.get(), state.next_in, state.avail_in);
  state.next_in = input_.get();
  while (state.avail_in < kInput) {
    if (part_.empty()) part_ = next_part_();
    if (part_.empty()) return;
    const std::size_t size = std::min(part_.size(), kInput - state.avail_in);
    std::memcpy(input_.get() + state.avail_in, part_.data(), size);
    part_ = part_.subspan(size);
    state.avail_in += static_cast<std::uint32_t>(size);
  }
}

bool Inflater::read_zlib_header() {
  constexpr unsigned kDeflate = 8, kDictionary = 0x20;
  refill();
  if (state_->avail_in < 2) return false;
  const unsigned method = state_->next_in[0], flags = state_->next_in[1];
  state_->next_in += 2;
  state_->avail_in -= 2;
  window_ = std::size_t{256} << (method >> 4);
  return (method & 15) == kDeflate && window_ <= kWindow && (method * 256 + flags) % 31 == 0 &&
         (flags & kDictionary) == 0;
}

/// Checks the header of a block, and makes it that of a last block.
bool Inflater::begin_block() {
  inflate_state& state = *state_;
  if (state.avail_in < kLongestHeader) refill();
  BitReader bits = bits_of(state);
  if (!is_block_header(bits)) return false;
  is_last_block_ = bits.take(1) == 1;
  if (state.read_in_length == 0) {
    state.read_in = *state.next_in++;
    state.read_in_length = 8;
    --state.avail_in;
  }
  state.read_in |= 1;
  state.block_state = ISAL_BLOCK_NEW_HDR;
  return true;
}

/// Reads the checksum, which begins with the next byte.
bool Inflater::is_checksum_right() {
  inflate_state& state = *state_;
  if (state.avail_in < sizeof checksum_) refill();
  BitReader bits = bits_of(state);
  bits.align();
  std::uint32_t stored = 0;
  for (int i = 0; i < 4; ++i) stored = stored << 8 | bits.take(8);
  const bool is_whole = !bits.is_past_end();
  has_rest_ = bits.has_more() || !part_.empty();
  return is_whole && stored == checksum_;
}

std::optional<std::span<const std::byte>> Inflater::next() {
  inflate_state& state = *state_;
  if (place_ == Place::zlib_header) place_ = read_zlib_header() ? Place::block_header : Place::damage;
  if (state.tmp_out_valid > static_cast<int>(kWindow)) {
    std::memmove(state.tmp_out_buffer, state.tmp_out_buffer + state.tmp_out_valid - kWindow, kWindow);
    state.tmp_out_valid = kWindow;
  }
  const int begin = state.tmp_out_valid;
  while ((place_ == Place::block_header || place_ == Place::block) && state.tmp_out_valid < kBuffer) {
    if (place_ == Place::block_header)
      place_ = begin_block() ? Place::block : Place::damage;
    else
      place_ = continue_block();
  }
  const auto piece = std::as_bytes(std::span(state.tmp_out_buffer + begin, state.tmp_out_buffer + state.tmp_out_valid));
  checksum_ = adler32_of(piece, checksum_);
  text_size_ += piece.size();
  if (window_ < kWindow && text_size_ > window_) place_ = Place::damage;
  if (place_ == Place::checksum) place_ = is_checksum_right() ? Place::end : Place::damage;
  if (place_ == Place::damage) return std::nullopt;
  return piece;
}

/// Decodes a block as far as there is room.
Inflater::Place Inflater::continue_block() {
  inflate_state& state = *state_;
  if (state.avail_in == 0) refill();
  const auto before = std::tuple(state.tmp_out_valid, state.avail_in, state.read_in_length, state.block_state);
  if (isal_inflate(&state) != ISAL_DECOMP_OK) return Place::damage;
  if (state.block_state == ISAL_BLOCK_INPUT_DONE) return is_last_block_ ? Place::checksum : Place::block_header;
  const auto after = std::tuple(state.tmp_out_valid, state.avail_in, state.read_in_length, state.block_state);
  return before == after ? Place::damage : Place::block;  // the stream ends too early
}

bool inflate_whole(std::span<const std::byte> stream, std::span<std::byte> text) {
  Inflater inflater([&stream] { return std::exchange(stream, {}); });
  while (const auto piece = inflater.next()) {
    if (piece->empty()) return text.empty();
    if (piece->size() > text.size()) return false;
    std::memcpy(text.data(), piece->data(), piece->size());
    text = text.subspan(piece->size());
  }
  return false;
}

}  // namespace convtool
