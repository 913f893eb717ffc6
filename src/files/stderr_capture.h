// Capture of standard error, to which codecs print.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// While a capture lives, file descriptor 2 of the whole process writes to memory instead of the user's terminal:
/// libpng, libjpeg and OpenCV print straight to it and offer no other way. Several threads may each hold a capture; the
/// first redirects the descriptor, the last restores it. If standard error is closed, nothing is redirected. Throws
/// Error(memory) when the process is out of file descriptors.
class StderrCapture {
 public:
  enum class Company {
    any,   ///< other captures may live at the same time; their text is mixed with this one's
    none,  ///< waits until no other capture lives, and new ones wait for it, so that all text belongs to it
  };

  explicit StderrCapture(Company company = Company::any);
  ~StderrCapture();
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  /// The text printed since construction, by any thread.
  std::string text() const;

 private:
  Company company_;
  long start_ = 0;
};

/// Writes to the user's standard error even while a capture lives. Anything printed in another way while some thread
/// decodes or encodes a picture is lost.
void print_to_stderr(std::string_view text);

}  // namespace convtool
