// Whole files in and out, in plain POSIX calls: streams hide why something failed.
#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "io/temporary_file.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

/// The errno in words that need no manual; `missing` names what is not there.
std::string reason(int error, const char* missing) {
  switch (error) {
    case ENOENT: return std::string("no such ") + missing;
    case EACCES:
    case EPERM: return "permission denied";
    case EISDIR: return "is a folder";
    case ENOTDIR: return "a part of the path is not a folder";
    case EROFS: return "the disk is read-only";
    case ENOSPC: return "the disk is full";
    case EDQUOT: return "the disk quota is used up";
    case EFBIG: return "larger than files may be here";
    case EPIPE: return "the reader is gone";
    default: return std::generic_category().message(error);
  }
}

[[noreturn]] void throw_errno() { throw std::system_error(errno, std::generic_category()); }

/// Closes at the end of the scope, where a failure to close no longer matters.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) {
    do {
      value_ = open(path.c_str(), flags | O_CLOEXEC);
    } while (value_ < 0 && errno == EINTR);
    if (value_ < 0) throw_errno();
  }
  ~Descriptor() { close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }

 private:
  int value_;
};

void write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) throw_errno();
    if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

Bytes read_all(int descriptor, std::size_t limit, const std::string& where) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) throw_errno();
  if (S_ISDIR(status.st_mode)) throw Error(ErrorKind::input, where, "is a folder");

  constexpr std::size_t kChunk = 1 << 20;
  // One byte more than a regular file has room for the read that finds the end.
  std::size_t expected = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) + 1 : kChunk;
  if (limit != 0) expected = std::min(expected, limit + 1);
  Bytes bytes;
  std::size_t size = 0;
  while (limit == 0 || size <= limit) {
    if (size == bytes.size()) bytes.resize(size == 0 ? expected : size + std::max(size / 2, kChunk));
    const ssize_t got = read(descriptor, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno != EINTR) throw_errno();
    if (got == 0) break;
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  if (limit != 0 && size > limit)
    throw Error(ErrorKind::input, where, "is larger than " + std::to_string(limit) + " bytes, the most that is read");
  bytes.resize(size);
  return bytes;
}

/// The file that a chain of symbolic links ends at, whether it exists or not.
fs::path follow_links(fs::path path) {
  constexpr int kMostLinks = 40;  // as the kernel (path_resolution(7))
  for (int i = 0; fs::is_symlink(fs::symlink_status(path)); ++i) {
    if (i == kMostLinks) throw std::system_error(ELOOP, std::generic_category());
    path = path.parent_path() / fs::read_symlink(path);
  }
  return path;
}

void replace_file(const std::string& path, std::span<const std::byte> bytes) {
  struct stat status;
  const bool exists = stat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) throw_errno();
  if (exists && S_ISDIR(status.st_mode)) throw std::system_error(EISDIR, std::generic_category());
  if (exists && !S_ISREG(status.st_mode)) return write_all(Descriptor(path, O_WRONLY).get(), bytes);
  // Renaming over a file needs no right to write it, only to its folder; the owner of a read-only file expects more.
  if (exists && faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) throw_errno();

  const fs::path target = follow_links(path);
  if (!target.has_filename()) throw std::system_error(ENOENT, std::generic_category());
  TemporaryFile temporary(target.has_parent_path() ? target.parent_path() : ".");
  if (exists && fchmod(temporary.descriptor(), status.st_mode & 07777) != 0) throw_errno();
  write_all(temporary.descriptor(), bytes);
  temporary.replace(target);
}

}  // namespace

Bytes read_file(const std::string& path, std::size_t limit) {
  const std::string where = path == "-" ? "standard input" : path;
  try {
    if (path == "-") return read_all(STDIN_FILENO, limit, where);
    return read_all(Descriptor(path, O_RDONLY).get(), limit, where);
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::input, where, reason(error.code().value(), "file"));
  }
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  if (path == "-") return write_stdout(bytes);
  try {
    replace_file(path, bytes);
  } catch (const std::system_error& error) {  // what std::filesystem throws is one too
    throw Error(ErrorKind::output, path, reason(error.code().value(), "folder"));
  }
}

void write_stdout(std::span<const std::byte> bytes) {
  try {
    write_all(STDOUT_FILENO, bytes);
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::output, "standard output", reason(error.code().value(), "file"));
  }
}

}  // namespace convtool
