#include "conv/output_map.h"

#include <cmath>

namespace convtool {

ValueMap make_value_map(OutputMap map, DType input, DType output, const ResponseStats& measured) {
  require(map != OutputMap::automatic, "an unresolved output map");
  const double range = is_integer(input) ? full_range(input) : is_integer(output) ? full_range(output) : 1.0;
  const double rescale = is_integer(input) && is_integer(output) ? full_range(output) / full_range(input) : 1.0;

  ValueMap result;
  switch (map) {
    case OutputMap::automatic:
    case OutputMap::clip: result.scale = rescale; break;
    case OutputMap::abs:
      result.absolute = true;
      result.scale = rescale;
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
      if (!std::isfinite(spread)) {
        throw Error(ErrorKind::shape, "",
                    "the response holds infinities, so there is no range to normalize; use another --map");
      }
      result.shift = measured.min;
      result.scale = spread > 0 ? range * rescale / spread : 1.0;
      break;
    }
  }
  return result;
}

}  // namespace convtool
