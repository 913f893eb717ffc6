// NumPy's .npz files: ZIP archives with an .npy file for each array.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "files/buffer.h"

namespace convtool {

/// An array in a file, as users name it.
struct ArrayPath {
  std::string file;   ///< the .npz file, or a file of any other kind
  std::string array;  ///< "" where none is named
};

/// The parts of "FILE.npz#ARRAY", and of "FILE#ARRAY" where FILE is an .npz file of another name. Any other path, and
/// one that a file has as a whole, is the file alone.
ArrayPath split_array_path(const std::string& path);

/// Whether the bytes begin like a ZIP archive, which an .npz file is. No picture begins so.
bool looks_like_npz(std::span<const std::byte> bytes);

/// The number of bytes of the .npz file that `bytes` begin with, by the record at its end. Nothing where there is none.
std::optional<std::size_t> find_npz_end(std::span<const std::byte> bytes);

/// An .npz file, of which only the directory and the arrays that are asked for are read.
class NpzFile {
 public:
  /// Reads the directory of an archive in memory, which must live as long as this object. Throws Error(input), without
  /// a path, if it is damaged.
  explicit NpzFile(std::span<const std::byte> archive);
  /// The same of a file, which stays open. Throws Error(kind) with the path, too, if it cannot be read or is not a
  /// regular file.
  NpzFile(const std::string& path, ErrorKind kind);
  ~NpzFile();

  /// The .npy file of the array called `array` or, if that is "", of the only array: stored, as numpy.savez writes it,
  /// or compressed with Deflate, as numpy.savez_compressed does; archives of more than 4 GiB (ZIP64) included. Throws
  /// Error(input), without a path, if
  /// - there is no such array; the message lists those that there are,
  /// - the archive is damaged, encrypted, or compressed in another way,
  /// - the .npy file has more than `most` bytes.
  /// Throws Error(kind) with the path if the file has changed.
  Buffer extract_npy(std::string_view array, std::size_t most) const;

 private:
  class Archive;
  std::unique_ptr<Archive> archive_;
};

/// NpzFile::extract_npy() of a whole .npz file in memory.
Buffer extract_npy(std::span<const std::byte> archive, std::string_view array, std::size_t most);

}  // namespace convtool
