#include "conv/output_map.h"

#include <algorithm>
#include <cmath>

namespace convtool {
namespace {

void check_finite(double range) {
  if (std::isfinite(range)) return;
  refuse_shape("", "the response contains infinities, so there is no range to normalize; use another --map");
}

}  // namespace

ValueMap make_value_map(const Mapping& mapping, DType input, DType output, const ResponseStats& measured) {
  const OutputMap map = mapping.map;
  if (mapping.is_unitless) input = DType::f32;
  require(map != OutputMap::automatic && map != OutputMap::signs, "an output map that is not one value map");
  const double range = is_integer(input) ? full_range(input) : is_integer(output) ? full_range(output) : 1.0;
  const double rescale = is_integer(input) && is_integer(output) ? full_range(output) / full_range(input) : 1.0;

  ValueMap result;
  switch (map) {
    case OutputMap::automatic:
    case OutputMap::signs:
    case OutputMap::clip: result.scale = rescale; break;
    case OutputMap::abs:
      result.absolute = true;
      result.scale = rescale * mapping.gain;
      break;
    case OutputMap::offset: {
      const double middle = range == 1.0 ? 0.5 : (range + 1) / 2;
      result.scale = rescale / 2;
      result.offset = middle * rescale;
      break;
    }
    case OutputMap::normalize: {
      if (measured.min > measured.max) break;  // every response is NaN
      const double spread = measured.max - measured.min;
      check_finite(spread);
      result.shift = measured.min;
      result.scale = spread > 0 ? range * rescale / spread : 1.0;
      break;
    }
  }
  require(!mapping.threshold || map == OutputMap::clip || map == OutputMap::abs, "a threshold of another map");
  if (mapping.threshold) {
    result.threshold = mapping.threshold;
    result.scale = is_integer(output) ? full_range(output) : 1.0;
  }
  return result;
}

std::array<ValueMap, 3> make_sign_maps(DType output, const ResponseStats& measured, SignedZero zero) {
  require(is_integer(output), "colours of floats");
  const bool none = measured.min > measured.max;  // every response is NaN
  const double limit = none ? 0 : std::max(std::fabs(measured.min), std::fabs(measured.max));
  check_finite(limit);
  const double full = full_range(output), scale = limit > 0 ? full / limit : 1.0;
  // Both colours have the same green, half of the full range, so that it depends on the absolute value alone.
  switch (zero) {
    case SignedZero::black: return {{{.scale = scale}, {.absolute = true, .scale = scale / 2}, {.scale = -scale}}};
    case SignedZero::grey:
      return {{{.scale = scale / 2, .offset = full / 2},
               {.scale = 0, .offset = full / 2},
               {.scale = -scale / 2, .offset = full / 2}}};
    case SignedZero::white: break;
  }
  return {{{.scale = scale, .offset = full},
           {.absolute = true, .scale = -scale / 2, .offset = full},
           {.scale = -scale, .offset = full}}};
}

}  // namespace convtool
