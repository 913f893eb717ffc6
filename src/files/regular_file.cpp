#include "files/regular_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace convtool {
namespace {

/// Throws Error(kind) with the path. Does not wait for the writer of a pipe.
Descriptor open_to_read(const std::string& path, ErrorKind kind) {
  if (path.empty()) throw Error(kind, "", "no file name");
  try {
    return open_file(path, O_RDONLY | O_NONBLOCK);
  } catch (const std::system_error& error) {
    throw Error(kind, path, describe_errno(error.code().value()));
  }
}

/// In bytes. Throws Error(kind) with the path for anything but a regular file.
std::uint64_t size_of_regular(const Descriptor& file, const std::string& path, ErrorKind kind) {
  struct stat status;
  if (fstat(file.get(), &status) != 0) throw Error(kind, path, describe_errno(errno));
  if (S_ISREG(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
  throw Error(kind, path, S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file");
}

}  // namespace

RandomAccessFile::RandomAccessFile(const std::string& path, ErrorKind kind)
    : path_(path),
      kind_(kind),
      descriptor_(open_to_read(path, kind)),
      size_(size_of_regular(descriptor_, path, kind)) {}

void RandomAccessFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = pread(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno != EINTR) throw Error(kind_, path_, describe_errno(errno));
    if (got == 0) throw Error(kind_, path_, "changed while it was being read; run again when it is complete");
    if (got < 0) continue;
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file = open_to_read(path, ErrorKind::input);
  const std::uint64_t size = size_of_regular(file, path, ErrorKind::input);
  if (size == 0) return;  // mmap(2) refuses an empty range
  void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) throw Error(ErrorKind::input, path, describe_errno(errno));
  bytes_ = {static_cast<const std::byte*>(memory), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace convtool
