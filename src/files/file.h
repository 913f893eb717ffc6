// Whole files, read and written. A path of "-" is standard input or output.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace convtool {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kLargestStream = std::size_t{4} << 30;  ///< the default limit for pipes and devices, in bytes

/// Reads a whole file, or standard input to its end. Throws Error(input) with the path if it is missing, unreadable, a
/// folder, larger than `limit` bytes, or changes while it is being read. `stream_limit` applies in addition to anything
/// but a regular file (a pipe, a device), which may never end.
Bytes read_file(const std::string& path, std::size_t limit = kNoLimit, std::size_t stream_limit = kLargestStream);

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
