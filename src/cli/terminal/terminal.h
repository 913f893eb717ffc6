// The user's terminal: messages, their colours, and the line that shows progress.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace convtool {

/// Prints to standard output. Throws Error(output) when it cannot be written.
void print(std::string_view text);

/// Prints to standard error. A failure to write is ignored: there is nowhere left to report it.
void print_error(std::string_view text);

enum class MessageKind { error, warning, note };

/// Prints "convtool: MESSAGE" with a newline to standard error, warnings as "convtool: warning: MESSAGE". Control
/// characters are escaped, and of more than 10 KiB the middle is left out. On a terminal the prefix of errors is red
/// and that of warnings yellow (may_use_colours()).
void print_message(MessageKind kind, std::string_view message);

/// Whether `descriptor` is a terminal that interprets control sequences.
bool is_capable_terminal(int descriptor);

/// Whether text on `descriptor` may have colours: it is such a terminal, and NO_COLOR is not set (no-color.org).
bool may_use_colours(int descriptor);

/// The width of the terminal's window in characters; nothing if `descriptor` is not a terminal or does not know.
std::optional<std::size_t> terminal_columns(int descriptor);

/// A line at the bottom of the terminal, on standard error, that is drawn again and again. Not thread-safe.
class StatusLine {
 public:
  explicit StatusLine(bool shown) : shown_(shown) {}
  ~StatusLine() { erase(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Removes the line. Call it before anything else is printed.
  void erase();

  /// Draws what `text()` returns if the line was erased or is older than a tenth of a second.
  template <class Text>
  void draw(const Text& text) {
    if (is_due()) put(text());
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool is_due() const { return shown_ && (!drawn_ || Clock::now() - drawn_at_ >= std::chrono::milliseconds(100)); }
  void put(const std::string& text);

  bool shown_;
  bool drawn_ = false;
  Clock::time_point drawn_at_;
};

enum class ProgressMode { automatic, always, never };
inline constexpr std::string_view kProgressModes[] = {"auto", "always", "never"};

/// "12/40 [######              ] 3.1 MP/s, 9 s left": `done` of `count` inputs, `pixels` in `seconds` so far.
std::string progress_text(std::size_t done, std::size_t count, double pixels, double seconds);

/// A status line that shows how many inputs of a batch are done. Not thread-safe.
class Progress {
 public:
  /// Automatic: shown if standard error is a capable terminal and there is more than one input.
  Progress(ProgressMode mode, std::size_t count);

  /// Removes the line. Call it before anything else is printed.
  void erase() { line_.erase(); }

  /// Raises the number of inputs by one.
  void expect_more() { ++count_; }

  /// Counts one more input, of `pixels` pixels, and draws the line if it is due.
  void add(double pixels);

 private:
  using Clock = std::chrono::steady_clock;

  StatusLine line_;
  std::size_t count_, done_ = 0;
  double pixels_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace convtool
