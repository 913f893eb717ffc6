#include "files/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>
#include <utility>

namespace convtool {

void throw_errno(int error) { throw std::system_error(error, std::generic_category()); }

std::string describe_errno(int error, const char* missing) {
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
    case EPIPE: return "the reader has closed the pipe";
    default: return std::generic_category().message(error);
  }
}

Descriptor::Descriptor(int value) : value_(value) {
  if (value < 0) throw_errno();
}

Descriptor::Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}

Descriptor::~Descriptor() {
  if (value_ >= 0) close(value_);
}

Descriptor open_file(const std::string& path, int flags) {
  constexpr mode_t kForAll = 0666;  // less what the umask takes away
  int descriptor = -1;
  do {
    descriptor = open(path.c_str(), flags | O_CLOEXEC, kForAll);
  } while (descriptor < 0 && errno == EINTR);
  return Descriptor(descriptor);
}

namespace {

/// `write` writes a part of some bytes, and returns its size as write(2) does.
template <class Write>
void write_parts(std::span<const std::byte> bytes, const Write& write) {
  while (!bytes.empty()) {
    const ssize_t written = write(bytes);
    if (written < 0 && errno != EINTR) throw_errno();
    if (written == 0) throw_errno(EIO);  // a device that takes nothing would be asked for ever
    if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace

void write_all(int descriptor, std::span<const std::byte> bytes) {
  write_parts(bytes, [&](std::span<const std::byte> rest) { return write(descriptor, rest.data(), rest.size()); });
}

void write_all_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::byte* const first = bytes.data();
  write_parts(bytes, [&](std::span<const std::byte> rest) {
    const std::uint64_t done = static_cast<std::uint64_t>(rest.data() - first);
    return pwrite(descriptor, rest.data(), rest.size(), static_cast<off_t>(offset + done));
  });
}

}  // namespace convtool
