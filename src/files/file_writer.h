// Files that are written in pieces, all or nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "files/descriptor.h"
#include "files/temporary_file.h"

namespace convtool {

struct WriteOptions {
  bool keeps_existing = false;  ///< an existing file is kept, and nothing is written
  bool always_flushed = false;  ///< also a file that replaces none
};

/// An output file. Its content is written to a temporary file in the same folder, which commit() renames to the path.
///
/// - An existing file keeps its permissions and access list, and its owner if this user may give files away.
/// - A file without write permission is not replaced.
/// - A symbolic link is followed, not replaced. With `keeps_existing` it is kept, even if its target does not exist.
/// - Anything but a regular file (a device, a pipe), and standard output for the path "-", is written to directly.
/// - A file is flushed to disk before it takes its name in three cases. If it replaces another, a power failure leaves
///   the old content or the new. With `keeps_existing`, a later run takes an existing file for complete. With
///   `always_flushed`, the caller records it as complete. In all other cases the system writes it within seconds, as
///   after cp.
///
/// Without commit() nothing remains: the destructor removes the temporary file. So does a signal from outside that ends
/// the process (files/temporary_file.h). Exceeding the limit on file sizes counts as a failure only where SIGXFSZ is
/// ignored; otherwise it ends the process and leaves the temporary file. All members throw Error(output) with the path.
class FileWriter {
 public:
  explicit FileWriter(const std::string& path, const WriteOptions& options = {});

  /// Whether pieces must be written in order and without gaps, from one thread at a time: anything but a regular file.
  bool is_sequential() const { return stream_.has_value(); }

  /// Writes `bytes` at an offset in the file. Thread-safe unless is_sequential().
  void write(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Gives the complete file its name. Returns false, and leaves everything as it is, where `keeps_existing` and the
  /// path exists, even if another program creates it at this moment. Call it once.
  [[nodiscard]] bool commit();

 private:
  void open();
  bool is_flushed() const { return replaces_ || options_.keeps_existing || options_.always_flushed; }
  void write_pieces(std::uint64_t offset, std::span<const std::byte> bytes);

  std::string path_;
  WriteOptions options_;
  std::filesystem::path target_;  ///< the path, or the end of its chain of links
  bool replaces_ = false;         ///< an existing file
  std::optional<Descriptor> stream_;
  std::uint64_t position_ = 0;              ///< in the stream
  std::optional<TemporaryFile> temporary_;  ///< neither this nor a stream: an existing file is kept
};

}  // namespace convtool
