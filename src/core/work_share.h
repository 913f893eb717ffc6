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
#include <span>

#include "core/range.h"

namespace convtool {

/// One thread calls take(); all may call steal() and left() at the same time.
class WorkShare {
 public:
  /// Starts with `items`, which are from `first` on, less than 2^32 of them. `all` are the shares of a piece of work,
  /// this one included. Called for each of them before any other function.
  void begin(std::span<WorkShare> all, std::int64_t first, const Range& items) {
    all_ = all;
    first_ = first;
    fill(items);
  }

  /// Takes the first items that are left, at most `most` of them. Where none are left, steals from the fullest share.
  /// Empty if that has none left either.
  Range take(std::int64_t most = 1) {
    const auto front = [most](const Range& left) {
      return Range{left.begin, left.begin + std::min(most, left.size())};
    };
    Range taken = cut(front);
    while (taken.is_empty() && refill()) taken = cut(front);
    return taken;
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

  void fill(const Range& items) { items_ = packed({items.begin - first_, items.end - first_}); }

  /// Fills the empty share with half of what the fullest has left. Returns whether there was anything.
  bool refill() {
    const auto has_less = [](const WorkShare& a, const WorkShare& b) { return a.left() < b.left(); };
    while (true) {
      WorkShare& fullest = *std::max_element(all_.begin(), all_.end(), has_less);
      if (fullest.left() == 0) return false;
      const Range taken = fullest.steal();
      if (taken.is_empty()) continue;  // others were faster
      fill(taken);
      return true;
    }
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
  std::span<WorkShare> all_;
};

}  // namespace convtool
