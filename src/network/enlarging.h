// Upsampling and transposed convolutions, as convolutions that write every s-th output.
//
// A transposed convolution of stride s adds, for each input i and each row u of the kernel, x[i] * w[u] to the output
// at i*s + u*d - p (dilation d, padding p). So output o = q*s + r is the sum over those u for which r + p - u*d is a
// multiple of s of w[u] * x[q + (r + p - u*d) / s]: for each r, a convolution of stride 1 with some rows of the kernel,
// in reverse, which are d / gcd(s, d) inputs apart. It is the same along columns. So a layer has s.h * s.w phases, each
// of which is planned like any convolution and writes its own outputs. No multiplication by a zero between the inputs
// takes place (V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep learning, 2016, describe it with
// those zeros).
//
// Upsampling by s copies, or blends two inputs along each axis: with output r of s at (2r + 1 - s) / 2s from the middle
// of its input, the weights are that distance and its complement. They are whole numbers over 2s, so the sums of
// integer pictures are exact. At the border the outermost input counts for the one that is missing, as in PyTorch with
// align_corners false.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "conv/problem.h"
#include "network/layer.h"

namespace convtool {

/// The most phases of a layer, s.h * s.w.
inline constexpr std::int64_t kMostPhases = 4096;

/// Whether a layer may have this stride, at most kMostPhases phases.
constexpr bool can_enlarge_by(const Extent& stride) { return stride.h <= kMostPhases / stride.w; }

/// Whether nn.ConvTranspose2d takes this output padding: along each axis less than the stride or the dilation.
constexpr bool is_output_padding(const Extent& added, const Extent& stride, const Extent& dilation) {
  return added.h < std::max(stride.h, dilation.h) && added.w < std::max(stride.w, dilation.w);
}

/// The outputs first, first + s, ... along an axis.
struct PhaseAxis {
  std::int64_t first = 0, count = 0;
  std::int64_t taps = 0, first_tap = 0, tap_step = 0;  ///< tap() of 0 to taps - 1, in the order of the inputs
  Range input;                                         ///< that they read; empty where they see nothing but zeros
  std::int64_t pad_begin = 0, pad_end = 0, dilation = 1;

  /// The row or column of the kernel that weighs input k of an output; bilinear: its weight, over 2s.
  std::int64_t tap(std::int64_t k) const { return first_tap + k * tap_step; }
};

/// A phase: outputs at rows[k] and columns[l] for all k and l.
struct Phase {
  PhaseAxis rows, columns;
  ConvProblem problem;  ///< on that part of the input; where that is empty, on a pixel of zeros

  bool sees_zeros() const { return rows.input.begin == rows.input.end || columns.input.begin == columns.input.end; }
};

/// The sizes of a layer that enlarges.
struct Enlargement {
  Enlarging kind = Enlarging::nearest;
  Shape output;
  Extent step;  ///< from one output of a phase to the next: the layer's stride
};

/// Throws Error(shape) if the channels do not match, or the output would be empty or its numbers beyond 64 bits.
/// `layer` enlarges, by a stride that can_enlarge_by() allows.
Enlargement enlarge(const Layer& layer, const Shape& input);

/// The phases of a layer on an input that enlarge() takes, without those that have no outputs.
std::vector<Phase> phases_of(const Layer& layer, DType dtype, const Shape& input);

/// The layer in the terms of a convolution, for reports: its kernel, stride and pads on this input.
ConvProblem described(const Layer& layer, DType dtype, const Shape& input);

/// The weight of a transposed convolution that joins input channel `c` of a group to output channel `o`, in row `u` and
/// column `v` of the kernel. `flip` as in bind_kernel().
float transposed_weight(const Layer& layer, std::int64_t o, std::int64_t c, std::int64_t u, std::int64_t v, bool flip);

/// The weights of a phase for the engine; none of a transposed convolution without any. `flip` as in bind_kernel().
Kernel phase_kernel(const Layer& layer, const Phase& phase, bool flip);

/// The formula of the output's height or width, with numbers: "h = (4 - 1)*2 - 1 - 1 + 1*(3-1) + 1 + 1 = 8".
std::string enlarged_height_formula(const Layer& layer, const Shape& input);
std::string enlarged_width_formula(const Layer& layer, const Shape& input);

}  // namespace convtool
