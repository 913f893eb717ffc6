// The colours of positive and negative numbers in drawings, on pages and on terminals: those of --map signed.
#pragma once

#include "conv/output_map.h"
#include "pictures/canvas.h"

namespace convtool {

constexpr Colour sign_colour(const std::array<std::uint8_t, kSignChannels>& rgb) { return {rgb[0], rgb[1], rgb[2]}; }

inline constexpr Colour kPositiveTint = sign_colour(kPositiveColour), kNegativeTint = sign_colour(kNegativeColour);

/// The nearest of xterm's 256 colours.
inline constexpr int kPositiveXterm = 208, kNegativeXterm = 33;

}  // namespace convtool
