// The compression of GIF: LZW with codes of 9 to 12 bits (CompuServe, Graphics Interchange Format, version 89a,
// appendix F). giflib looks every pixel up in a hash table; here a run of one value is coded in a step for each code,
// so that the pixels of a frame that have not changed cost next to nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace convtool {

/// Codes the 8-bit pixels of one image.
class GifCodes {
 public:
  /// Runs of this value are the fast ones.
  explicit GifCodes(std::uint8_t run_value);

  /// `count` pixels of one value; at least 1.
  void put(std::uint8_t value, std::int64_t count);

  /// The codes of all pixels, without the sub-blocks that a file has them in. At least one pixel has been put, and none
  /// may be put later.
  std::vector<std::uint8_t> finish();

 private:
  static constexpr int kFirstBits = 9;
  static constexpr std::uint16_t kClear = 256, kEnd = 257, kFirst = 258, kMost = 4095;
  static constexpr std::size_t kSlots = 1 << 14;  // the table is at most a quarter full

  void extend(std::uint8_t value);
  void clear();
  void emit(std::uint16_t code);
  /// Emits the code of the string, and gives the string and one more value the next code. False if no code is left.
  bool emit_string();

  std::vector<std::uint8_t> bytes_;
  std::uint32_t bits_ = 0;  ///< not yet in bytes_
  int bit_count_ = 0, width_ = kFirstBits;
  std::uint16_t next_ = kFirst;  ///< code

  /// The pixels that no code has been emitted for are a string with a code. kEnd before the first pixel.
  std::uint16_t string_ = kEnd;
  std::array<std::uint32_t, kSlots> longer_{};  ///< a hash table: string and value in the upper 20 bits, code below

  std::vector<std::uint16_t> runs_;  ///< the codes of one, two, ... pixels of run_value_
  std::size_t run_ = 0;              ///< the string is this many of them; 0 if it is another
  std::uint8_t run_value_;
};

}  // namespace convtool
