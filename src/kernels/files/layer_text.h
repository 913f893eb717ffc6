// Layers as a short text, without weights: "conv 7 64 s2 p3, relu, maxpool 3 s2 p1". For shapes alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "network/layer.h"

namespace convtool {

/// The layers that a text, or a kernel file, may have.
inline constexpr std::int64_t kMostLayers = 10000;

/// Reads layers, each a bank of its own, separated by commas or lines. A # begins a comment, to the end of the line.
/// Words are read in any case. A layer is a word, its numbers, and its options:
///
///   conv K C       a convolution, as nn.Conv2d
///   dwconv K       one that filters each channel alone: groups are the channels
///   tconv K C      nn.ConvTranspose2d
///   maxpool K      nn.MaxPool2d; its stride is K by default. K may be "global"
///   avgpool K      nn.AvgPool2d, likewise
///   upsample N     nn.Upsample by N or HxW
///   bn             nn.BatchNorm2d: a factor and an offset per channel
///   linear N       nn.Linear with N outputs, on all values of its input
///   add NAME       the output of the layer called NAME, added to that of the layer before
///   relu, relu6, leaky_relu, sigmoid, tanh, silu, hardswish    the activation as a layer of its own
///
///   sN, pN, dN     stride, padding and dilation: N, or HxW
///   pT,L,B,R       padding of the four sides
///   valid, same, same_lower, full    padding by rule (conv/padding.h)
///   gN             groups
///   oN             output padding of tconv
///   ceil           of pools: sizes are rounded up
///   bilinear       of upsample: nn.Upsample's mode, in place of nearest
///   nobias         without the bias that conv, dwconv and linear have by default
///   xN             the layer N times, one after another
///   from NAME      reads the output of the layer called NAME, in place of the layer before
///   as NAME        the name of the layer; layers after it add or read its output
///
/// "input" is the name of the input; with_named_input() (network/residual.h) makes a layer of it. `earlier` are the
/// names of layers that come before the text; NAME may be one of them, in any case. K is N or HxW. Layers fit their
/// input by fitted() (network/outline.h). Throws Error(kernel, source) with the number of the layer, the line and the
/// column.
Network parse_layer_text(std::string_view text, const std::string& source, const std::string& name,
                         const std::vector<std::string>& earlier = {});

}  // namespace convtool
