#include "files/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "core/error.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

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

/// Calls `write`, and reports its system errors as Error(output).
template <class Write>
auto explain_failures(const std::string& path, const Write& write) {
  try {
    return write();
  } catch (const std::system_error& error) {  // std::filesystem's errors derive from it
    const std::string where = path == "-" ? "standard output" : path;
    throw Error(ErrorKind::output, where, describe_errno(error.code().value(), "folder"));
  }
}

}  // namespace

FileWriter::FileWriter(const std::string& path, const WriteOptions& options) : path_(path), options_(options) {
  if (path.empty()) throw Error(ErrorKind::output, "", "no file name");
  explain_failures(path_, [&] { open(); });
}

void FileWriter::open() {
  if (path_ == "-") {
    stream_.emplace(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    return;
  }
  struct stat status;
  const bool exists = stat(path_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) throw_errno();
  if (exists && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    stream_.emplace(open_file(path_, O_WRONLY));
    return;
  }
  if (options_.keeps_existing && (exists || fs::is_symlink(fs::symlink_status(path_)))) return;
  if (exists && S_ISDIR(status.st_mode)) throw_errno(EISDIR);
  // Renaming needs write permission only for the folder. A read-only file is protected nevertheless.
  if (exists && faccessat(AT_FDCWD, path_.c_str(), W_OK, AT_EACCESS) != 0) throw_errno();

  target_ = follow_links(path_);
  if (!target_.has_filename()) throw_errno(ENOENT);
  temporary_.emplace(folder_of(target_));
  replaces_ = exists;
  if (exists) keep_owner_and_permissions(path_, status, temporary_->descriptor());
}

void FileWriter::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (stream_) {
    require(offset == position_, "a stream written out of order");
    explain_failures(path_, [&] { write_all(stream_->get(), bytes); });
    position_ += bytes.size();
  } else if (temporary_) {
    explain_failures(path_, [&] { write_pieces(offset, bytes); });
  }
}

void FileWriter::write_pieces(std::uint64_t offset, std::span<const std::byte> bytes) {
  const int file = temporary_->descriptor();
  if (!is_flushed()) return write_all_at(file, offset, bytes);
  // The disk begins with each piece at once, so that less is left to wait for in commit().
  constexpr std::size_t kPiece = 1 << 20;
  while (!bytes.empty()) {
    const std::span<const std::byte> piece = bytes.first(std::min(kPiece, bytes.size()));
    write_all_at(file, offset, piece);
    sync_file_range(file, static_cast<off_t>(offset), static_cast<off_t>(piece.size()), SYNC_FILE_RANGE_WRITE);
    offset += piece.size();
    bytes = bytes.subspan(piece.size());
  }
}

bool FileWriter::commit() {
  if (stream_) return true;
  if (!temporary_) return false;  // an existing file was kept
  return explain_failures(path_, [&] {
    if (options_.keeps_existing) return temporary_->become(target_);
    temporary_->replace(target_, is_flushed());
    return true;
  });
}

}  // namespace convtool
