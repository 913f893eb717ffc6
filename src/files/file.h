// Whole files, read and written. A path of "-" is standard input or output.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "files/buffer.h"
#include "files/open_file.h"

namespace convtool {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kLargestStream = std::size_t{4} << 30;  ///< the default limit for pipes and devices, in bytes

/// Whether `path` is standard input or output, a device or a pipe: bytes that come or go once, one after another.
bool is_stream(const std::string& path);

/// How large a file may be.
struct SizeLimits {
  std::size_t bytes = kNoLimit;
  std::size_t stream_bytes = kLargestStream;  ///< of anything but a regular file (a pipe, a device), in addition
  std::string_view advice = "";               ///< how to raise `bytes`, as the end of a sentence

  /// Of a regular file, or of a stream.
  std::size_t of(bool is_stream) const { return is_stream ? std::min(bytes, stream_bytes) : bytes; }
};

/// Throws Error(input) for a file, or a stream, that is larger than its limit.
[[noreturn]] void refuse_size(const std::string& where, const SizeLimits& limits, bool is_stream);

/// Reads a whole file, or standard input to its end. Throws Error(input) with the path if it is missing, unreadable, a
/// folder, too large, or changes while it is being read.
Buffer read_file(const std::string& path, const SizeLimits& limits = {});

/// The content of a file, and the file for other processes to read, where it is a regular one.
struct FileContent {
  Buffer bytes;
  std::optional<OpenFile> file;
};

/// read_file(), which keeps a regular file open. Standard input is never kept.
FileContent read_and_keep_file(const std::string& path, const SizeLimits& limits = {});

/// Writes a file, all or nothing, over an existing one, as FileWriter does (files/file_writer.h). A file that replaces
/// another is flushed to disk before it takes the name; a new one only if `always_flushed`. Throws Error(output) with
/// the path.
void write_file(const std::string& path, std::span<const std::byte> bytes, bool always_flushed = false);

/// write_file() for a path that does not exist. Returns false, and writes nothing, where it exists, also if another
/// program creates it meanwhile. A symbolic link exists even if its target does not; devices, pipes and "-" are written
/// to. The file is flushed, because the next such call takes it for complete. The same errors.
[[nodiscard]] bool write_new_file(const std::string& path, std::span<const std::byte> bytes);

/// Appends `bytes` to a file, in one write(2) where the system takes them all; creates the file if it is missing.
/// Throws Error(output) with the path.
void append_to_file(const std::string& path, std::span<const std::byte> bytes);

/// Writes to standard output. Throws Error(output).
void write_stdout(std::span<const std::byte> bytes);

}  // namespace convtool
