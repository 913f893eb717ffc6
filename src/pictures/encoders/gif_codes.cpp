#include "pictures/encoders/gif_codes.h"

#include <algorithm>
#include <utility>

namespace convtool {

GifCodes::GifCodes(std::uint8_t run_value) : runs_{run_value}, run_value_(run_value) { emit(kClear); }

void GifCodes::put(std::uint8_t value, std::int64_t count) {
  if (string_ == kEnd) {
    string_ = value;
    run_ = value == run_value_ ? 1 : 0;
    --count;
  }
  while (count > 0) {
    if (value != run_value_ || run_ == 0) {
      extend(value);
      --count;
      continue;
    }
    const std::int64_t step = std::min(count, static_cast<std::int64_t>(runs_.size() - run_));
    run_ += static_cast<std::size_t>(step);
    string_ = runs_[run_ - 1];
    count -= step;
    if (count == 0) return;
    if (emit_string()) runs_.push_back(static_cast<std::uint16_t>(next_ - 1));
    string_ = run_value_;
    run_ = 1;
    --count;
  }
}

/// One pixel more, which does not continue a run.
void GifCodes::extend(std::uint8_t value) {
  const std::uint32_t key = (static_cast<std::uint32_t>(string_) << 8) | value;
  constexpr std::uint32_t kMixer = 0x9E3779B1, kCodeBits = 12;  // Fibonacci hashing (Knuth, TAOCP 3, 6.4)
  std::size_t slot = (key * kMixer) >> 18;                      // 14 bits
  for (; longer_[slot] != 0; slot = (slot + 1) % kSlots) {
    if (longer_[slot] >> kCodeBits != key) continue;
    string_ = static_cast<std::uint16_t>(longer_[slot] & kMost);
    run_ = 0;
    return;
  }
  if (emit_string()) longer_[slot] = (key << kCodeBits) | static_cast<std::uint32_t>(next_ - 1);
  string_ = value;
  run_ = value == run_value_ ? 1 : 0;
}

bool GifCodes::emit_string() {
  emit(string_);
  if (next_ == kMost) {
    clear();
    return false;
  }
  if (next_ == 1 << width_) ++width_;
  ++next_;
  return true;
}

void GifCodes::clear() {
  emit(kClear);
  width_ = kFirstBits;
  next_ = kFirst;
  longer_.fill(0);
  runs_.resize(1);
}

void GifCodes::emit(std::uint16_t code) {
  bits_ |= static_cast<std::uint32_t>(code) << bit_count_;
  bit_count_ += width_;
  for (; bit_count_ >= 8; bit_count_ -= 8, bits_ >>= 8) bytes_.push_back(static_cast<std::uint8_t>(bits_));
}

std::vector<std::uint8_t> GifCodes::finish() {
  emit_string();
  emit(kEnd);
  if (bit_count_ > 0) bytes_.push_back(static_cast<std::uint8_t>(bits_));
  return std::move(bytes_);
}

}  // namespace convtool
