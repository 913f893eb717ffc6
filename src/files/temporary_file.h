// Internal to files/: a temporary file that is renamed when complete, or removed.
#pragma once

#include <filesystem>

namespace convtool {

/// Installs signal handlers that remove this process's temporary files before a signal ends it. The first TemporaryFile
/// does so too.
void prepare_for_signals();

/// A new file in a folder, open for writing, with a hidden unique name and the permissions that the umask (or the
/// folder's default access list) gives to new files.
///
/// Unless it is renamed by replace() or become(), the destructor removes it. So do the signals that end a process from
/// outside, such as SIGINT and SIGTERM, where they have their default action; an ignored signal stays ignored, and one
/// with a handler is left to it. A process that ends without a chance to clean up, as by SIGKILL or in such a handler,
/// leaves its files behind. The next process that creates a temporary file in the folder removes them; it
/// removes those of another machine only when they are an hour old. All members throw std::system_error.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& folder);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int descriptor() const { return descriptor_; }
  const char* path() const;

  /// Renames the file to `target`, in the same folder. Where something has that name, or with `always_flushed`, the
  /// content is flushed to disk first.
  void replace(const std::filesystem::path& target, bool always_flushed);

  /// Flushes the content to disk and renames the file to `target` where nothing has that name. Returns false, and does
  /// nothing, where something has, even if it appears at this moment. (The exception are file systems that have neither
  /// renameat2(2) with RENAME_NOREPLACE nor link(2): the name is first given to an empty file there, which is then
  /// replaced.)
  [[nodiscard]] bool become(const std::filesystem::path& target);

 private:
  void flush();
  void report_errors();
  void settle();
  void release();

  int slot_ = -1;  // in the signal handler's table
  int descriptor_ = -1;
};

}  // namespace convtool
