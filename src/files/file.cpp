// Whole files in and out, in plain POSIX calls: streams hide why something failed.
#include "files/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "files/temporary_file.h"

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
    case EFBIG: return "the file is too large for this disk, or for the limit set by 'ulimit -f'";
    case EPIPE: return "the reader is gone";
    default: return std::generic_category().message(error);
  }
}

[[noreturn]] void throw_errno() { throw std::system_error(errno, std::generic_category()); }

int open_file(const std::string& path, int flags) {
  constexpr mode_t kForAll = 0666;  // as far as the umask lets them
  int descriptor = -1;
  do {
    descriptor = open(path.c_str(), flags | O_CLOEXEC, kForAll);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) throw_errno();
  return descriptor;
}

/// Closes at the end of the scope, where a failure to close no longer matters.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : value_(open_file(path, flags)) {}
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

/// "64 MiB", or "1000 bytes" when it is no whole number of a larger unit.
std::string size_in_words(std::size_t bytes) {
  constexpr const char* kUnits[] = {" bytes", " KiB", " MiB", " GiB"};
  std::size_t unit = 0;
  while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + kUnits[unit];
}

Bytes read_all(int descriptor, std::size_t limit, std::size_t stream_limit, const std::string& where) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) throw_errno();
  if (S_ISDIR(status.st_mode)) throw Error(ErrorKind::input, where, "is a folder");

  const bool is_regular = S_ISREG(status.st_mode) && status.st_size > 0;  // what /proc makes up has none
  const auto regular_size = static_cast<std::size_t>(status.st_size);
  const bool is_stream_limit = !is_regular && stream_limit < limit;
  if (is_stream_limit) limit = stream_limit;
  constexpr std::size_t kChunk = 1 << 20;
  // One byte more than a regular file has room for the read that finds the end.
  std::size_t expected = is_regular ? regular_size + 1 : kChunk;
  if (expected > limit) expected = limit + 1;
  Bytes bytes;
  std::size_t size = 0;
  while (size <= limit && !(is_regular && size > regular_size)) {
    if (size == bytes.size()) bytes.resize(size == 0 ? expected : size + std::max(size / 2, kChunk));
    const ssize_t got = read(descriptor, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno != EINTR) throw_errno();
    if (got == 0) break;
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  if (size > limit)
    throw Error(ErrorKind::input, where,
                "is larger than " + size_in_words(limit) + ", the most that is read" +
                    (is_stream_limit ? " from a stream" : ""));
  struct stat afterwards;
  if (fstat(descriptor, &afterwards) != 0) throw_errno();
  if (is_regular && (afterwards.st_size != status.st_size || afterwards.st_mtim.tv_sec != status.st_mtim.tv_sec ||
                     afterwards.st_mtim.tv_nsec != status.st_mtim.tv_nsec))
    throw Error(ErrorKind::input, where, "was changed while it was read; run again when it is finished");
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

/// Those of `path`, whose status is `status`: its access list where it has one, and the owner as far as this user may
/// give files away, else it is this user.
void keep_owner_and_permissions(const std::string& path, const struct stat& status, int descriptor) {
  const bool is_given = fchown(descriptor, status.st_uid, status.st_gid) == 0;
  const bool has_group = is_given || fchown(descriptor, static_cast<uid_t>(-1), status.st_gid) == 0;
  const mode_t without = (is_given ? 0 : S_ISUID) | (has_group ? 0 : S_ISGID);  // not in the name of another
  constexpr const char* kAccessList = "system.posix_acl_access";                // Linux, acl(5)
  std::vector<char> list(
      static_cast<std::size_t>(std::max<ssize_t>(0, getxattr(path.c_str(), kAccessList, nullptr, 0))));
  const ssize_t size = list.empty() ? 0 : getxattr(path.c_str(), kAccessList, list.data(), list.size());
  if (size < 0) throw_errno();
  if (size == 0) fremovexattr(descriptor, kAccessList);  // the one that the folder gives to new files
  if (fchmod(descriptor, status.st_mode & 07777 & ~without) != 0) throw_errno();
  if (size > 0 && fsetxattr(descriptor, kAccessList, list.data(), static_cast<std::size_t>(size), 0) != 0)
    throw_errno();
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
  if (exists) keep_owner_and_permissions(path, status, temporary.descriptor());
  write_all(temporary.descriptor(), bytes);
  temporary.replace(target);
}

}  // namespace

Bytes read_file(const std::string& path, std::size_t limit, std::size_t stream_limit) {
  if (path.empty()) throw Error(ErrorKind::input, "", "no file name");
  const std::string where = path == "-" ? "standard input" : path;
  try {
    if (path == "-") return read_all(STDIN_FILENO, limit, stream_limit, where);
    return read_all(Descriptor(path, O_RDONLY).get(), limit, stream_limit, where);
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::input, where, reason(error.code().value(), "file"));
  }
}

RandomAccessFile::RandomAccessFile(const std::string& path, ErrorKind kind) : path_(path), kind_(kind) {
  if (path.empty()) throw Error(kind_, "", "no file name");
  try {
    descriptor_ = open_file(path, O_RDONLY | O_NONBLOCK);  // a pipe without a writer is refused, not waited for
  } catch (const std::system_error& error) {
    throw Error(kind_, path, reason(error.code().value(), "file"));
  }
  struct stat status;
  if (fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  close(descriptor_);
  throw Error(kind_, path, "is not a regular file");
}

RandomAccessFile::~RandomAccessFile() { close(descriptor_); }

void RandomAccessFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno != EINTR) throw Error(kind_, path_, std::generic_category().message(errno));
    if (got == 0) throw Error(kind_, path_, "was changed while it was read; run again when it is finished");
    if (got < 0) continue;
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

MappedFile::MappedFile(const std::string& path) {
  if (path.empty()) throw Error(ErrorKind::input, "", "no file name");
  try {
    const Descriptor file(path, O_RDONLY | O_NONBLOCK);
    struct stat status;
    if (fstat(file.get(), &status) != 0) throw_errno();
    if (!S_ISREG(status.st_mode))
      throw Error(ErrorKind::input, path, S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return;  // nothing to map
    void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (memory == MAP_FAILED) throw_errno();
    bytes_ = {static_cast<const std::byte*>(memory), size};
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::input, path, reason(error.code().value(), "file"));
  }
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  if (path.empty()) throw Error(ErrorKind::output, "", "no file name");
  if (path == "-") return write_stdout(bytes);
  try {
    replace_file(path, bytes);
  } catch (const std::system_error& error) {  // what std::filesystem throws is one too
    throw Error(ErrorKind::output, path, reason(error.code().value(), "folder"));
  }
}

void append_to_file(const std::string& path, std::span<const std::byte> bytes) {
  if (path.empty()) throw Error(ErrorKind::output, "", "no file name");
  try {
    write_all(Descriptor(path, O_WRONLY | O_APPEND | O_CREAT).get(), bytes);
  } catch (const std::system_error& error) {
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
