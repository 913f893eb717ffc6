// The work items that a thread has still to do. Idle threads take from it, so that all end at the same time, however
// late a thread started and whatever else its core has to do.
//
//   share of thread 0   |taken|. . . . . . . .|        thread 0 takes items at the front, one after another
//                                     |. . . .|        an idle thread takes the back half: its new share
//
// A thread walks through neighbouring items, and what it keeps from one to the next (rows, running sums) stays useful:
// nothing is computed twice unless a share is split. (Lazy splitting of ranges: A. Tzannes and others, Lazy Binary
// Splitting, PPoPP 2010.)
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "core/range.h"

namespace convtool {

/// One thread calls take() and fill(); all may call steal() and left() at the same time.
class WorkShare {
 public:
  /// Items are from `first` on, less than 2^32 of them. Called before any other function.
  void begin_at(std::int64_t first) { first_ = first; }

  void fill(const Range& items) { items_ = packed({items.begin - first_, items.end - first_}); }

  /// Takes the first items that are left, at most `most` of them. Empty if none are left.
  Range take(std::int64_t most = 1) {
    return cut([most](const Range& left) { return Range{left.begin, left.begin + std::min(most, left.size())}; });
  }

  /// Takes the back half of the items that are left, the middle one included. Empty if none are left.
  Range steal() {
    return cut([](const Range& left) { return Range{left.end - (left.size() + 1) / 2, left.end}; });
  }

  std::int64_t left() const { return unpacked(items_).size(); }

 private:
  static std::uint64_t packed(const Range& items) {
    return static_cast<std::uint64_t>(items.begin) << 32 | static_cast<std::uint64_t>(items.end);
  }
  static Range unpacked(std::uint64_t items) {
    return {static_cast<std::int64_t>(items >> 32), static_cast<std::int64_t>(items & 0xffffffff)};
  }

  /// Removes part(items that are left), which lies at one of their ends, and returns it.
  template <class Part>
  Range cut(const Part& part) {
    std::uint64_t before = items_;
    while (true) {
      const Range left = unpacked(before), taken = part(left);
      const Range rest = taken.begin == left.begin ? Range{taken.end, left.end} : Range{left.begin, taken.begin};
      if (items_.compare_exchange_weak(before, packed(rest))) return {taken.begin + first_, taken.end + first_};
    }
  }

  alignas(64) std::atomic<std::uint64_t> items_ = 0;  // begin and end, counted from first_; in a cache line of its own
  std::int64_t first_ = 0;
};

}  // namespace convtool
