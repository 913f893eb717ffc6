// Whole files in and out. A path of "-" is standard input or output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"

namespace convtool {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kLargestStream = std::size_t{4} << 30;

/// The whole file, or standard input to its end. Throws Error(input) with the path: none given, missing, a folder,
/// unreadable, changed while it was read, or larger than `limit` bytes. `stream_limit` holds as well for what is not a
/// regular file (a pipe, a device), since that may never end.
Bytes read_file(const std::string& path, std::size_t limit = kNoLimit, std::size_t stream_limit = kLargestStream);

/// A regular file, of which parts are read as they are wanted.
class RandomAccessFile {
 public:
  /// Throws Error(kind) with the path: missing, unreadable, or no regular file.
  RandomAccessFile(const std::string& path, ErrorKind kind);
  ~RandomAccessFile();
  RandomAccessFile(const RandomAccessFile&) = delete;
  RandomAccessFile& operator=(const RandomAccessFile&) = delete;

  std::uint64_t size() const { return size_; }

  /// Fills `bytes` with those from `offset` on. Throws Error(kind) with the path; where the file ends too early, it was
  /// changed.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;

 private:
  std::string path_;
  ErrorKind kind_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// The bytes of a regular file, of which only what is looked at is read from the disk. A file that another program
/// shortens meanwhile ends this one (SIGBUS): for a moment's look, not for long work.
class MappedFile {
 public:
  /// Throws Error(input) with the path: missing, unreadable, or no regular file.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

/// Replaces `path` by `bytes`, all or nothing: written to a temporary file in the same folder, flushed to disk,
/// renamed. The permissions of an existing file are kept, an access list too, and its owner as far as this user may;
/// one that may not be written is refused; a symbolic link is followed, not replaced. What is not a regular file (a
/// device, a pipe) is written straight. On any failure the old file is as it was and nothing is left behind; a
/// temporary is removed too when a signal from outside ends the process (files/temporary_file.h). A limit on file sizes
/// is such a failure only where SIGXFSZ is ignored; else it ends the process, and leaves the temporary. Throws
/// Error(output) with the path.
void write_file(const std::string& path, std::span<const std::byte> bytes);

/// Adds `bytes` at the end of `path` in one piece, and makes it where it is missing. Throws Error(output) with the
/// path.
void append_to_file(const std::string& path, std::span<const std::byte> bytes);

/// Writes to standard output. Throws Error(output).
void write_stdout(std::span<const std::byte> bytes);

}  // namespace convtool
