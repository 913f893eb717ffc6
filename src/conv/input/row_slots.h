// Assigns input rows to the slots of a strip cache. Internal to conv/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace convtool {

/// Assigns rows to a fixed number of slots. A new row replaces the least recently used one.
class RowSlots {
 public:
  struct Slot {
    std::int64_t index = 0;
    bool is_new = false;  ///< the slot does not have the row yet: the caller fills it
  };

  explicit RowSlots(std::int64_t count)
      : rows_(static_cast<std::size_t>(count), kEmpty), last_used_(static_cast<std::size_t>(count), -1) {}

  std::int64_t count() const { return std::ssize(rows_); }

  /// Empties all slots.
  void clear() { std::fill(rows_.begin(), rows_.end(), kEmpty); }

  /// The slot of row `row`, counted through the batch: 0 or more.
  Slot find(std::int64_t row) {
    const auto found = std::find(rows_.begin(), rows_.end(), row);
    const bool is_new = found == rows_.end();
    const std::int64_t index =
        is_new ? std::min_element(last_used_.begin(), last_used_.end()) - last_used_.begin() : found - rows_.begin();
    rows_[static_cast<std::size_t>(index)] = row;
    last_used_[static_cast<std::size_t>(index)] = now_++;
    return {.index = index, .is_new = is_new};
  }

 private:
  static constexpr std::int64_t kEmpty = -1;

  std::vector<std::int64_t> rows_;
  std::vector<std::int64_t> last_used_;  // the count of find() at that time
  std::int64_t now_ = 0;
};

}  // namespace convtool
