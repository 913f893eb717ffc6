// What the codecs print: kept from the user, and read for signs of damage.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// While one lives, file descriptor 2 of the whole process leads into memory instead of to the user: libpng, libjpeg
/// and OpenCV print straight to it and offer nothing else. Several threads may hold one each; the first in redirects,
/// the last out restores. When standard error is closed nothing is redirected. Throws Error(memory) when out of file
/// descriptors.
class StderrCapture {
 public:
  enum class Company {
    any,   ///< other captures may run at the same time, and their text comes mixed with ours
    none,  ///< waits until no other runs, and makes new ones wait: what is printed is the codec's that we call
  };

  explicit StderrCapture(Company company = Company::any);
  ~StderrCapture();
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  /// What was printed since the construction, by any thread.
  std::string text() const;

 private:
  Company company_;
  long start_ = 0;
};

/// Whether a decoder has said that pixels are missing or made up: libjpeg, or libtiff by way of OpenCV. What costs no
/// pixels (stray bytes between the segments of a JPEG, unknown tags of a TIFF) does not count.
bool tells_of_damage(std::string_view printed);

/// Writes to the user's standard error, captures or not. Whatever is printed otherwise while a picture is decoded or
/// encoded on some thread is lost.
void print_to_stderr(std::string_view text);

}  // namespace convtool
