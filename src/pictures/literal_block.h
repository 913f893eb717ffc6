// Internal to pictures/: Deflate without a search for repetitions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pictures/bit_packer.h"

namespace convtool {

/// A Deflate block (RFC 1951, 3.2.3) of literals alone, with Huffman codes made for it, or stored where that is
/// smaller. A quick search for repetitions finds few of use in the filtered rows of a photograph: such blocks take a
/// third of the time, and are often smaller.
class LiteralBlock {
 public:
  static constexpr std::size_t kMost = 65535;  ///< bytes of a stored block

  /// `data` has at most kMost bytes, and outlives the block.
  explicit LiteralBlock(std::span<const std::byte> data);

  std::span<const std::byte> data() const { return data_; }

  /// Bytes of the block, at most.
  std::size_t size() const;

  /// Adds the block to a stream. Another block may follow at once.
  void write(bool is_last, BitPacker& to) const;

 private:
  static constexpr std::size_t kLiterals = 257;  // bytes, and the end of the block
  static constexpr std::size_t kDistances = 2;   // never used; zlib writes this many too, for the sake of old readers
  static constexpr std::size_t kLengthCodes = 19;

  /// A part of the list of all lengths: a length, or a repetition, which has a number (3.2.7).
  struct Run {
    std::uint8_t symbol, extra;
  };

  void plan_header();
  bool is_coded() const;
  void write_codes(BitPacker& stream) const;

  std::span<const std::byte> data_;
  std::array<std::uint8_t, kLiterals + kDistances> lengths_ = {};  // of codes
  std::array<Run, kLiterals + kDistances> runs_;                   // the same lengths, as they are written
  std::size_t run_count_ = 0;
  std::array<std::uint8_t, kLengthCodes> run_lengths_ = {};  // of the codes of runs
  std::size_t run_lengths_written_ = 0;
  std::size_t bits_ = 0;  // of the block with these codes
};

}  // namespace convtool
