#include "files/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "files/descriptor.h"
#include "files/file_writer.h"

namespace convtool {
namespace {

/// In the largest unit that divides the size: "64 MiB", "1000 bytes".
std::string size_in_words(std::size_t bytes) {
  constexpr const char* kUnits[] = {" bytes", " KiB", " MiB", " GiB"};
  std::size_t unit = 0;
  while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + kUnits[unit];
}

/// The arguments of read_file(); `where` names the file in errors. Throws std::system_error, or Error(input).
Buffer read_all(const OpenFile& file, const SizeLimits& limits, const std::string& where) {
  if (file.is_folder()) throw Error(ErrorKind::input, where, "is a folder");

  const bool is_regular = file.is_regular() && file.size() > 0;  // files in /proc report a size of 0
  const std::size_t regular_size = file.size();
  const std::size_t limit = limits.of(!is_regular);
  constexpr std::size_t kChunk = 1 << 20;
  // One byte more than a regular file's size, for the read that finds its end.
  std::size_t expected = is_regular ? regular_size + 1 : kChunk;
  if (expected > limit) expected = limit + 1;
  Buffer bytes;
  std::size_t size = 0;
  while (size <= limit && !(is_regular && size > regular_size)) {
    if (size == bytes.size()) {
      Buffer larger(size == 0 ? expected : size + std::max(size / 2, kChunk));
      std::copy(bytes.begin(), bytes.end(), larger.begin());
      bytes = std::move(larger);
    }
    const ssize_t got = read(file.descriptor(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno != EINTR) throw_errno();
    if (got == 0) break;
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  if (size > limit) refuse_size(where, limits, !is_regular);
  if (is_regular && file.has_changed()) refuse_changed(where, ErrorKind::input);
  bytes.shorten(size);
  return bytes;
}

}  // namespace

void refuse_size(const std::string& where, const SizeLimits& limits, bool is_stream) {
  const bool is_of_streams = is_stream && limits.stream_bytes <= limits.bytes;
  throw Error(ErrorKind::input, where,
              "is larger than " + size_in_words(limits.of(is_stream)) + ", the limit" +
                  (is_of_streams ? " for a stream" : std::string(limits.advice)));
}

bool is_stream(const std::string& path) {
  std::error_code ignored;
  return path == "-" || std::filesystem::is_other(path, ignored);
}

Buffer read_file(const std::string& path, const SizeLimits& limits) { return read_and_keep_file(path, limits).bytes; }

FileContent read_and_keep_file(const std::string& path, const SizeLimits& limits) {
  if (path.empty()) throw Error(ErrorKind::input, "", "no file name");
  const bool is_stdin = path == "-";
  const std::string where = is_stdin ? "standard input" : path;
  try {
    OpenFile file(is_stdin ? Descriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) : open_file(path, O_RDONLY));
    Buffer bytes = read_all(file, limits, where);
    const bool is_whole = !is_stdin && file.is_regular() && file.size() == bytes.size();
    return {.bytes = std::move(bytes), .file = is_whole ? std::optional(std::move(file)) : std::nullopt};
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::input, where, describe_errno(error.code().value()));
  }
}

void write_file(const std::string& path, std::span<const std::byte> bytes, bool always_flushed) {
  FileWriter file(path, {.always_flushed = always_flushed});
  file.write(0, bytes);
  std::ignore = file.commit();  // nothing is kept
}

bool write_new_file(const std::string& path, std::span<const std::byte> bytes) {
  FileWriter file(path, {.keeps_existing = true});
  file.write(0, bytes);
  return file.commit();
}

void append_to_file(const std::string& path, std::span<const std::byte> bytes) {
  if (path.empty()) throw Error(ErrorKind::output, "", "no file name");
  try {
    write_all(open_file(path, O_WRONLY | O_APPEND | O_CREAT).get(), bytes);
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::output, path, describe_errno(error.code().value(), "folder"));
  }
}

void write_stdout(std::span<const std::byte> bytes) {
  try {
    write_all(STDOUT_FILENO, bytes);
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::output, "standard output", describe_errno(error.code().value()));
  }
}

}  // namespace convtool
