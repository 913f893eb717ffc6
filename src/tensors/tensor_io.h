// Float tensors in files: NumPy's .npy, and nested lists in JSON.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/tensor.h"
#include "files/file.h"
#include "files/raster_file.h"

namespace convtool {

/// A tensor and the number of dimensions that it has in its file:
///   1 [w]      2 [h][w]      3 [c][h][w]      4 [n][c][h][w]
/// Dimensions that the file does not have are 1.
struct RankedTensor {
  Tensor tensor;
  int rank = 2;
  std::int64_t rounded = 0;      ///< values that have more digits in the file than f32 holds
  std::string_view stored = {};  ///< their type in the file: "f64", "integers"; only where there are such values
};

struct RankedShape {
  Shape shape;
  int rank = 2;
};

/// The shape of an .npy file, from its header and the number of bytes after it. Throws as parse_npy() does, but does
/// not look at the values.
RankedShape read_npy_shape(std::span<const std::byte> bytes, std::size_t least_rank = 2);

/// Reads an .npy file (format versions 1 to 3; NumPy, "numpy.lib.format") of floats of 16 to 64 bits, integers of 8 to
/// 64 bits, or bools, in either byte order, in C or Fortran order, with `least_rank` to 4 dimensions. The result is
/// planar f32, rounded to nearest, and says how many values were rounded. Throws Error(input), without a path, if the
/// bytes are not .npy, have another element type or rank, are empty, fewer or more than the header says, or contain a
/// finite value beyond float32.
RankedTensor parse_npy(std::span<const std::byte> bytes, std::size_t least_rank = 2);

struct RankedLayout {
  RasterLayout layout;
  int rank = 2;
};

/// The layout of an .npy file in C order, from its header and the size of the file. Nothing for any other file, for one
/// in Fortran order, and for one that read_npy_shape() rejects. Throws Error as RandomAccessFile does.
std::optional<RankedLayout> read_npy_layout(const RandomAccessFile& file);

/// Reads nested lists of numbers, in JSON. Integers that f32 does not hold are counted as rounded. Throws Error(input,
/// source) with line and column, or with the JSON pointer.
RankedTensor parse_tensor_json(std::string_view text, const std::string& source);

/// The shape that parse_tensor_json() returns for `bytes` unless it throws, from brackets and commas alone. Nothing for
/// text that it rejects for sure.
std::optional<RankedShape> scan_json_shape(std::span<const std::byte> bytes);

/// Whether the bytes begin with the signature of .npy.
bool looks_like_npy(std::span<const std::byte> bytes);

/// The .npy file of an f32 tensor: format version 1.0, in the byte order of this processor, C order, with the values at
/// a multiple of 64 bytes.
RasterFormat npy_format(const Shape& shape, int rank);

/// An .npy file in memory, which it owns.
struct NpyFile {
  Buffer bytes;
  Shape shape;

  /// The values, planar f32: a view into `bytes`.
  TensorRef values();
};

/// A file of npy_format() whose values are not initialised: a result is computed in the place from which it is written.
/// Throws std::bad_alloc.
NpyFile new_npy(const Shape& shape, int rank);

/// Nested lists on one line, or one line for each innermost list, with the decimal points of a column in line.
enum class TensorText { dense, aligned };

/// Writes nested lists in JSON, ending in a newline. Each number is the shortest text that reads back as the same
/// float. Throws Error(output) for NaN and infinity, which JSON does not have.
Bytes format_tensor_json(const RankedTensor& tensor, TensorText layout = TensorText::dense);

}  // namespace convtool
