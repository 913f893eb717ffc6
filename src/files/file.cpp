#include "files/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "files/descriptor.h"
#include "files/temporary_file.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

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
Bytes read_all(const OpenFile& file, std::size_t limit, std::size_t stream_limit, const std::string& where) {
  if (file.is_folder()) throw Error(ErrorKind::input, where, "is a folder");

  const bool is_regular = file.is_regular() && file.size() > 0;  // files in /proc report a size of 0
  const std::size_t regular_size = file.size();
  const bool is_stream_limit = !is_regular && stream_limit < limit;
  if (is_stream_limit) limit = stream_limit;
  constexpr std::size_t kChunk = 1 << 20;
  // One byte more than a regular file's size, for the read that finds its end.
  std::size_t expected = is_regular ? regular_size + 1 : kChunk;
  if (expected > limit) expected = limit + 1;
  Bytes bytes;
  std::size_t size = 0;
  while (size <= limit && !(is_regular && size > regular_size)) {
    if (size == bytes.size()) bytes.resize(size == 0 ? expected : size + std::max(size / 2, kChunk));
    const ssize_t got = read(file.descriptor(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno != EINTR) throw_errno();
    if (got == 0) break;
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  if (size > limit)
    throw Error(ErrorKind::input, where,
                "is larger than " + size_in_words(limit) + ", the limit" + (is_stream_limit ? " for a stream" : ""));
  if (is_regular && file.has_changed())
    throw Error(ErrorKind::input, where, "changed while it was being read; run again when it is complete");
  bytes.resize(size);
  return bytes;
}

/// The end of a chain of symbolic links, whether it exists or not. Throws std::system_error.
fs::path follow_links(fs::path path) {
  constexpr int kMostLinks = 40;  // the limit of Linux (path_resolution(7))
  for (int i = 0; fs::is_symlink(fs::symlink_status(path)); ++i) {
    if (i == kMostLinks) throw_errno(ELOOP);
    path = path.parent_path() / fs::read_symlink(path);
  }
  return path;
}

fs::path folder_of(const fs::path& target) { return target.has_parent_path() ? target.parent_path() : "."; }

/// Gives the open file the permissions, access list and group of `path`, whose status is `status`, and its owner if
/// this user may give files away. Throws std::system_error.
void keep_owner_and_permissions(const std::string& path, const struct stat& status, int descriptor) {
  const bool is_given = fchown(descriptor, status.st_uid, status.st_gid) == 0;
  const bool has_group = is_given || fchown(descriptor, static_cast<uid_t>(-1), status.st_gid) == 0;
  const mode_t without = (is_given ? 0 : S_ISUID) | (has_group ? 0 : S_ISGID);  // not on behalf of another owner
  constexpr const char* kAccessList = "system.posix_acl_access";                // Linux, acl(5)
  std::vector<char> list(
      static_cast<std::size_t>(std::max<ssize_t>(0, getxattr(path.c_str(), kAccessList, nullptr, 0))));
  const ssize_t size = list.empty() ? 0 : getxattr(path.c_str(), kAccessList, list.data(), list.size());
  if (size < 0) throw_errno();
  if (size == 0) fremovexattr(descriptor, kAccessList);  // a default that new files inherit from the folder
  if (fchmod(descriptor, status.st_mode & 07777 & ~without) != 0) throw_errno();
  if (size > 0 && fsetxattr(descriptor, kAccessList, list.data(), static_cast<std::size_t>(size), 0) != 0)
    throw_errno();
}

/// write_file() to a path other than "-". Throws std::system_error.
void replace_file(const std::string& path, std::span<const std::byte> bytes) {
  struct stat status;
  const bool exists = stat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) throw_errno();
  if (exists && S_ISDIR(status.st_mode)) throw_errno(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) return write_all(open_file(path, O_WRONLY).get(), bytes);
  // Renaming needs write permission only for the folder. A read-only file is protected nevertheless.
  if (exists && faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) throw_errno();

  const fs::path target = follow_links(path);
  if (!target.has_filename()) throw_errno(ENOENT);
  TemporaryFile temporary(folder_of(target));
  if (exists) keep_owner_and_permissions(path, status, temporary.descriptor());
  write_all(temporary.descriptor(), bytes);
  temporary.replace(target);
}

/// write_new_file() to a path other than "-". Throws std::system_error.
bool create_file(const std::string& path, std::span<const std::byte> bytes) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    write_all(open_file(path, O_WRONLY).get(), bytes);
    return true;
  }
  if (lstat(path.c_str(), &status) == 0) return false;
  if (errno != ENOENT) throw_errno();
  const fs::path target = path;
  if (!target.has_filename()) throw_errno(ENOENT);
  TemporaryFile temporary(folder_of(target));
  write_all(temporary.descriptor(), bytes);
  return temporary.become(target);
}

/// Calls `write` for `path`, and reports its system errors as Error(output).
template <class Write>
auto explain_failures(const std::string& path, const Write& write) {
  if (path.empty()) throw Error(ErrorKind::output, "", "no file name");
  try {
    return write();
  } catch (const std::system_error& error) {  // std::filesystem's errors derive from it
    throw Error(ErrorKind::output, path, describe_errno(error.code().value(), "folder"));
  }
}

}  // namespace

OpenFile::OpenFile(Descriptor file) : file_(std::move(file)), before_(look()) {}

OpenFile::State OpenFile::look() const {
  struct stat status;
  if (fstat(file_.get(), &status) != 0) throw_errno();
  return {.is_regular = S_ISREG(status.st_mode),
          .is_folder = S_ISDIR(status.st_mode),
          .size = static_cast<std::uint64_t>(status.st_size),
          .seconds = status.st_mtim.tv_sec,
          .nanoseconds = status.st_mtim.tv_nsec};
}

bool OpenFile::has_changed() const { return look() != before_; }

Bytes read_file(const std::string& path, std::size_t limit, std::size_t stream_limit) {
  return read_and_keep_file(path, limit, stream_limit).bytes;
}

FileContent read_and_keep_file(const std::string& path, std::size_t limit, std::size_t stream_limit) {
  if (path.empty()) throw Error(ErrorKind::input, "", "no file name");
  const bool is_stdin = path == "-";
  const std::string where = is_stdin ? "standard input" : path;
  try {
    OpenFile file(is_stdin ? Descriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) : open_file(path, O_RDONLY));
    Bytes bytes = read_all(file, limit, stream_limit, where);
    const bool is_whole = !is_stdin && file.is_regular() && file.size() == bytes.size();
    return {.bytes = std::move(bytes), .file = is_whole ? std::optional(std::move(file)) : std::nullopt};
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::input, where, describe_errno(error.code().value()));
  }
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  if (path == "-") return write_stdout(bytes);
  explain_failures(path, [&] { replace_file(path, bytes); });
}

bool write_new_file(const std::string& path, std::span<const std::byte> bytes) {
  if (path == "-") {
    write_stdout(bytes);
    return true;
  }
  return explain_failures(path, [&] { return create_file(path, bytes); });
}

void append_to_file(const std::string& path, std::span<const std::byte> bytes) {
  explain_failures(path, [&] { write_all(open_file(path, O_WRONLY | O_APPEND | O_CREAT).get(), bytes); });
}

void write_stdout(std::span<const std::byte> bytes) {
  try {
    write_all(STDOUT_FILENO, bytes);
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::output, "standard output", describe_errno(error.code().value()));
  }
}

}  // namespace convtool
