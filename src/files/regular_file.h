// Regular files read in part, without loading the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/error.h"
#include "files/open_file.h"

namespace convtool {

/// A regular file, read at any offset. Thread-safe.
class RandomAccessFile {
 public:
  /// Throws Error(kind) with the path if the file is missing, unreadable or not a regular file.
  RandomAccessFile(const std::string& path, ErrorKind kind);

  /// In bytes, when the file was opened.
  std::uint64_t size() const { return file_.size(); }

  const std::string& path() const { return path_; }

  /// Fills `bytes` from `offset` on. Throws Error(kind) with the path on failure, and where the file ends too early:
  /// then it has changed.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;

  /// Throws Error(kind) with the path if the file has changed since it was opened.
  void check_unchanged() const;

 private:
  std::string path_;
  ErrorKind kind_;
  OpenFile file_;
};

/// A regular file mapped into memory: the system reads only the pages that are looked at. If another program shortens
/// the file meanwhile, reading it ends this process (SIGBUS), so map a file for a short look, not for long work.
class MappedFile {
 public:
  /// Throws Error(input) with the path if the file is missing, unreadable or not a regular file.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Valid as long as the object lives.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace convtool
