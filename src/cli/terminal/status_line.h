// A line at the foot of the terminal that is drawn over and over again.
#pragma once

#include <chrono>
#include <string>

namespace convtool {

/// It stands on standard error, below all that is printed meanwhile. Not for several threads at once.
class StatusLine {
 public:
  explicit StatusLine(bool shown) : shown_(shown) {}
  ~StatusLine() { erase(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Takes the line away: before anything else is printed.
  void erase();

  /// Draws what `text()` returns, where the line stands no longer, or since a tenth of a second.
  template <class Text>
  void draw(const Text& text) {
    if (is_due()) put(text());
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool is_due() const { return shown_ && (!stands_ || Clock::now() - drawn_ >= std::chrono::milliseconds(100)); }
  void put(const std::string& text);

  bool shown_;
  bool stands_ = false;
  Clock::time_point drawn_;
};

}  // namespace convtool
