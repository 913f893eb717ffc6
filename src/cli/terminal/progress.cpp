#include "cli/terminal/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/terminal/terminal.h"

namespace convtool {

std::string progress_text(std::size_t done, std::size_t count, double pixels, double seconds) {
  constexpr std::size_t kWidth = 20;
  const std::size_t filled = kWidth * done / std::max<std::size_t>(count, 1);
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, " %.1f MP/s", seconds > 0 ? pixels / 1e6 / seconds : 0.0);
  std::string text = std::to_string(done) + "/" + std::to_string(count) + " [" + std::string(filled, '#') +
                     std::string(kWidth - filled, ' ') + "]" + numbers;
  if (done > 0 && done < count) {
    std::snprintf(numbers, sizeof numbers, ", %.0f s left",
                  seconds / static_cast<double>(done) * static_cast<double>(count - done));
    text += numbers;
  }
  return text;
}

Progress::Progress(ProgressMode mode, std::size_t count)
    : line_(mode == ProgressMode::always ||
            (mode == ProgressMode::automatic && count > 1 && is_capable_terminal(STDERR_FILENO))),
      count_(count) {}

void Progress::ended(double pixels) {
  ++done_;
  pixels_ += pixels;
  line_.draw([this] {
    return progress_text(done_, count_, pixels_, std::chrono::duration<double>(Clock::now() - start_).count());
  });
}

}  // namespace convtool
