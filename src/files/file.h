// Whole files, read and written. A path of "-" is standard input or output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "files/descriptor.h"

namespace convtool {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kLargestStream = std::size_t{4} << 30;  ///< the default limit for pipes and devices, in bytes

/// Reads a whole file, or standard input to its end. Throws Error(input) with the path if it is missing, unreadable, a
/// folder, larger than `limit` bytes, or changes while it is being read. `stream_limit` applies in addition to anything
/// but a regular file (a pipe, a device), which may never end.
Bytes read_file(const std::string& path, std::size_t limit = kNoLimit, std::size_t stream_limit = kLargestStream);

/// An open file of any kind, and its state when it was opened.
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

/// The content of a file, and the file for other processes to read, where it is a regular one.
struct FileContent {
  Bytes bytes;
  std::optional<OpenFile> file;
};

/// read_file(), which keeps a regular file open. Standard input is never kept.
FileContent read_and_keep_file(const std::string& path, std::size_t limit = kNoLimit,
                               std::size_t stream_limit = kLargestStream);

/// Writes a file, all or nothing: to a temporary file in the same folder, which is flushed to disk and renamed to
/// `path`.
///
/// - An existing file keeps its permissions and access list, and its owner if this user may give files away.
/// - A file without write permission is not replaced.
/// - A symbolic link is followed, not replaced.
/// - Anything but a regular file (a device, a pipe) is written to directly.
///
/// On failure the old file is unchanged and nothing else is left behind. The temporary file is also removed when a
/// signal from outside ends the process (files/temporary_file.h). Exceeding the limit on file sizes counts as a failure
/// only where SIGXFSZ is ignored; otherwise it ends the process and leaves the temporary file. Throws Error(output)
/// with the path.
void write_file(const std::string& path, std::span<const std::byte> bytes);

/// write_file() for a path that does not exist. Returns false, and writes nothing, where it exists, also if another
/// program creates it meanwhile. A symbolic link exists even if its target does not; devices, pipes and "-" are written
/// to. The same errors.
[[nodiscard]] bool write_new_file(const std::string& path, std::span<const std::byte> bytes);

/// Appends `bytes` to a file, in one write(2) where the system takes them all; creates the file if it is missing.
/// Throws Error(output) with the path.
void append_to_file(const std::string& path, std::span<const std::byte> bytes);

/// Writes to standard output. Throws Error(output).
void write_stdout(std::span<const std::byte> bytes);

}  // namespace convtool
