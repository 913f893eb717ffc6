#include "files/regular_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <system_error>

namespace convtool {
namespace {

/// Throws Error(kind) with the path for anything but a regular file. Does not wait for the writer of a pipe.
OpenFile open_regular(const std::string& path, ErrorKind kind) {
  if (path.empty()) throw Error(kind, "", "no file name");
  try {
    OpenFile file(open_file(path, O_RDONLY | O_NONBLOCK));
    if (file.is_regular()) return file;
    throw Error(kind, path, file.is_folder() ? "is a folder" : "is not a regular file");
  } catch (const std::system_error& error) {
    throw Error(kind, path, describe_errno(error.code().value()));
  }
}

}  // namespace

RandomAccessFile::RandomAccessFile(const std::string& path, ErrorKind kind)
    : path_(path), kind_(kind), file_(open_regular(path, kind)) {}

void RandomAccessFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = pread(file_.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno != EINTR) throw Error(kind_, path_, describe_errno(errno));
    if (got == 0) refuse_changed(path_, kind_);
    if (got < 0) continue;
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

void RandomAccessFile::check_unchanged() const {
  try {
    if (!file_.has_changed()) return;
  } catch (const std::system_error& error) {
    throw Error(kind_, path_, describe_errno(error.code().value()));
  }
  refuse_changed(path_, kind_);
}

MappedFile::MappedFile(const std::string& path) {
  const OpenFile file = open_regular(path, ErrorKind::input);
  const std::uint64_t size = file.size();
  if (size == 0) return;  // mmap(2) refuses an empty range
  void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (memory == MAP_FAILED) throw Error(ErrorKind::input, path, describe_errno(errno));
  bytes_ = {static_cast<const std::byte*>(memory), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace convtool
