// Safetensors files: the named arrays of a trained network.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/buffer.h"
#include "files/regular_file.h"

namespace convtool {

/// One array, as the file's header describes it.
struct StoredArray {
  std::string name;
  std::string dtype;                 ///< as written: "F32", "BF16", ...
  std::vector<std::int64_t> shape;   ///< any rank; sizes may be 0
  std::uint64_t begin = 0, end = 0;  ///< positions of its bytes in the file

  /// The number of elements. Does not overflow if is_readable_dtype(dtype).
  std::int64_t count() const;
};

/// A safetensors file (Hugging Face, "safetensors", section Format): the length of the header (8 bytes, little-endian),
/// the header in JSON, {"NAME": {"dtype", "shape", "data_offsets": [begin, end]}, ...}, and the raw elements, row-major
/// and little-endian. The constructor reads only the header; read() reads one array.
class SafetensorsFile {
 public:
  /// Throws Error(kernel, path) if this is not such a file, if the header exceeds 100 MB, which is the format's own
  /// limit, or if arrays overlap, leave bytes between them, exceed the file or do not have the size of their shape; and
  /// as RandomAccessFile does.
  explicit SafetensorsFile(const std::string& path);

  /// All arrays, in the order of their bytes.
  const std::vector<StoredArray>& arrays() const { return arrays_; }

  /// The array with this name, or null.
  const StoredArray* find(std::string_view name) const;

  /// The elements of one of arrays(), rounded to f32. Throws Error(kernel, path) for an element type other than F16,
  /// BF16, F32, F64 and integers, and for a finite value beyond float32.
  std::vector<float> read(const StoredArray& array) const;

 private:
  std::string path_;
  RandomAccessFile file_;
  std::vector<StoredArray> arrays_;
};

/// Whether SafetensorsFile::read() supports this element type.
bool is_readable_dtype(std::string_view dtype);

/// An array to be written. The values belong to the caller.
struct NamedArray {
  std::string name;  ///< UTF-8; other bytes are replaced
  std::vector<std::int64_t> shape;
  std::span<const float> values;  ///< row-major, as many as the shape has
};

/// A safetensors file with these arrays, in F32 and in this order. Names must differ.
Bytes format_safetensors(const std::vector<NamedArray>& arrays);

}  // namespace convtool
