// Float tensors: NumPy's .npy and nested JSON lists.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/tensor.h"
#include "files/file.h"

namespace convtool {

/// A tensor and the number of dimensions that its file gives it:
///   1 [w]      2 [h][w]      3 [c][h][w]      4 [n][c][h][w]
/// Dimensions that the file does not have are 1.
struct RankedTensor {
  Tensor tensor;
  int rank = 2;
};

struct RankedShape {
  Shape shape;
  int rank = 2;
};

/// The shape that parse_npy() would give, which of the numbers only looks at how many bytes they take. Throws as it.
RankedShape read_npy_shape(std::span<const std::byte> bytes, std::size_t least_rank = 2);

/// Reads .npy (format versions 1 to 3; NumPy, "numpy.lib.format"): f32, f64 and integers of 8 to 64 bits, either byte
/// order, C or Fortran order, 2 to 4 dimensions, or from `least_rank` on. The result is planar f32; what float32 cannot
/// hold exactly is rounded to nearest. Throws Error(input), without a path: not .npy, another element type or rank,
/// empty, fewer or more bytes than the header says, or a finite value beyond float32.
RankedTensor parse_npy(std::span<const std::byte> bytes, std::size_t least_rank = 2);

/// Reads nested lists of numbers. Throws Error(input, source) with line and column, or the JSON pointer.
RankedTensor parse_tensor_json(std::string_view text, const std::string& source);

bool looks_like_npy(std::span<const std::byte> bytes);

/// True when the first character that is not white space is [, which begins no picture.
bool looks_like_json(std::span<const std::byte> bytes);

/// A .npy file in memory, which it owns.
struct NpyFile {
  Bytes bytes;
  Shape shape;

  /// Planar f32, inside `bytes`.
  TensorRef values();
};

/// One of zeros, for a tensor that is made where it will be written from: format version 1.0, f32 in this processor's
/// byte order, C order, the values from a multiple of 64 bytes on. Throws std::bad_alloc.
NpyFile new_npy(const Shape& shape, int rank);

/// Nested lists on one line with a newline; each number is the shortest that reads back as the same float.
/// Throws Error(output) for NaN and infinities, which JSON cannot hold.
Bytes format_tensor_json(const RankedTensor& tensor);

}  // namespace convtool
