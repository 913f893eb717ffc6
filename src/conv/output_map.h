// From responses, which may be negative and of any size, to the values of a picture.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "conv/epilogue.h"
#include "core/tensor.h"

namespace convtool {

enum class OutputMap {
  automatic,  ///< abs or clip, by the kernel (network/layer.h, resolve_map)
  clip,       ///< the response as it is; integer types saturate
  abs,        ///< its absolute value
  normalize,  ///< smallest to 0, largest to the full range; a constant response to 0
  offset,     ///< mid-grey plus half the response; mid-grey is 128, 32768 or 0.5 in the units of the input
  signs,      ///< positive orange, negative blue, the brighter the further from 0; of integer types
};
inline constexpr std::string_view kOutputMaps[] = {"auto", "clip", "abs", "normalize", "offset", "signed"};

constexpr std::string_view to_string(OutputMap map) { return kOutputMaps[static_cast<int>(map)]; }

/// A map with what may be asked of it beside.
struct Mapping {
  Mapping(OutputMap which = OutputMap::clip) : map(which) {}

  OutputMap map;
  /// Of normalize: the percentiles of the responses, NaN left out, that become 0 and the full range.
  std::optional<std::array<double, 2>> percentiles;
  /// Of clip and abs: what is above becomes the full range (1 as f32), all else 0.
  std::optional<double> threshold;

  bool operator==(const Mapping&) const = default;
};

/// The numbers behind `mapping`. Responses are in the units of the input (0..255, 0..65535, or floats as they are);
/// between integer types the result is rescaled by the ratio of their full ranges, to and from f32 never. The full
/// range is the input's, for f32 input that of an integer output, and 1 from f32 to f32. `measured` matters to
/// normalize only, its range being what becomes the full range; throws Error(shape) when that is not finite. The map is
/// not automatic, and not signs.
ValueMap make_value_map(const Mapping& mapping, DType input, DType output, const ResponseStats& measured = {});

/// OutputMap::signs as one map for each of R, G and B, whose values saturate at 0. The largest absolute response takes
/// the full range of `output`, an integer type. Throws Error(shape) when `measured` is not finite.
std::array<ValueMap, 3> make_sign_maps(DType output, const ResponseStats& measured);

/// Whether a map needs the statistics of all responses before the first value.
constexpr bool needs_measuring(OutputMap map) { return map == OutputMap::normalize || map == OutputMap::signs; }

}  // namespace convtool
