// Capture of standard error, to which codecs print.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// While a capture lives, file descriptor 2 of the whole process writes to memory instead of the user's terminal:
/// libpng and OpenCV print straight to it and offer no other way. Several threads may each hold a capture; the
/// first redirects the descriptor, the last restores it. If standard error is closed, nothing is redirected. Throws
/// Error(memory) when the process is out of file descriptors.
class StderrCapture {
 public:
  StderrCapture();
  ~StderrCapture();
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  /// The text printed since construction, by any thread.
  std::string text() const;

 private:
  long start_ = 0;
};

/// Writes to the user's standard error even while a capture lives. Anything printed in another way while some thread
/// decodes or encodes a picture is lost.
void print_to_stderr(std::string_view text);

}  // namespace convtool
