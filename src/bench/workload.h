// The workloads that the engine is timed on: typical problems, as data. `convtool bench` times them on the user's
// machine, tests/bench against other libraries.
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
  std::string id;    ///< the id of its group, such as "I1"
  std::string name;  ///< such as "u8x3 3840x2160 3x3 integer -> u8": type, channels, width x height, kernel, result
  ConvProblem problem;
  Kernel kernel;
  Epilogue epilogue;
  DType output_dtype = DType::u8;
  double sigma = 0;  ///< of a Gaussian kernel, for libraries that take it as a parameter; else 0

  /// The shape of the result, after channels are combined.
  Shape output_shape() const;

  /// The divisor of this sum channel.
  double divisor(std::int64_t sum_channel) const;

  /// Bytes that must be read or written at least once: input, weights and output.
  double bytes() const;
};

/// All workloads: pictures by kernel size and type (I1 to I5); separable (S1), large (L1, L2), strided and dilated
/// kernels (T1); and layers of networks (C1 to C3, f32, zero padding, no bias). Pictures keep their size by repeating
/// border pixels, except in T1, where nothing is padded; each of their channels is filtered alone.
std::vector<Workload> workloads();

/// The workloads whose "ID NAME" contains `text`.
std::vector<Workload> workloads(std::string_view text);

/// Computes noise, uniform over the range of an integer type, or over [0, 1). It is the same every time. Throws
/// std::bad_alloc.
Tensor make_noise(DType dtype, const Shape& shape);

/// The input, noise, to be viewed with channels_last().
Tensor make_input(const Workload& workload);

}  // namespace convtool
