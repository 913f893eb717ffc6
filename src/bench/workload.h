// What the engine is timed on: problems that users have, as data. `convtool bench` times them on the user's machine,
// tests/bench against other libraries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// One convolution to time. Input and output lie channels-last in memory, as pictures and many networks do.
struct Workload {
  std::string id;    ///< that of its group, such as "I1"
  std::string name;  ///< such as "u8x3 3840x2160 3x3 integer -> u8": type, channels, width x height, kernel, result
  ConvProblem problem;
  Kernel kernel;
  Epilogue epilogue;
  DType output_dtype = DType::u8;
  double sigma = 0;  ///< of a Gaussian kernel, for libraries that are told the number; else 0

  /// The shape of the result, combined channels joined.
  Shape output_shape() const;

  /// What the sums of this channel are divided by.
  double divisor(std::int64_t sum_channel) const;

  /// Bytes that must be read or written at least once: input, weights and output.
  double bytes() const;
};

/// Pictures by size of kernel and type (I1 to I5), separable (S1), large (L1, L2), strided and dilated kernels (T1),
/// and layers of networks (C1 to C3, zeros outside, in f32; no bias). Pictures keep their size with the border pixel
/// repeated, but in T1, where nothing is padded; their channels are filtered alone.
std::vector<Workload> workloads();

/// Those for which "ID NAME" contains `text`.
std::vector<Workload> workloads(std::string_view text);

/// The same noise every time, uniform over the range of an integer type, or over [0, 1). Throws std::bad_alloc.
Tensor make_noise(DType dtype, const Shape& shape);

/// The input to view with channels_last(): noise.
Tensor make_input(const Workload& workload);

}  // namespace convtool
