// An open file, and its state when it was opened.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "files/descriptor.h"

namespace convtool {

/// An open file of any kind.
class OpenFile {
 public:
  /// Throws std::system_error.
  explicit OpenFile(Descriptor file);

  int descriptor() const { return file_.get(); }
  std::uint64_t size() const { return before_.size; }  ///< in bytes, when it was opened
  bool is_regular() const { return before_.is_regular; }
  bool is_folder() const { return before_.is_folder; }

  /// Whether the size or the time of the content (mtime) is not that when it was opened. The time of the status (ctime)
  /// does not count, since it changes with the file's name too. Throws std::system_error.
  bool has_changed() const;

 private:
  struct State {
    bool is_regular = false, is_folder = false;
    std::uint64_t size = 0;
    std::int64_t seconds = 0, nanoseconds = 0;  // of the last change
    bool operator==(const State&) const = default;
  };
  State look() const;

  Descriptor file_;
  State before_;
};

/// Throws Error(kind) for a file at `path` that has changed while it was read.
[[noreturn]] void refuse_changed(const std::string& path, ErrorKind kind);

}  // namespace convtool
