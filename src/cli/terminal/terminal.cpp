#include "cli/terminal/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "core/printable.h"
#include "core/text.h"
#include "files/file.h"
#include "files/stderr_capture.h"

namespace convtool {
namespace {

/// Leaves out the middle of a text that is longer than two paths (PATH_MAX) and a sentence: it quotes a name or number
/// of an input. What is wrong stands first, and what to do last.
std::string without_long_middle(const std::string& text) {
  constexpr std::size_t kStart = 8192, kEnd = 2048;
  if (text.size() <= kStart + kEnd) return text;
  const auto begins_character = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80; };
  std::size_t start = kStart, end = text.size() - kEnd;
  while (!begins_character(start)) --start;
  while (!begins_character(end)) ++end;
  return text.substr(0, start) + " ... " + text.substr(end);
}

}  // namespace

void print(std::string_view text) { write_stdout(std::as_bytes(std::span(text.data(), text.size()))); }

void print_error(std::string_view text) { print_to_stderr(text); }

void print_message(MessageKind kind, std::string_view message) {
  // ECMA-48, SGR: bold red, bold yellow, reset.
  constexpr const char* kColours[] = {"\x1b[1;31m", "\x1b[1;33m", ""};
  std::string prefix = kind == MessageKind::warning ? "convtool: warning:" : "convtool:";
  if (kind != MessageKind::note && may_use_colours(STDERR_FILENO))
    prefix = kColours[static_cast<int>(kind)] + prefix + "\x1b[0m";
  print_error(prefix + " " + without_long_middle(printable(message)) + "\n");
}

bool is_capable_terminal(int descriptor) {
  const char* const kind = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

std::optional<std::size_t> terminal_columns(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

bool may_use_colours(int descriptor) {
  const char* const refused = std::getenv("NO_COLOR");
  return is_capable_terminal(descriptor) && (refused == nullptr || *refused == '\0');
}

void StatusLine::erase() {
  constexpr const char* kEraseLine = "\r\x1b[K";  // ECMA-48: carriage return, EL
  if (drawn_) print_error(kEraseLine);
  drawn_ = false;
}

void StatusLine::put(const std::string& text) {
  erase();
  print_error(text);
  drawn_ = true;
  drawn_at_ = Clock::now();
}

std::string progress_text(std::size_t done, std::size_t count, double pixels, double seconds) {
  constexpr std::size_t kWidth = 20;
  const std::size_t filled = kWidth * done / std::max<std::size_t>(count, 1);
  const std::string speed = " " + fixed_text(seconds > 0 ? pixels / 1e6 / seconds : 0.0, 1) + " MP/s";
  std::string text = std::to_string(done) + "/" + std::to_string(count) + " [" + std::string(filled, '#') +
                     std::string(kWidth - filled, ' ') + "]" + speed;
  if (done > 0 && done < count)
    text += ", " + fixed_text(seconds / static_cast<double>(done) * static_cast<double>(count - done), 0) + " s left";
  return text;
}

Progress::Progress(ProgressMode mode, std::size_t count)
    : line_(mode == ProgressMode::always ||
            (mode == ProgressMode::automatic && count > 1 && is_capable_terminal(STDERR_FILENO))),
      count_(count) {}

void Progress::add(double pixels) {
  ++done_;
  pixels_ += pixels;
  line_.draw([this] {
    return progress_text(done_, count_, pixels_, std::chrono::duration<double>(Clock::now() - start_).count());
  });
}

}  // namespace convtool
