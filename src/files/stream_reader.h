// Streams that are read piece by piece: pipes, devices and standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "files/buffer.h"
#include "files/file.h"
#include "files/open_file.h"

namespace convtool {

/// A file of any kind, read from where it is to its end. Bytes are looked at first, then taken. No call waits for more
/// bytes than it is asked for, so what a live stream has delivered can be used at once. All members throw Error(input)
/// with the path, or "standard input", if the stream cannot be read.
class StreamReader {
 public:
  /// "-" is standard input.
  explicit StreamReader(const std::string& path);

  /// The path, or "standard input".
  const std::string& name() const { return name_; }

  /// Whether it is a regular file, which has an end. Files in /proc, which report a size of 0, do not count.
  bool has_end() const { return file_.is_regular() && file_.size() > 0; }

  /// How many bytes have been taken.
  std::uint64_t position() const { return position_; }

  /// The bytes that follow, at least `count` of them; fewer only where the stream ends. Valid until the next call.
  std::span<const std::byte> look(std::size_t count);

  /// The bytes that follow and have been read already.
  std::span<const std::byte> ahead() const { return std::span<const std::byte>(ahead_).subspan(begin_, end_ - begin_); }

  /// Takes the next `count` bytes; fewer only where the stream ends. If they are most of what has been
  /// read, the memory is handed over, not copied.
  Buffer take(std::size_t count);

  /// The same into `bytes`. Returns how many there were.
  std::size_t take(std::span<std::byte> bytes);

  /// Takes all bytes to the end of the stream. Throws Error(input) as read_file() does.
  Buffer take_rest(const SizeLimits& limits);

 private:
  std::size_t read_some(std::span<std::byte> bytes);
  void move_to_start();
  Buffer hand_over(std::size_t count);

  std::string name_;
  OpenFile file_;
  Buffer ahead_;  ///< read, and not taken: those from begin_ to end_
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace convtool
