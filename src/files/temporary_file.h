// A file that becomes another one by being renamed, or vanishes.
#pragma once

#include <filesystem>

namespace convtool {

/// Sets up that signals which end the process remove its temporaries. The first TemporaryFile does so too.
void prepare_for_signals();

/// A new file in a folder, open for writing, with a hidden name that nothing else has and the permissions that the
/// umask (or the folder's default access list) gives to new files. Unless it is renamed, the destructor removes it, and
/// so do the signals that end a process from outside, SIGINT and SIGTERM among them; a signal that is ignored stays so.
/// What a process leaves behind that ended without a chance, as by SIGKILL, the next one removes when it first makes a
/// file in the folder; of another machine's, once nobody has written to it for an hour. Functions throw std::system_error with the errno.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& folder);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int descriptor() const { return descriptor_; }
  const char* path() const;

  /// Flushes the content to the disk and takes the place of `target`, in the same folder.
  void replace(const std::filesystem::path& target);

 private:
  void release();

  int slot_ = -1;  // in the table that the signal handler reads
  int descriptor_ = -1;
};

}  // namespace convtool
