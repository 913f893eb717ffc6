// The shapes and parameters of one convolution layer: everything but the numbers.
//
// The operation is cross-correlation, as in nn.Conv2d (the kernel is not flipped). For output channel o of group g,
// with C = c_i / groups input channels in each group:
//
//   y[n,o,i,j] = bias[o] + sum over c < C, u < kh, v < kw of
//                w[o,c,u,v] * x[n, g*C + c, i*stride.h - pads.top + u*dilation.h, j*stride.w - pads.left +
//                v*dilation.w]
//
// where the padding mode defines x outside the picture (conv/padding.h). The formula is written here only;
// conv/algorithms/reference.cpp transcribes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conv/padding.h"
#include "core/tensor.h"

namespace convtool {

/// The largest size, stride, dilation, padding or group count of a layer. Within it no index overflows 64 bits.
inline constexpr std::int64_t kLargestParameter = std::int64_t{1} << 30;

/// nn.Conv2d's options, before any input is known.
struct ConvParams {
  Extent stride;
  Extent dilation;
  Padding padding;
  PaddingMode padding_mode = PaddingMode::zeros;
  float padding_value = 0;  ///< for PaddingMode::constant
  std::int64_t groups = 1;

  constexpr bool operator==(const ConvParams&) const = default;
};

/// The sizes of a weight block, in nn.Conv2d's order.
struct KernelShape {
  std::int64_t c_o = 1;            ///< output channels
  std::int64_t c_i_per_group = 1;  ///< input channels that each output channel sees
  std::int64_t kh = 1, kw = 1;

  constexpr std::int64_t taps() const { return c_i_per_group * kh * kw; }
  constexpr std::int64_t count() const { return c_o * taps(); }
  constexpr bool operator==(const KernelShape&) const = default;
};

/// One layer on one input: everything that decides what is computed and how it may be computed.
struct ConvProblem {
  DType input_dtype = DType::f32;
  Shape input;
  KernelShape kernel;
  Extent stride;
  Extent dilation;
  Pads pads;
  PaddingMode padding_mode = PaddingMode::zeros;
  float padding_value = 0;
  std::int64_t groups = 1;
  /// Whether the channels of a pixel will be interleaved. Any layout gives right results in either case; these flags
  /// affect only which algorithm is expected to be the fastest.
  bool input_channels_last = false, output_channels_last = false;
  /// Whether no algorithm may err by more than a sum of products in float does (conv/error_bound.h): fft then
  /// transforms integer pictures in double, and refuses floats, where its error depends on the brightest pixel of a
  /// tile. winograd refuses for the same reason.
  bool direct_error = false;
  /// Of a band (conv/bands.h): the height and the vertical pads of the whole picture. Algorithms whose sums depend on
  /// how rows are cut into blocks cut a band as they cut the whole. 0 for a picture that is no band.
  struct WholeRows {
    std::int64_t height = 0, top = 0, bottom = 0;
  } whole = {};
};

/// Resolves the padding and checks that everything fits. Throws Error(shape), with the sizes and a remedy, if channels
/// or groups do not match, the kernel is larger than the padded input, or reflect padding is not smaller than the
/// input.
ConvProblem make_problem(DType input_dtype, const Shape& input, const KernelShape& kernel, const ConvParams& params);

/// floor((in + pad_begin + pad_end - dilation*(k-1) - 1) / stride) + 1 along each axis, with n and c_o.
Shape output_shape(const ConvProblem& problem);

/// The rows and columns of input that one output pixel sees: dilation*(k-1) + 1.
Extent dilated_kernel(const KernelShape& kernel, const Extent& dilation);

/// Multiply-adds by the definition, padding included: n * c_o * oh * ow * (c_i/groups) * kh * kw.
double mac_count(const ConvProblem& problem);

/// The formulas of the output's height and width, with numbers: "h = floor((8 + 0 + 0 - 1*(3-1) - 1) / 3) + 1 = 2".
std::string height_formula(const ConvProblem& problem);
std::string width_formula(const ConvProblem& problem);

/// One line that names the problem in tests and verbose reports, such as
/// "u8 n1 ci3 ih480 iw640 co3 kh3 kw3 g3 s1x1 d1x1 p1,1,1,1 replicate".
std::string to_string(const ConvProblem& problem);

}  // namespace convtool
