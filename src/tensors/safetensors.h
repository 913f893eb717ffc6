// The safetensors format: a trained network's arrays, by name, in one file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "files/regular_file.h"

namespace convtool {

/// One array, as the file's header describes it.
struct StoredArray {
  std::string name;
  std::string dtype;                 ///< as written: "F32", "BF16", ...
  std::vector<std::int64_t> shape;   ///< any rank; sizes may be 0
  std::uint64_t begin = 0, end = 0;  ///< its bytes, counted from the start of the file

  /// The number of elements. In 63 bits where is_readable_dtype(dtype).
  std::int64_t count() const;
};

/// A file of the safetensors format (Hugging Face, "safetensors", section Format): the length of the header in 8 bytes,
/// little-endian, the header in JSON, {"NAME": {"dtype", "shape", "data_offsets": [begin, end]}, ...}, and the raw
/// elements, row-major and little-endian. Only the header is read until an array is asked for.
class SafetensorsFile {
 public:
  /// Throws Error(kernel, path) for what is not such a file, a header of more than 100 MB, which is the format's own
  /// limit, and arrays that overlap, leave bytes between them, do not lie in the file or are of another size than their
  /// shape says; and as RandomAccessFile does.
  explicit SafetensorsFile(const std::string& path);

  /// In the order of their bytes.
  const std::vector<StoredArray>& arrays() const { return arrays_; }

  /// Null when there is none.
  const StoredArray* find(std::string_view name) const;

  /// The elements of one of arrays(), rounded to f32. Throws Error(kernel, path): an element type other than F16, BF16,
  /// F32, F64 and integers, or a finite value beyond float32.
  std::vector<float> read(const StoredArray& array) const;

 private:
  std::string path_;
  RandomAccessFile file_;
  std::vector<StoredArray> arrays_;
};

/// Whether SafetensorsFile::read() takes elements of this type.
bool is_readable_dtype(std::string_view dtype);

}  // namespace convtool
