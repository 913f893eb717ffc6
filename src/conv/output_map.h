// Output maps: from responses, which may be negative and of any size, to the values of a picture.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "conv/epilogue.h"
#include "core/tensor.h"

namespace convtool {

enum class OutputMap {
  automatic,  ///< abs or clip, depending on the kernel (network/layer.h, resolve_map)
  clip,       ///< the response as it is; integer types saturate
  abs,        ///< its absolute value
  normalize,  ///< smallest to 0, largest to the full range; a constant response to 0
  offset,     ///< mid-grey plus half the response; mid-grey is 128, 32768 or 0.5 in the units of the input
  signs,      ///< positive orange, negative blue, stronger further from 0; for integer types
};
inline constexpr std::string_view kOutputMaps[] = {"auto", "clip", "abs", "normalize", "offset", "signed"};

/// Of OutputMap::signs: R, G and B.
inline constexpr std::int64_t kSignChannels = 3;

/// The full colours of OutputMap::signs, R, G and B of 8 bits: orange and blue, which people of any colour vision can
/// tell apart. Drawings, pages and terminals show signs in the same colours (show/sign_colours.h).
inline constexpr std::array<std::uint8_t, kSignChannels> kPositiveColour = {255, 128, 0},
                                                         kNegativeColour = {0, 128, 255};

/// The colour of 0 with OutputMap::signs.
enum class SignedZero { white, black, grey };
inline constexpr std::string_view kSignedZeros[] = {"white", "black", "grey"};

constexpr std::string_view to_string(OutputMap map) { return kOutputMaps[static_cast<int>(map)]; }

/// A map and its parameters.
struct Mapping {
  Mapping(OutputMap which = OutputMap::clip) : map(which) {}

  OutputMap map;
  /// For normalize: the percentiles of the responses, without NaN, that become 0 and the full range. For signs: the one
  /// that is further from 0 gets the full colour.
  std::optional<std::array<double, 2>> percentiles;
  /// For clip and abs: values above it become the full range (1 as f32), all others 0.
  std::optional<double> threshold;
  SignedZero zero = SignedZero::white;  ///< for signs
  /// For abs without a threshold: absolute values are multiplied by it (network/layer.h, visible_gain).
  double gain = 1;
  /// Whether responses are not in the units of the input, since its pixels were scaled: they are then never rescaled,
  /// as if the input were f32.
  bool is_unitless = false;

  bool operator==(const Mapping&) const = default;
};

/// The value map for `mapping`, which is neither automatic nor signs. Responses are in the units of the input (0..255,
/// 0..65535, or floats as they are). Between integer types the result is rescaled by the ratio of their full ranges; to
/// and from f32 it is not. The full range is that of the input type. For f32 input it is that of the output type, or 1
/// if that is f32 too. Only normalize uses `measured`: it maps that range to the full range, and throws Error(shape) if
/// the range is not finite.
ValueMap make_value_map(const Mapping& mapping, DType input, DType output, const ResponseStats& measured = {});

/// OutputMap::signs as one map each for R, G and B, whose values saturate. The largest absolute value of the range
/// `measured` gets the full colour, orange or blue; from `zero` to there, colours change linearly. Throws Error(shape)
/// if the range is not finite.
std::array<ValueMap, 3> make_sign_maps(DType output, const ResponseStats& measured, SignedZero zero);

/// Whether a map needs the statistics of all responses before the first value.
constexpr bool needs_measuring(OutputMap map) { return map == OutputMap::normalize || map == OutputMap::signs; }

}  // namespace convtool
