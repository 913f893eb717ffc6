// File descriptors and errno values, in plain POSIX calls: streams hide why something failed.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace convtool {

/// Throws std::system_error for an errno value.
[[noreturn]] void throw_errno(int error = errno);

/// An errno value in words for users. `missing` names the kind of object that does not exist for ENOENT, such as
/// "file".
std::string describe_errno(int error, const char* missing = "file");

/// An open file descriptor, which it owns and closes. A failure to close is ignored.
class Descriptor {
 public:
  /// Takes ownership of the result of open(2) or the like. Throws std::system_error with errno when it is negative.
  explicit Descriptor(int value);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&&) = delete;

  int get() const { return value_; }

 private:
  int value_;
};

/// open(2) with O_CLOEXEC added to `flags`; a new file gets the permissions of the umask. Throws std::system_error.
Descriptor open_file(const std::string& path, int flags);

/// Writes all of `bytes`. Throws std::system_error; some of them may be written by then.
void write_all(int descriptor, std::span<const std::byte> bytes);

/// The same from an offset in the file on, without moving its position.
void write_all_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes);

}  // namespace convtool
