// What is to be computed, apart from the numbers: the shapes and parameters of one convolution layer.
//
// The operation is cross-correlation, as in nn.Conv2d (the kernel is not flipped). For output channel o of group g,
// with C = c_i / groups input channels in each group:
//
//   y[n,o,i,j] = bias[o] + sum over c < C, u < kh, v < kw of
//                w[o,c,u,v] * x[n, g*C + c, i*stride.h - pads.top + u*dilation.h, j*stride.w - pads.left +
//                v*dilation.w]
//
// where x outside the picture is what the padding mode says (conv/padding.h). This is the one place where the formula
// stands; conv/algorithms/reference.cpp is its transcription.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace convtool {

/// No size, stride, dilation, padding or group count of a layer is larger. Within it no index overflows 64 bits.
inline constexpr std::int64_t kLargestParameter = std::int64_t{1} << 30;

/// A height and a width.
struct Extent {
  std::int64_t h = 1, w = 1;

  constexpr bool operator==(const Extent&) const = default;
};

/// Rows and columns of padding on each side, in ONNX's order without its axis-wise split.
struct Pads {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;

  constexpr bool operator==(const Pads&) const = default;
};

/// The value of pixels outside the picture; kPaddingModeTable shows each mode.
enum class PaddingMode { zeros, constant, reflect, symmetric, replicate, circular };

/// One padding mode: its name here, the row abcd with three pixels of padding on each side, and its names elsewhere.
struct PaddingModeRow {
  std::string_view name;
  std::string_view picture;
  std::string_view pytorch, numpy, scipy, opencv;  ///< empty where the library lacks the mode; OpenCV's without BORDER_
};
inline constexpr PaddingModeRow kPaddingModeTable[] = {
    {"zeros", "000|abcd|000", "zeros", "constant", "constant", "CONSTANT"},
    {"constant", "kkk|abcd|kkk", "constant", "constant", "constant", "CONSTANT"},
    {"reflect", "dcb|abcd|cba", "reflect", "reflect", "mirror", "REFLECT_101"},
    {"symmetric", "cba|abcd|dcb", "", "symmetric", "reflect", "REFLECT"},
    {"replicate", "aaa|abcd|ddd", "replicate", "edge", "nearest", "REPLICATE"},
    {"circular", "bcd|abcd|abc", "circular", "wrap", "wrap", "WRAP"},
};

/// The names alone, in the order of the enumeration.
inline constexpr std::string_view kPaddingModes[] = {kPaddingModeTable[0].name, kPaddingModeTable[1].name,
                                                     kPaddingModeTable[2].name, kPaddingModeTable[3].name,
                                                     kPaddingModeTable[4].name, kPaddingModeTable[5].name};

constexpr std::string_view to_string(PaddingMode mode) { return kPaddingModes[static_cast<int>(mode)]; }

/// How much padding is asked for; resolve_pads() makes numbers of it once the input's size is known.
struct Padding {
  enum class Rule {
    fixed,       ///< `pads` as they are; "valid" is all zero
    same,        ///< output ceil(in / stride), the odd row or column at the end (ONNX SAME_UPPER)
    same_lower,  ///< the same, the odd one at the start
    full,        ///< every position where kernel and picture overlap
  };
  Rule rule = Rule::fixed;
  Pads pads;

  constexpr bool operator==(const Padding&) const = default;
};

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
  /// Whether the channels of a pixel will lie side by side. Any layout is right in either case; these decide which
  /// algorithm is expected to be the fastest.
  bool input_channels_last = false, output_channels_last = false;
};

/// Resolves the padding and checks that everything fits. Throws Error(shape) with the sizes and a way out when the
/// channels or groups do not match, the kernel is larger than the padded input, or reflection has nothing to reflect.
ConvProblem make_problem(DType input_dtype, const Shape& input, const KernelShape& kernel, const ConvParams& params);

/// floor((in + pad_begin + pad_end - dilation*(k-1) - 1) / stride) + 1 along each axis; n and c_o around it.
Shape output_shape(const ConvProblem& problem);

/// The rows and columns of input that one output pixel sees: dilation*(k-1) + 1.
Extent dilated_kernel(const KernelShape& kernel, const Extent& dilation);

/// Multiply-adds by the definition, padding included: n * c_o * oh * ow * (c_i/groups) * kh * kw.
double mac_count(const ConvProblem& problem);

/// One line that names the problem in tests and verbose reports, such as
/// "u8 n1 ci3 ih480 iw640 co3 kh3 kw3 g3 s1x1 d1x1 p1,1,1,1 replicate".
std::string to_string(const ConvProblem& problem);

}  // namespace convtool
