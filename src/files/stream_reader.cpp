#include "files/stream_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "files/descriptor.h"
#include "files/file.h"

namespace convtool {
namespace {

constexpr std::size_t kChunk = std::size_t{64} << 10;  // what a pipe holds (pipe(7))

OpenFile open_stream(const std::string& path, const std::string& name) {
  try {
    return OpenFile(path == "-" ? Descriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) : open_file(path, O_RDONLY));
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::input, name, describe_errno(error.code().value()));
  }
}

}  // namespace

StreamReader::StreamReader(const std::string& path)
    : name_(path == "-" ? "standard input" : path), file_(open_stream(path, name_)) {
  if (file_.is_folder()) throw Error(ErrorKind::input, name_, "is a folder");
}

std::size_t StreamReader::read_some(std::span<std::byte> bytes) {
  while (true) {
    const ssize_t got = read(file_.descriptor(), bytes.data(), bytes.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw Error(ErrorKind::input, name_, describe_errno(errno));
  }
}

/// Moves the bytes ahead to the start of the buffer.
void StreamReader::move_to_start() {
  std::copy(ahead_.begin() + begin_, ahead_.begin() + end_, ahead_.begin());
  end_ -= begin_;
  begin_ = 0;
}

std::span<const std::byte> StreamReader::look(std::size_t count) {
  if (end_ - begin_ >= count) return ahead();
  if (begin_ > 0) move_to_start();
  while (end_ < count) {
    if (ahead_.size() - end_ < kChunk) {
      Buffer larger(std::max(end_ + kChunk, ahead_.size() + ahead_.size() / 2));
      std::copy_n(ahead_.begin(), end_, larger.begin());
      ahead_ = std::move(larger);
    }
    const std::size_t got = read_some(std::span(ahead_).subspan(end_));
    if (got == 0) break;
    end_ += got;
  }
  return ahead();
}

/// The first `count` bytes of those ahead, in the memory that they are in. The others get memory of their own.
Buffer StreamReader::hand_over(std::size_t count) {
  move_to_start();
  Buffer rest(end_ - count);
  std::copy(ahead_.begin() + count, ahead_.begin() + end_, rest.begin());
  Buffer taken = std::exchange(ahead_, std::move(rest));
  end_ -= count;
  position_ += count;
  return taken;
}

std::size_t StreamReader::take(std::span<std::byte> bytes) {
  std::size_t size = std::min(bytes.size(), end_ - begin_);
  std::copy_n(ahead().begin(), size, bytes.begin());
  begin_ += size;
  while (size < bytes.size()) {
    const std::size_t got = read_some(bytes.subspan(size));
    if (got == 0) break;
    size += got;
  }
  position_ += size;
  return size;
}

Buffer StreamReader::take(std::size_t count) {
  if (end_ - begin_ >= count && count >= kChunk && count >= ahead_.size() / 2) {
    Buffer bytes = hand_over(count);
    bytes.shorten(count);
    return bytes;
  }
  Buffer bytes(count);
  bytes.shorten(take({bytes.data(), count}));
  return bytes;
}

Buffer StreamReader::take_rest(const SizeLimits& limits) {
  const bool is_regular = has_end();
  const std::size_t most = limits.of(!is_regular);
  constexpr std::size_t kPiece = 1 << 20;
  const std::size_t expected = is_regular ? std::max<std::size_t>(file_.size(), kPiece) + 1 : kPiece;
  const bool takes_over = ahead().size() >= kPiece;
  std::size_t size = takes_over ? ahead().size() : 0;
  Buffer bytes = takes_over ? hand_over(size) : Buffer(std::min(expected, most) + 1);
  while (true) {
    const std::size_t got = take({bytes.data() + size, bytes.size() - size});
    size += got;
    if (size > most) refuse_size(name_, limits, !is_regular);
    if (size < bytes.size()) break;
    Buffer larger(std::min(size + std::max(size / 2, kPiece), most) + 1);
    std::copy(bytes.begin(), bytes.end(), larger.begin());
    bytes = std::move(larger);
  }
  if (is_regular && file_.has_changed()) refuse_changed(name_, ErrorKind::input);
  bytes.shorten(size);
  return bytes;
}

}  // namespace convtool
